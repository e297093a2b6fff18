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

//go:embed floor/floor.c
var floorSource []byte

// House is where servers come from.
type House struct {
	Ticklane string // the binary
	dir      string // of this run: the floor's binary, working directories
	self     string
}

func newHouse(ticklane string) (*House, error) {
	dir, err := os.MkdirTemp("", "field-")
	if err != nil {
		return nil, err
	}
	h := &House{dir: dir}
	if h.self, err = os.Executable(); err != nil {
		return nil, err
	}
	if h.Ticklane, err = filepath.Abs(ticklane); err != nil {
		return nil, err
	}
	source := filepath.Join(dir, "floor.c")
	if err := os.WriteFile(source, floorSource, 0o600); err != nil {
		return nil, err
	}
	cc, err := compiler()
	if err != nil {
		h.close()
		return nil, err
	}
	if out, err := exec.Command(cc[0], append(cc[1:], "-O2", "-o", h.floor(), source)...).CombinedOutput(); err != nil {
		h.close()
		return nil, fmt.Errorf("the floor is a C program, which %s can't compile (%w); without C's headers: %s\n%s", cc[0], err, howToCompile, out)
	}
	return h, nil
}

const howToCompile = "install them (Debian: apt-get install gcc libc6-dev), or name another compiler with CC=…"

// compiler is the C compiler, with its flags if CC has some.
func compiler() ([]string, error) {
	names := [][]string{strings.Fields(os.Getenv("CC")), {"cc"}, {"gcc"}, {"clang"}}
	if len(names[0]) == 0 {
		names = names[1:]
	} else {
		names = names[:1] // who names one wants no other
	}
	for _, cc := range names {
		if _, err := exec.LookPath(cc[0]); err == nil {
			return cc, nil
		}
	}
	return nil, fmt.Errorf("the floor is a C program, and there is no C compiler (%s) here: %s", names[0][0], howToCompile)
}

func (h *House) floor() string { return filepath.Join(h.dir, "floor") }
func (h *House) close()        { _ = os.RemoveAll(h.dir) }

// Options are what a server is started with besides its shape.
type Options struct {
	Rate   float64  // ticks a second; 0: next to none
	SndBuf int      // send buffer of its sockets; 0: the kernel's own
	Flags  []string // of ticklane
}

// leastRate is the slowest market that Ticklane has.
const leastRate = 0.1

// command is what is run for a shape.
func (h *House) command(s Shape, port int, o Options) []string {
	rate := strconv.FormatFloat(o.Rate, 'f', -1, 64)
	switch s.Kind {
	case "floor":
		join := "0"
		if s.Join {
			join = "1"
		}
		return []string{h.floor(), strconv.Itoa(port), rate, join, strconv.Itoa(o.SndBuf)}
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

// start starts a shape's server and waits until it accepts. A Ticklane that doesn't know a flag of compression is
// asked again without it, as long as none is wanted.
func (h *House) start(ctx context.Context, s Shape, o Options) (*Server, error) {
	var argv []string
	var port int
	var srv *Server
	var err error
	for range 5 { // between the look for a free port and its use somebody else may take it
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

func (h *House) run(ctx context.Context, argv []string, port int) (*Server, error) {
	s := &Server{Argv: argv, Port: port, cmd: exec.Command(argv[0], argv[1:]...), exited: make(chan struct{})}
	s.cmd.Dir = h.dir // no config.yaml of somebody's
	s.cmd.Stderr = &s.stderr
	// A terminal's Ctrl-C is for us alone, so that what was measured until then is kept; whatever ends us ends the server.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		// The kernel takes the end of the thread that started a process for the parent's: this one stays until the server ends.
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
	return nil, errors.New("it doesn't accept connections")
}

func (s *Server) addr() string { return fmt.Sprintf("127.0.0.1:%d", s.Port) }
func (s *Server) pid() int     { return s.cmd.Process.Pid }

// stop ends the server at once: nothing of it is needed any more.
func (s *Server) stop() {
	_ = s.cmd.Process.Kill()
	<-s.exited
}

// died says why a server that should be there isn't.
func (s *Server) died(err error) error {
	s.stop()
	return fmt.Errorf("the server has died: %w\n%s", err, firstLine(s.stderr.String()))
}

// head asks a Ticklane for the newest seq of its log.
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
		return "it ended and said nothing"
	}
	return strings.Join(lines[:min(2, len(lines))], " ")
}
