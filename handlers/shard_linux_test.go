package handlers_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"ticklane/handlers"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

// epolls returns the process's epoll descriptors.
func epolls(t *testing.T) map[int]bool {
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[int]bool)
	for _, e := range all {
		var fd int
		if what, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && what == "anon_inode:[eventpoll]" {
			fmt.Sscan(e.Name(), &fd)
			found[fd] = true
		}
	}
	return found
}

// TestShardFails checks that engine stream takes over, and that an error is logged, when the poller of engine shard fails.
func TestShardFails(t *testing.T) {
	log, logger := newRecords()
	srv := newTestServer(t, testserver.Options{Engine: testserver.Shard, Logger: logger, Deps: func(d *handlers.Deps) { d.Lab = &handlers.Lab{} }})
	others := epolls(t)
	before := []*testserver.Client{srv.SSE("snapshot=false"), srv.WS("snapshot=false")}
	for fd := range epolls(t) {
		if others[fd] {
			continue
		}
		// Another file takes the descriptor's number, so that epoll_wait fails. The epoll file stays open, so that Go's poller
		// still wakes its waiters.
		kept, err := unix.Dup(fd)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(kept)
		null, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer null.Close()
		if err := unix.Dup3(int(null.Fd()), fd, unix.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
	}
	before[0].Send("an event")
	for _, c := range before {
		if got, err := c.ReadAll(); err == nil || len(got) > 0 {
			t.Errorf("%s: %v, %d messages", c.Format, err, len(got))
		}
	}
	for _, lane := range lanes {
		c := srv.Stream(lane, "snapshot=false")
		if c.Hello.Engine != testserver.Stream {
			t.Errorf("%s", c.Hello.Text)
		}
		srv.Publish(1)
		c.Want("q")
	}
	answer, body := srv.Get("/sse/subscribe?engine=shard")
	wantProblem(t, answer, body, 400)
	if engines := srv.Handlers.EnginesOf(wire.WS); engines[0] != testserver.Stream || len(engines) != 1 {
		t.Errorf("engines %v", engines)
	}
	if strings.Count(log.String(), "engine shard has failed") != 1 {
		t.Errorf("the Log: %s", log)
	}
}

func TestEnginesSendTheSameMessages(t *testing.T) {
	srv := newLabServer(t)
	a, b := srv.SSE("engine=shard&limit=50&from=oldest"), srv.SSE("engine=stream&limit=50&from=oldest")
	if a.Hello.Engine != testserver.Shard || b.Hello.Engine != testserver.Stream {
		t.Fatalf("hellos %s, %s", a.Hello.Text, b.Hello.Text)
	}
	stop := srv.PublishRate(1000)
	defer stop()
	first, err1 := a.ReadAll()
	second, err2 := b.ReadAll()
	if !errors.Is(err1, io.EOF) || !errors.Is(err2, io.EOF) || len(first) != 51 || len(second) != 51 {
		t.Fatalf("%d messages (%v), %d (%v); want 50 ticks and a bye", len(first), err1, len(second), err2)
	}
	for i := range first {
		if first[i].Text != second[i].Text {
			t.Errorf("message %d: %s on engine shard, %s on engine stream", i, first[i].Text, second[i].Text)
		}
	}
	testkit.Eventually(t, func() bool { return liveStreams(srv) == 0 }, "streams to end")
	for _, c := range []*testserver.Client{a, b} {
		c.Reader.ReadString('\n') // the chunked reader doesn't read the last line break
	}
	if sse := srv.TickLog.Lane(wire.SSE); sse.Wire != uint64(a.Received.Load()+b.Received.Load()) {
		t.Errorf("%d wire bytes counted, %d + %d received", sse.Wire, a.Received.Load(), b.Received.Load())
	}
}
