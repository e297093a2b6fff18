package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

//go:embed baseline/baseline.c
var baselineSource []byte

// Launcher starts servers. close must be called.
type Launcher struct {
	Ticklane string // the binary
	dir      string // of this run: the baseline's binary, and the working directory of servers
	self     string
}

func newLauncher(ticklane string) (*Launcher, error) {
	dir, err := os.MkdirTemp("", "field-")
	if err != nil {
		return nil, err
	}
	h := &Launcher{dir: dir}
	if h.self, err = os.Executable(); err != nil {
		return nil, err
	}
	if h.Ticklane, err = filepath.Abs(ticklane); err != nil {
		return nil, err
	}
	source := filepath.Join(dir, "baseline.c")
	if err := os.WriteFile(source, baselineSource, 0o600); err != nil {
		return nil, err
	}
	cc, err := compiler()
	if err != nil {
		h.close()
		return nil, err
	}
	if out, err := exec.Command(cc[0], append(cc[1:], "-O2", "-o", h.baseline(), source)...).CombinedOutput(); err != nil {
		h.close()
		return nil, fmt.Errorf("the baseline is a C program, which %s can't compile (%w); if the C headers are missing: %s\n%s", cc[0], err, howToCompile, out)
	}
	return h, nil
}

const howToCompile = "install them (Debian: apt-get install gcc libc6-dev), or name another compiler with CC=…"

// compiler returns the C compiler, with the flags of CC if it is set.
func compiler() ([]string, error) {
	names := [][]string{strings.Fields(os.Getenv("CC")), {"cc"}, {"gcc"}, {"clang"}}
	if len(names[0]) == 0 {
		names = names[1:]
	} else {
		names = names[:1] // no other than the named one
	}
	for _, cc := range names {
		if _, err := exec.LookPath(cc[0]); err == nil {
			return cc, nil
		}
	}
	return nil, fmt.Errorf("the baseline is a C program, and there is no C compiler (%s): %s", names[0][0], howToCompile)
}

func (h *Launcher) baseline() string { return filepath.Join(h.dir, "baseline") }
func (h *Launcher) close()           { _ = os.RemoveAll(h.dir) }

// Options are what a server is started with besides its spec.
type Options struct {
	Rate   float64  // ticks/s; 0: hardly any
	SndBuf int      // send buffer of its sockets in bytes; 0: the kernel's default
	Flags  []string // of ticklane
}

// leastRate is the lowest market.rate of Ticklane, in ticks/s.
const leastRate = 0.1

// command returns the command line of a server.
func (h *Launcher) command(s Spec, port int, o Options) []string {
	rate := strconv.FormatFloat(o.Rate, 'f', -1, 64)
	switch s.Kind {
	case "baseline":
		join := "0"
		if s.Join {
			join = "1"
		}
		return []string{h.baseline(), strconv.Itoa(port), rate, join, strconv.Itoa(o.SndBuf)}
	case "recipe":
		return []string{h.self, "serve", "-addr", fmt.Sprintf("127.0.0.1:%d", port), "-rate", rate, "-sndbuf", strconv.Itoa(o.SndBuf), s.Name}
	}
	compress := "off"
	if s.Compress {
		compress = "on"
	}
	if o.Rate < leastRate {
		rate = strconv.FormatFloat(leastRate, 'f', -1, 64)
	}
	argv := []string{h.Ticklane, "serve", fmt.Sprintf("--server.addr=127.0.0.1:%d", port), "--market.rate=" + rate, "--market.arrivals=steady",
		"--market.warmup=0s", "--log.level=error", "--stream.engine=" + s.Engine, "--stream.compress=" + compress}
	if o.SndBuf > 0 {
		argv = append(argv, fmt.Sprintf("--stream.write_buffer=%d", o.SndBuf))
	}
	return append(argv, o.Flags...)
}

// Server is a running server.
type Server struct {
	Argv   []string
	Port   int
	cmd    *exec.Cmd
	stderr bytes.Buffer
	exited chan struct{}
}

// start starts a server and waits until it accepts connections. A Ticklane that rejects the compression flag is started
// without it, unless compression is wanted.
func (h *Launcher) start(ctx context.Context, s Spec, o Options) (*Server, error) {
	var argv []string
	var port int
	var srv *Server
	var err error
	for range 5 { // another process may take the free port first
		if port, err = freePort(); err != nil {
			return nil, err
		}
		argv = h.command(s, port, o)
		if srv, err = h.run(ctx, argv, port); err == nil || !strings.Contains(strings.ToLower(err.Error()), "address already in use") {
			break
		}
	}
	if err != nil && s.Kind == "ticklane" && !s.Compress && strings.Contains(err.Error(), "stream.compress") {
		srv, err = h.run(ctx, without(argv, "--stream.compress=off"), port)
	}
	return srv, err
}

func without(argv []string, flag string) []string {
	var out []string
	for _, a := range argv {
		if a != flag {
			out = append(out, a)
		}
	}
	return out
}

func freePort() (int, error) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port, nil
}

func (h *Launcher) run(ctx context.Context, argv []string, port int) (*Server, error) {
	s := &Server{Argv: argv, Port: port, cmd: exec.Command(argv[0], argv[1:]...), exited: make(chan struct{})}
	s.cmd.Dir = h.dir // without a config.yaml
	s.cmd.Stderr = &s.stderr
	// A terminal's Ctrl-C must not reach the server, so that this process can save what was measured. When this process
	// ends, the kernel kills the server.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		// Pdeathsig is sent when the thread that started the process ends, so this thread must live until then.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := s.cmd.Start()
		started <- err
		if err == nil {
			_ = s.cmd.Wait()
			close(s.exited)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		select {
		case <-s.exited:
			return nil, errors.New(firstLine(s.stderr.String()))
		case <-ctx.Done():
			s.stop()
			return nil, ctx.Err()
		default:
		}
		c, err := net.DialTimeout("tcp4", s.addr(), time.Second)
		if err == nil {
			c.Close()
			return s, nil
		}
	}
	s.stop()
	return nil, errors.New("the server doesn't accept connections")
}

func (s *Server) addr() string { return fmt.Sprintf("127.0.0.1:%d", s.Port) }
func (s *Server) pid() int     { return s.cmd.Process.Pid }

// stop kills the server and waits for its end.
func (s *Server) stop() {
	_ = s.cmd.Process.Kill()
	<-s.exited
}

// died returns the error of a server that has ended unexpectedly.
func (s *Server) died(err error) error {
	s.stop()
	return fmt.Errorf("the server has died: %w\n%s", err, firstLine(s.stderr.String()))
}

// head returns the newest seq of a Ticklane server's log.
func (s *Server) head() (uint64, error) {
	client := http.Client{Timeout: 10 * time.Second}
	r, err := client.Get("http://" + s.addr() + "/api/stats")
	if err != nil {
		return 0, err
	}
	defer r.Body.Close()
	var stats struct {
		Log struct{ Head json.Number }
	}
	if err := json.NewDecoder(r.Body).Decode(&stats); err != nil {
		return 0, err
	}
	return strconv.ParseUint(stats.Log.Head.String(), 10, 64)
}

func firstLine(s string) string {
	var lines []string
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return "the server ended without output"
	}
	return strings.Join(lines[:min(2, len(lines))], " ")
}
