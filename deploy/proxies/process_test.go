//go:build proxies && linux

package proxies

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is a process that the test has started, in a separate process group.
type process struct {
	t    testing.TB
	name string
	cmd  *exec.Cmd
	done chan struct{} // closed once it has ended
	err  error         // of its end; read it after done is closed

	mu  sync.Mutex
	log strings.Builder
}

// start starts a process that ends with the test at the latest. Its log is shown if the test fails.
func start(t testing.TB, dir, name string, args ...string) *process {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		path = filepath.Join("/usr/sbin", name) // not in the PATH of every user
	}
	p := &process{t: t, name: name, cmd: exec.Command(path, args...), done: make(chan struct{})}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, p, p
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM} // also if the test is killed
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "TICKLANE_") {
			p.cmd.Env = append(p.cmd.Env, kv)
		}
	}
	p.cmd.Env = append(p.cmd.Env, "HOME="+dir, "XDG_CONFIG_HOME="+dir, "XDG_DATA_HOME="+dir) // of Caddy
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			p.mu.Lock()
			defer p.mu.Unlock()
			t.Logf("log of %s:\n%s", name, p.log.String())
		}
	})
	return p
}

// Write collects the log.
func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(b)
}

func (p *process) signal(s syscall.Signal) { _ = syscall.Kill(-p.cmd.Process.Pid, s) }

// wait waits for the process to end.
func (p *process) wait() {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(timeout):
		p.t.Errorf("%s still runs", p.name)
	}
}

// stop ends the process and its children.
func (p *process) stop() {
	p.signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
	}
	p.signal(syscall.SIGKILL)
	<-p.done
}

// freePort returns a port of loopback that nothing listens on.
func freePort(t testing.TB) int {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}

// backend is a server that can be restarted at the same address, with its stored bars.
type backend struct {
	*process
	t    testing.TB
	port int
	base string
	data string
}

// newBackend returns a server that isn't started yet.
func newBackend(t testing.TB, base string) *backend {
	return &backend{t: t, port: freePort(t), base: base, data: t.TempDir()}
}

func (b *backend) url() string { return "http://127.0.0.1:" + strconv.Itoa(b.port) + b.base }

// run starts the server with the settings that a proxy needs, and these flags, and waits until it is ready.
func (b *backend) run(flags ...string) {
	b.t.Helper()
	b.process = start(b.t, b.t.TempDir(), binary, append([]string{"serve", "--config", os.DevNull,
		"--server.addr", "127.0.0.1:" + strconv.Itoa(b.port), "--server.base_path", b.base, "--server.hosts", host, "--server.trusted_proxies", "127.0.0.1",
		"--server.admin_addr", "127.0.0.1:0",
		"--data.dir", b.data}, flags...)...)
	until(b.t, "the server to be ready", timeout, func() bool {
		res, err := http.Get("http://127.0.0.1:" + strconv.Itoa(b.port) + "/readyz")
		if err != nil {
			return false
		}
		res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
}
