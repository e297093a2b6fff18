package loadtest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	startTimeout = 30 * time.Second
	stopTimeout  = 15 * time.Second
)

// server is a Ticklane server of our own, on a free loopback port. A fresh one for each slot is the only way to see
// the memory of connections: a process that has served before reuses what it holds.
type server struct {
	cmd  *exec.Cmd
	url  string
	tail *tailWriter   // of its log
	done chan struct{} // closed when the process has ended
	err  error         // its end; valid after done
}

// serverArgs are the settings of a server of our own: steady arrivals, so that rounds are equal, at a rate that leaves two
// cores time to spare with a thousand connections; no config file and no environment, so that the report tells all.
// What --set names replaces these. A side adds its own, see settings; nil for what all have in common.
func serverArgs(o *Options, side *Side) []string {
	set := [][2]string{
		{"server.addr", "127.0.0.1:0"}, {"log.level", "warn"}, {"lab.enabled", strconv.FormatBool(o.needsLab())},
		{"market.rate", "50"}, {"market.arrivals", "steady"}, {"market.warmup", "0s"},
		// A server sees late that a connection was cut, so there must be room for its successor.
		{"limits.connections", strconv.Itoa(2*(o.Conns+o.SlowReaders) + 100)},
	}
	args := []string{"serve", "--config=" + os.DevNull}
	for _, kv := range set {
		if !slices.ContainsFunc(o.Set, func(s string) bool { return strings.HasPrefix(s, kv[0]+"=") }) {
			args = append(args, "--"+kv[0]+"="+kv[1])
		}
	}
	for _, s := range o.Set {
		args = append(args, "--"+s)
	}
	if side != nil {
		args = append(args, side.settings(o)...)
	}
	return args
}

// settings are those of a server that is there for one side. It runs with that side's engine as it would in production,
// and compresses whenever it is asked to, even for one reader.
func (s *Side) settings(o *Options) (args []string) {
	if s.Engine != "" {
		args = append(args, "--stream.engine="+s.Engine)
	}
	if s.Compress && !slices.ContainsFunc(o.Set, func(set string) bool { return strings.HasPrefix(set, "stream.compress=") }) {
		args = append(args, "--stream.compress=on")
	}
	return args
}

// needsLab tells whether a side asks for what only a lab gives: a parameter such as a planted delay. Everything else is
// measured on the server as it runs in production.
func (o *Options) needsLab() bool { return o.QueryA != "" || o.QueryB != "" }

// startServer returns when the server has told its address.
func startServer(ctx context.Context, o *Options, side *Side) (*server, error) {
	args := append(append([]string{}, o.Serve[1:]...), serverArgs(o, side)...)
	s := &server{cmd: exec.Command(o.Serve[0], args...), tail: &tailWriter{}, done: make(chan struct{})}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "TICKLANE_") {
			s.cmd.Env = append(s.cmd.Env, v)
		}
	}
	s.cmd.Stderr = s.tail
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start a server: %w", err)
	}
	endsWithUs(s.cmd)
	told, started := make(chan string, 1), make(chan error)
	go func() {
		// The kernel takes the end of the thread that started a process for the parent's: this one stays until the server ends.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := s.cmd.Start()
		started <- err
		if err != nil {
			return
		}
		defer close(s.done)
		address(out, told)
		s.err = s.cmd.Wait()
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start a server: %w", err)
	}
	limit := time.NewTimer(startTimeout)
	defer limit.Stop()
	select {
	case s.url = <-told:
		return s, nil
	case <-s.done:
		return nil, fmt.Errorf("the server did not start: %s", s.tail)
	case <-limit.C:
		err = fmt.Errorf("the server told no address within %v: %s", startTimeout, s.tail)
	case <-ctx.Done():
		err = ctx.Err()
	}
	return nil, errors.Join(err, s.stop())
}

var addressText = regexp.MustCompile(`https?://\S+:(\d+)`)

// address reads the server's output to its end, and hands over the first address in it.
func address(r io.Reader, told chan<- string) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if m := addressText.FindSubmatch(lines.Bytes()); m != nil {
			select {
			case told <- "http://127.0.0.1:" + string(m[1]):
			default:
			}
		}
	}
	io.Copy(io.Discard, r)
}

// stop ends the server as a service manager does, and by force when it doesn't end.
func (s *server) stop() error {
	if runtime.GOOS == "windows" {
		s.cmd.Process.Kill() // there is no signal to send
		<-s.done
		return nil
	}
	s.cmd.Process.Signal(os.Interrupt) // fails only when it has ended
	limit := time.NewTimer(stopTimeout)
	defer limit.Stop()
	select {
	case <-s.done:
	case <-limit.C:
		s.cmd.Process.Kill()
		<-s.done
		return fmt.Errorf("the server did not stop within %v", stopTimeout)
	}
	if s.err != nil {
		return fmt.Errorf("the server ended with %w: %s", s.err, s.tail)
	}
	return nil
}

// tailWriter keeps the end of what is written to it.
type tailWriter struct {
	mu  sync.Mutex
	buf []byte
}

func (t *tailWriter) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	const most = 2000
	t.buf = append(t.buf, p...)
	if n := len(t.buf); n > most {
		t.buf = append(t.buf[:0], t.buf[n-most:]...)
	}
	return len(p), nil
}

func (t *tailWriter) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.buf) == 0 {
		return "it wrote nothing to its log"
	}
	return string(bytes.TrimSpace(t.buf))
}
