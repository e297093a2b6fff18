//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ticklane/internal/testkit"
	"ticklane/internal/testkit/natstest"
)

var epochOfHello = regexp.MustCompile(`"epoch":"([0-9a-f]+)".*"head":(\d+)`)

// begin starts to follow a stream after its hello, and returns the epoch.
func (f *follower) begin(t *testing.T) (epoch string, head uint64) {
	t.Helper()
	hello, err := f.next()
	m := epochOfHello.FindStringSubmatch(hello)
	if err != nil || m == nil {
		t.Fatalf("hello %q, %v", hello, err)
	}
	head, err = strconv.ParseUint(m[2], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	go f.run()
	return m[1], head
}

// end returns the newest seq of a stream that was cut.
func (f *follower) end(t *testing.T) uint64 {
	t.Helper()
	var last uint64
	testkit.Eventually(t, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		last = f.last
		return f.err != nil
	}, "the end of the stream")
	return last
}

// TestKilledLogGoesOn: with bus.kind nats the log and the market go on after kill -9, and a client of either lane resumes with every
// tick.
func TestKilledLogGoesOn(t *testing.T) {
	t.Parallel()
	args := []string{"--bus.kind=nats", "--data.dir=" + t.TempDir(), "--market.rate=500"}
	follow := map[string]func(*testing.T, string, string) *follower{"sse": followSSE, "ws": followWS}
	type client struct {
		epoch string
		last  uint64
	}
	clients := map[string]client{}
	for range 3 {
		p := startServer(t, args...)
		all := map[string]*follower{}
		for lane, open := range follow {
			c, query := clients[lane], ""
			if c.last > 0 {
				query = fmt.Sprintf("?from=%s-%d", c.epoch, c.last)
			}
			f := open(t, p.addr, query)
			f.last = c.last
			epoch, _ := f.begin(t)
			if c.epoch != "" && epoch != c.epoch {
				t.Fatalf("%s: epoch %s after %s", lane, epoch, c.epoch)
			}
			clients[lane] = client{epoch, c.last}
			all[lane] = f
		}
		for lane, f := range all {
			testkit.Eventually(t, func() bool { return f.reached(t, clients[lane].last+300) }, "ticks")
		}
		if err := p.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lane, f := range all {
			last := f.end(t)
			if f.gaps > 0 {
				t.Errorf("%s: %d gaps", lane, f.gaps)
			}
			clients[lane] = client{clients[lane].epoch, last}
		}
		_ = p.Wait()
	}
}

// TestBarsOfAnotherServer: a server that joins has the bars of one that was there before, also those older than the stream.
func TestBarsOfAnotherServer(t *testing.T) {
	t.Parallel()
	args := []string{"--bus.kind=nats", "--bus.nats.url=" + natstest.New(t, nil).URL(), "--market.rate=500", "--market.seed=7", "--market.warmup=10m"}
	a := startServer(t, append(args, "--bus.node=a", "--data.dir="+t.TempDir())...)
	f := followSSE(t, a.addr, "")
	f.begin(t)
	testkit.Eventually(t, func() bool { return f.reached(t, 100) }, "ticks")
	b := startServer(t, append(args, "--bus.node=b")...)
	const query = "/api/history?symbol=AAPL&interval=1m&limit=50"
	if x, y := a.endedBars(t, query), b.endedBars(t, query); !slices.Equal(x, y) {
		t.Errorf("bars %v, want %v", y, x)
	}
}

// TestSamePast: a server that finds no other one simulates the same past as the first one did.
func TestSamePast(t *testing.T) {
	t.Parallel()
	args := []string{"--bus.kind=nats", "--bus.nats.url=" + natstest.New(t, nil).URL(), "--market.rate=500"}
	const query = "/api/history?symbol=AAPL&interval=1m&limit=50"
	a := startServer(t, append(args, "--market.warmup=10m")...)
	want := a.endedBars(t, query)
	if err := a.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = a.Wait()
	b := startServer(t, append(args, "--market.warmup=20m")...)
	if got := b.endedBars(t, query); len(got) < len(want) || !slices.Equal(got[:len(want)], want) {
		t.Errorf("bars %v, want %v", got, want)
	}
}

// endedBars returns the answer to a question about bars, without the newest bar, which still changes.
func (p *process) endedBars(t *testing.T, query string) []string {
	t.Helper()
	var page struct{ Bars []json.RawMessage }
	p.getJSON(t, query, &page)
	if len(page.Bars) < 2 {
		t.Fatalf("%s: %d bars", query, len(page.Bars))
	}
	var ended []string
	for _, b := range page.Bars[:len(page.Bars)-1] {
		ended = append(ended, string(b))
	}
	return ended
}

// TestOtherMarket: a server with another market than the others of its stream doesn't start, and says which setting differs.
func TestOtherMarket(t *testing.T) {
	t.Parallel()
	args := []string{"--bus.kind=nats", "--bus.nats.url=" + natstest.New(t, nil).URL()}
	a := startServer(t, append(args, "--bus.node=a")...)
	b := startServer(t, append(args, "--bus.node=b")...) // with the random seed of a
	if x, y := a.seed(t), b.seed(t); x == 0 || x != y {
		t.Errorf("seeds %d and %d", x, y)
	}
	for want, arg := range map[string]string{"market.symbols is 60, but 50 on the servers": "--market.symbols=60", "feed.source is ingest, but simulator on the servers": "--feed.source=ingest"} {
		c := exec.Command(a.Path, append([]string{"serve", "--server.addr=127.0.0.1:0", arg}, args...)...)
		c.Env, c.Dir = a.Env, a.Dir
		if text, err := c.CombinedOutput(); err == nil || c.ProcessState.ExitCode() != exitUsage || !strings.Contains(string(text), want) {
			t.Errorf("%s: %v, %s", arg, err, text)
		}
	}
}

// seed returns the seed of the server's market.
func (p *process) seed(t *testing.T) int64 {
	t.Helper()
	var stats struct{ Feed struct{ Seed int64 } }
	p.getJSON(t, "/api/stats", &stats)
	return stats.Feed.Seed
}

// readyz returns the text of /readyz.
func (p *process) readyz(t *testing.T) string {
	t.Helper()
	resp, err := http.Get("http://" + p.addr + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestWithoutNATS: a server that has lost NATS reports why its feed is stale, and goes on by itself. Its clients get every tick.
func TestWithoutNATS(t *testing.T) {
	t.Parallel()
	s := natstest.New(t, nil)
	p := startServer(t, "--bus.kind=nats", "--bus.nats.url="+s.URL(), "--market.rate=500")
	f := followSSE(t, p.addr, "")
	f.begin(t)
	testkit.Eventually(t, func() bool { return f.reached(t, 100) }, "ticks")
	s.Stop()
	testkit.Eventually(t, func() bool {
		return strings.HasPrefix(p.readyz(t), "ready, feed stale: not connected to NATS: check bus.nats.url")
	}, "the feed is stale")
	s.Start()
	testkit.Eventually(t, func() bool {
		text := p.readyz(t)
		if text == "ready, feed stale\n" {
			t.Error("no reason while the feed is stale")
		}
		return text == "ready\n"
	}, "the feed is live")
	f.mu.Lock()
	seq := f.last
	f.mu.Unlock()
	testkit.Eventually(t, func() bool { return f.reached(t, seq+100) }, "ticks")
	if f.gaps > 0 {
		t.Errorf("%d gaps", f.gaps)
	}
}

// TestFailover, in a stress run, ends or stops the server that runs the feed with the usual times: another one goes on within 5 s, and what
// the stopped one sends when it wakes isn't in the log.
func TestFailover(t *testing.T) {
	t.Parallel()
	if !testkit.Stress() {
		return // TestPartition has the same with shorter times
	}
	for _, s := range []syscall.Signal{syscall.SIGKILL, syscall.SIGSTOP} {
		args := []string{"--bus.kind=nats", "--bus.nats.url=" + natstest.New(t, nil).URL(), "--market.rate=500"}
		a := startServer(t, append(args, "--bus.node=a")...)
		b := startServer(t, append(args, "--bus.node=b")...)
		f := followWS(t, b.addr, "")
		f.begin(t)
		testkit.Eventually(t, func() bool { return f.reached(t, 500) }, "ticks")
		a.signal(t, s)
		time.Sleep(100 * time.Millisecond) // what it sent before is read
		f.mu.Lock()
		began, seq := time.Now(), f.last
		f.mu.Unlock()
		testkit.Eventually(t, func() bool { return f.reached(t, seq+100) }, "ticks of the other server")
		took := time.Since(began)
		t.Logf("%v: another server went on after %v", s, took)
		if took > 5*time.Second {
			t.Errorf("%v: %v", s, took)
		}
		if s == syscall.SIGSTOP {
			a.signal(t, syscall.SIGCONT)
			g := followSSE(t, a.addr, "")
			_, head := g.begin(t)
			testkit.Eventually(t, func() bool { return g.reached(t, head+1000) && f.reached(t, head+1000) }, "both have one log")
			testkit.Eventually(t, func() bool { return a.readyz(t) == "ready\n" }, "the server is well again")
		}
		if f.gaps > 0 {
			t.Errorf("%d gaps", f.gaps)
		}
	}
}
