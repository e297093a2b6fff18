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

// patience bounds every wait: reached only by something that is broken, on a machine that is slow and busy besides.
const patience = 2 * time.Minute

// server is the binary, running.
type server struct {
	t    testing.TB
	url  string // such as http://127.0.0.1:40123
	addr string // its host and port
	cmd  *exec.Cmd
	done chan struct{} // closed once the process has ended
	err  error         // of the process, valid then

	mu  sync.Mutex
	log strings.Builder
}

// serve starts the server on a free port of loopback, without the machine's own settings. It is stopped when the test
// ends, and must then end cleanly.
func serve(t testing.TB, flags ...string) *server {
	t.Helper()
	return serveBinary(t, binary, flags...)
}

func serveBinary(t testing.TB, path string, flags ...string) *server {
	t.Helper()
	s := &server{t: t, done: make(chan struct{})}
	s.cmd = exec.Command(path, append([]string{"serve", "--config", os.DevNull, "--server.addr", "127.0.0.1:0"}, flags...)...)
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
	said := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(out).ReadString('\n')
		said <- line
		io.Copy(io.Discard, out)
		s.err = s.cmd.Wait()
		close(s.done)
	}()
	t.Cleanup(s.stop)
	var line string
	select {
	case line = <-said:
	case <-time.After(patience):
	}
	_, url, ok := strings.Cut(strings.TrimSpace(line), " serves on ")
	if !ok {
		t.Fatalf("the server said %q, and on standard error:\n%s", line, s.errors())
	}
	// The address, since a browser may try IPv6 first for the name.
	s.url = strings.Replace(url, "localhost", "127.0.0.1", 1)
	s.addr = strings.TrimPrefix(s.url, "http://")
	return s
}

// Write takes what the server logs.
func (s *server) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(b)
}

func (s *server) errors() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// stop ends the server as an operator would, and expects a clean end.
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
	case <-time.After(patience):
		s.cmd.Process.Kill()
		<-s.done
		s.t.Errorf("the server didn't stop; its log:\n%s", s.errors())
		return
	}
	if s.err != nil {
		s.t.Errorf("the server ended with %v; its log:\n%s", s.err, s.errors())
	}
	for _, bad := range []string{"panic", "level=ERROR"} {
		if strings.Contains(s.errors(), bad) {
			s.t.Errorf("the server's log has %q:\n%s", bad, s.errors())
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

// get reads a JSON answer into v.
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

// until waits for a condition and fails the test if it doesn't come; state says how far it got.
func until(t testing.TB, what string, ok func() (bool, string)) {
	t.Helper()
	beat := time.NewTicker(20 * time.Millisecond)
	defer beat.Stop()
	limit := time.After(patience)
	for {
		good, state := ok()
		if good {
			return
		}
		select {
		case <-beat.C:
		case <-limit:
			t.Fatalf("%s: still not after %s: %s", what, patience, state)
		}
	}
}

// streams waits until so many streams of each lane are open on the server.
func (s *server) streams(sse, ws int) {
	s.t.Helper()
	until(s.t, fmt.Sprintf("%d streams over SSE and %d over WebSocket", sse, ws), func() (bool, string) {
		l := s.stats().Lanes
		return l.SSE.Connections == sse && l.WS.Connections == ws, fmt.Sprintf("%d and %d", l.SSE.Connections, l.WS.Connections)
	})
}
