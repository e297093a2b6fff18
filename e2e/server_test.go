package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// timeout bounds every wait. Only a test that fails reaches it, even on a slow and busy machine.
const timeout = 2 * time.Minute

// server is a running server process.
type server struct {
	t    testing.TB
	url  string // such as http://127.0.0.1:40123, with the base path
	addr string // its host and port
	cmd  *exec.Cmd
	done chan struct{} // closed once the process has exited
	err  error         // of the process; read it after done is closed

	mu  sync.Mutex
	log strings.Builder
}

// quietRate is the market's rate unless a test sets another, in ticks/s. Chromium paints without a GPU here: a page at the default
// of 100 takes most of a core, one at 30 half of it, and one at 10 an eighth.
const quietRate = "10"

// belowPath is the flag of a server that serves everything below a path. Some tests of pages use it, so that each kind of
// request is made there too.
const belowPath = "--server.base_path=/desk/quotes"

// serve starts the server on a free port of loopback, with default settings but the rate, and these flags; it ignores the
// machine's TICKLANE_ variables. The server is stopped when the test ends, and must then exit cleanly.
func serve(t testing.TB, flags ...string) *server {
	t.Helper()
	return serveBinary(t, binary, flags...)
}

func serveBinary(t testing.TB, path string, flags ...string) *server {
	t.Helper()
	s := &server{t: t, done: make(chan struct{})}
	s.cmd = exec.Command(path, append([]string{"serve", "--config", os.DevNull, "--server.addr", "127.0.0.1:0", "--market.rate", quietRate}, flags...)...)
	s.cmd.Dir = t.TempDir()
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "TICKLANE_") {
			s.cmd.Env = append(s.cmd.Env, kv)
		}
	}
	s.cmd.Stderr = s
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	firstLine := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(out).ReadString('\n')
		firstLine <- line
		io.Copy(io.Discard, out)
		s.err = s.cmd.Wait()
		close(s.done)
	}()
	t.Cleanup(s.stop)
	var line string
	select {
	case line = <-firstLine:
	case <-time.After(timeout):
	}
	_, url, ok := strings.Cut(strings.TrimSpace(line), " serves on ")
	if !ok {
		t.Fatalf("first line of output %q, want the address; log:\n%s", line, s.logText())
	}
	// The address, since a browser may try IPv6 first for the name.
	s.url = strings.Replace(url, "localhost", "127.0.0.1", 1)
	s.addr, _, _ = strings.Cut(strings.TrimPrefix(s.url, "http://"), "/")
	return s
}

// Write collects the server's log.
func (s *server) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(b)
}

func (s *server) logText() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// stop sends SIGTERM and waits for the process. An exit status other than 0, a panic or an error in the log fails the
// test. Further calls do nothing.
func (s *server) stop() {
	s.t.Helper()
	select {
	case <-s.done:
		return // stopped by the test
	default:
	}
	s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.done:
	case <-time.After(timeout):
		s.cmd.Process.Kill()
		<-s.done
		s.t.Errorf("server still running %s after SIGTERM; log:\n%s", timeout, s.logText())
		return
	}
	if s.err != nil {
		s.t.Errorf("server exited: %v; log:\n%s", s.err, s.logText())
	}
	for _, bad := range []string{"panic", "level=ERROR"} {
		if strings.Contains(s.logText(), bad) {
			s.t.Errorf("%q in the server's log:\n%s", bad, s.logText())
		}
	}
}

// lane is one lane's part of /api/stats.
type lane struct {
	Connections int    `json:"connections"`
	Opened      uint64 `json:"opened"`
	Ticks       uint64 `json:"ticks"`
	Gaps        uint64 `json:"gaps"`
}

type stats struct {
	Log struct {
		Epoch string `json:"epoch"`
		Head  uint64 `json:"head"`
	} `json:"log"`
	Lanes struct {
		SSE lane `json:"sse"`
		WS  lane `json:"ws"`
	} `json:"lanes"`
}

func (s *server) stats() stats {
	s.t.Helper()
	var v stats
	s.get("/api/stats", &v)
	return v
}

// get requests path and decodes its JSON answer into v.
func (s *server) get(path string, v any) {
	s.t.Helper()
	resp, err := http.Get(s.url + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		s.t.Fatalf("GET %s: %s", path, resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(v); err != nil {
		s.t.Fatalf("GET %s: %v", path, err)
	}
}

// until polls ok until it reports true: at first every 20 ms, and the longer it takes, the more rarely, as each poll takes time
// from the page. After timeout it fails the test with what, which names the condition, and the state that ok returned last.
func until(t testing.TB, what string, ok func() (good bool, state string)) {
	t.Helper()
	start := time.Now()
	for {
		good, state := ok()
		if good {
			return
		}
		waited := time.Since(start)
		if waited > timeout {
			t.Fatalf("%s: not met after %s: %s", what, timeout, state)
		}
		time.Sleep(min(max(20*time.Millisecond, waited/10), 200*time.Millisecond))
	}
}

// streams waits until the server counts so many open streams of each lane.
func (s *server) streams(sse, ws int) {
	s.t.Helper()
	until(s.t, fmt.Sprintf("%d streams over SSE and %d over WebSocket", sse, ws), func() (bool, string) {
		l := s.stats().Lanes
		return l.SSE.Connections == sse && l.WS.Connections == ws, fmt.Sprintf("%d and %d", l.SSE.Connections, l.WS.Connections)
	})
}

// waitTicks waits until the server's log has grown by n ticks.
func (s *server) waitTicks(n uint64) {
	s.t.Helper()
	start := s.stats().Log.Head
	until(s.t, fmt.Sprintf("%d more ticks", n), func() (bool, string) {
		grown := s.stats().Log.Head - start
		return grown >= n, fmt.Sprint(grown)
	})
}
