package handlers_test

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"ticklane/handlers"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

// lines is a log output for concurrent use.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

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
	var log lines
	srv := newTestServer(t, testserver.Options{Engine: testserver.Shard, Logger: slog.New(slog.NewTextHandler(&log, nil)), Deps: func(d *handlers.Deps) { d.Lab = &handlers.Lab{} }})
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
		t.Errorf("the Log: %s", &log)
	}
}
