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

// server is a Ticklane server that the test started, on a free loopback port. Each window has a fresh one, since only then
// the memory of its connections can be measured: a process that has served before reuses its memory.
type server struct {
	cmd  *exec.Cmd
	url  string
	log  *tailWriter
	done chan struct{} // closed when the process has ended
	err  error         // of Wait; valid after done
}

// serverArgs returns the arguments of a server: steady arrivals, so that rounds are equal, at a rate that leaves two cores
// idle time with a thousand connections; no config file and no environment, so that the report is complete. --set
// overrides them. v adds its own settings; nil returns those that all servers have in common.
func serverArgs(o *Options, v *Variant) []string {
	set := [][2]string{
		{"server.addr", "127.0.0.1:0"}, {"log.level", "warn"}, {"lab.enabled", strconv.FormatBool(o.needsLab())},
		{"market.rate", "50"}, {"market.arrivals", "steady"}, {"market.warmup", "0s"},
		// A server notices late that a connection was cut, so there must be room for the next one.
		{"limits.connections", strconv.Itoa(2*(o.Conns+o.SlowReaders) + 100)},
		{"limits.accept_rate", "0"}, // all connections are opened at once
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
	if v != nil {
		args = append(args, v.settings(o)...)
	}
	return args
}

// settings returns the arguments of a variant's server: it runs with the variant's engine as in production, and compresses
// whenever a client offers it, even for a single one.
func (v *Variant) settings(o *Options) (args []string) {
	if v.Engine != "" {
		args = append(args, "--stream.engine="+v.Engine)
	}
	if v.Compress && !slices.ContainsFunc(o.Set, func(set string) bool { return strings.HasPrefix(set, "stream.compress=") }) {
		args = append(args, "--stream.compress=on")
	}
	return args
}

// startServer starts a server and waits until it has printed its address.
func startServer(ctx context.Context, o *Options, v *Variant) (*server, error) {
	args := append(append([]string{}, o.Serve[1:]...), serverArgs(o, v)...)
	s := &server{cmd: exec.Command(o.Serve[0], args...), log: &tailWriter{}, done: make(chan struct{})}
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "TICKLANE_") {
			s.cmd.Env = append(s.cmd.Env, variable)
		}
	}
	s.cmd.Stderr = s.log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start a server: %w", err)
	}
	killWithParent(s.cmd)
	printed, started := make(chan string, 1), make(chan error)
	go func() {
		// Pdeathsig is sent when the thread that started the process ends, so this thread must live until then.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := s.cmd.Start()
		started <- err
		if err != nil {
			return
		}
		defer close(s.done)
		readAddress(out, printed)
		s.err = s.cmd.Wait()
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start a server: %w", err)
	}
	limit := time.NewTimer(startTimeout)
	defer limit.Stop()
	select {
	case s.url = <-printed:
		return s, nil
	case <-s.done:
		return nil, fmt.Errorf("the server did not start: %s", s.log)
	case <-limit.C:
		err = fmt.Errorf("the server printed no address within %v: %s", startTimeout, s.log)
	case <-ctx.Done():
		err = ctx.Err()
	}
	return nil, errors.Join(err, s.stop())
}

var addressPattern = regexp.MustCompile(`https?://\S+:(\d+)`)

// readAddress reads the server's output to its end, and sends the first address in it.
func readAddress(r io.Reader, printed chan<- string) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if m := addressPattern.FindSubmatch(lines.Bytes()); m != nil {
			select {
			case printed <- "http://127.0.0.1:" + string(m[1]):
			default:
			}
		}
	}
	_, _ = io.Copy(io.Discard, r)
}

// stop interrupts the server, as a service manager does, and kills it if it doesn't end within stopTimeout.
func (s *server) stop() error {
	if runtime.GOOS == "windows" {
		_ = s.cmd.Process.Kill() // which has no such signal
		<-s.done
		return nil
	}
	_ = s.cmd.Process.Signal(os.Interrupt) // fails only if it has ended already
	limit := time.NewTimer(stopTimeout)
	defer limit.Stop()
	select {
	case <-s.done:
	case <-limit.C:
		_ = s.cmd.Process.Kill()
		<-s.done
		return fmt.Errorf("the server did not stop within %v", stopTimeout)
	}
	if s.err != nil {
		return fmt.Errorf("the server ended with %w: %s", s.err, s.log)
	}
	return nil
}

// tailWriter keeps the end of what is written to it. It is safe for concurrent use.
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
		return "its log is empty"
	}
	return string(bytes.TrimSpace(t.buf))
}
