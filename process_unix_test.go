//go:build unix

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"ticklane/internal/testkit"
)

// TestMain runs the server instead of the tests in the processes that startServer starts.
func TestMain(m *testing.M) {
	if os.Getenv("TEST_SERVE") == "1" {
		main()
		return
	}
	os.Exit(m.Run())
}

// process is a running server.
type process struct {
	*exec.Cmd
	addr string
	out  *bufio.Reader // standard output
}

// startServer starts the real server on a free port. The test's Cleanup kills it.
func startServer(t testing.TB, args ...string) *process {
	t.Helper()
	return startServerLogging(t, t.Output(), args...)
}

// startServerLogging is startServer with its log on standard error.
func startServerLogging(t testing.TB, log io.Writer, args ...string) *process {
	t.Helper()
	p := launchServer(t, log, args...)
	p.awaitReady(t)
	return p
}

// launchServer is startServerLogging without waiting until the server is ready.
func launchServer(t testing.TB, log io.Writer, args ...string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: exec.Command(self, append([]string{"serve", "--server.addr=127.0.0.1:0", "--market.warmup=0s"}, args...)...)}
	environ := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "TICKLANE_") }) // of the tests
	environ = append(environ, "TEST_SERVE=1")
	p.Env, p.Dir, p.Stderr = environ, t.TempDir(), log
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Process.Kill()
		_ = p.Wait()
	})
	p.out = bufio.NewReader(out)
	return p
}

// awaitReady waits until the server prints its address.
func (p *process) awaitReady(t testing.TB) {
	t.Helper()
	line, err := p.out.ReadString('\n')
	_, p.addr, _ = strings.Cut(strings.TrimSpace(line), "://")
	if err != nil || p.addr == "" {
		t.Fatalf("the server printed %q: %v", line, err)
	}
}

// health returns the output of `ticklane health` for the server. The error is that of its exit code.
func (p *process) health() (string, error) {
	c := exec.Command(p.Path, "health", "--server.addr="+p.addr)
	c.Env, c.Dir = p.Env, p.Dir
	text, err := c.CombinedOutput()
	return string(text), err
}

// getJSON decodes the answer to a request.
func (p *process) getJSON(t *testing.T, path string, to any) {
	t.Helper()
	answer, err := http.Get("http://" + p.addr + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(to); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s: %v", path, answer.Status, err)
	}
}

func (p *process) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := p.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// TestSIGHUPDoesNotEndTheProcess checks that a server without a certificate goes on.
func TestSIGHUPDoesNotEndTheProcess(t *testing.T) {
	p := startServer(t)
	for range 3 {
		p.signal(t, syscall.SIGHUP)
		resp, err := http.Get("http://" + p.addr + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	p.signal(t, syscall.SIGTERM)
	if err := p.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
}

// TestDrainDelay checks that /readyz fails for server.drain_delay while streams are still opened, and that the process then
// ends in order.
func TestDrainDelay(t *testing.T) {
	p := startServer(t, "--server.drain_delay=2s")
	ready := func() int {
		resp, err := http.Get("http://" + p.addr + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	if got := ready(); got != http.StatusOK {
		t.Fatalf("/readyz: %d", got)
	}
	if text, err := p.health(); err != nil || text != "ready\n" {
		t.Errorf("ticklane health: %q, %v", text, err)
	}
	begin := time.Now()
	p.signal(t, syscall.SIGTERM)
	testkit.Eventually(t, func() bool { return ready() == http.StatusServiceUnavailable }, "/readyz to fail")
	if text, err := p.health(); err == nil || !strings.Contains(text, "status 503: shutting down") {
		t.Errorf("ticklane health: %q, %v", text, err)
	}
	f := followSSE(t, p.addr, "")
	if hello, err := f.next(); err != nil || !strings.Contains(hello, `"hello"`) {
		t.Errorf("a new stream gets %q, %v", hello, err)
	}
	f.run()
	if f.err == nil || f.err.Error() != "bye shutdown" {
		t.Errorf("the stream ends with %v", f.err)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("the process ends with %v", err)
	}
	if took := time.Since(begin); took < 2*time.Second {
		t.Errorf("it ended after %v", took)
	}
}

// message has the fields of the messages that carry ticks or positions.
type message struct {
	T, Reason   string
	I, From, To uint64
	Time        json.RawMessage `json:"t"` // otherwise it would be matched with T
}

// follower checks the ticks of one stream: each follows the one before or a gap that covers what is missing.
type follower struct {
	next func() (string, error) // returns the next message

	mu   sync.Mutex
	last uint64 // the seq up to which everything is known
	gaps int
	err  error
}

func (f *follower) run() {
	for {
		text, err := f.next()
		var m message
		if err == nil {
			err = json.Unmarshal([]byte(text), &m)
		}
		f.mu.Lock()
		switch {
		case err != nil:
		case m.T == "q" && f.last != 0 && m.I != f.last+1:
			err = fmt.Errorf("tick %d after %d, without a gap", m.I, f.last)
		case m.T == "q":
			f.last = m.I
		case m.T == "gap" && m.From != f.last+1:
			err = fmt.Errorf("a gap from %d to %d after %d", m.From, m.To, f.last)
		case m.T == "gap":
			f.last, f.gaps = m.To, f.gaps+1
		case m.T == "bye":
			err = fmt.Errorf("bye %s", m.Reason)
		}
		f.err = err
		f.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// reached reports whether the stream has got so far. It fails the test once the stream has ended.
func (f *follower) reached(t *testing.T, seq uint64) bool {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		t.Fatal(f.err)
	}
	return f.last >= seq
}

// TestStoppedProcess checks that a server which was stopped, as by SIGSTOP or by a suspended machine, loses no tick of any
// client in silence.
func TestStoppedProcess(t *testing.T) {
	stop := time.Second
	if testkit.Stress() {
		stop = 20 * time.Second
	}
	for _, engine := range []string{"stream", "shard"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			p := startServer(t, "--stream.engine="+engine, "--market.rate=500", "--stream.log_size=256", "--stream.heartbeat=1s", "--stream.write_timeout=1s")
			var all []*follower
			for range 3 {
				all = append(all, followSSE(t, p.addr, ""), followWS(t, p.addr, ""))
			}
			for _, f := range all {
				go f.run()
			}
			wait := func(more uint64) {
				t.Helper()
				all[0].mu.Lock()
				seq := all[0].last + more
				all[0].mu.Unlock()
				for _, f := range all {
					testkit.Eventually(t, func() bool { return f.reached(t, seq) }, "ticks")
				}
			}
			wait(100)
			p.signal(t, syscall.SIGSTOP)
			time.Sleep(stop)
			p.signal(t, syscall.SIGCONT)
			wait(500)
		})
	}
}

func followSSE(t *testing.T, addr, query string) *follower {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/sse/subscribe"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := new(http.Client).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		resp.Body.Close()
	})
	lines := bufio.NewReader(resp.Body)
	return &follower{next: func() (string, error) {
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				return "", err
			}
			if data, ok := strings.CutPrefix(line, "data: "); ok {
				return data, nil
			}
		}
	}}
}

func followWS(t *testing.T, addr, query string) *follower {
	t.Helper()
	nc, buffered, _, err := ws.Dial(t.Context(), "ws://"+addr+"/ws/subscribe"+query)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	var in io.Reader = nc
	if buffered != nil {
		in = io.MultiReader(buffered, nc)
	}
	return &follower{next: func() (string, error) {
		b, _, err := wsutil.ReadServerData(struct {
			io.Reader
			io.Writer
		}{in, nc})
		if errors.Is(err, net.ErrClosed) {
			err = io.EOF
		}
		return string(b), err
	}}
}
