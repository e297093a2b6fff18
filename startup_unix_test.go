//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"ticklane/internal/config"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/natstest"
)

// freeAddr returns an address that nothing listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// launchWaiting starts a server whose NATS server doesn't answer, and waits until it answers requests.
func launchWaiting(t *testing.T, nats string, args ...string) *process {
	t.Helper()
	addr := freeAddr(t)
	p := launchServer(t, t.Output(), append([]string{"--server.addr=" + addr, "--bus.kind=nats", "--bus.nats.url=" + nats}, args...)...)
	p.addr = addr
	testkit.Eventually(t, func() bool {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return false
		}
		c.Close()
		return true
	}, "the server to listen")
	return p
}

// requester makes requests, each on a new connection.
type requester struct {
	http.Client
	url string
}

func newRequester(url string) *requester {
	return &requester{http.Client{Transport: &http.Transport{TLSClientConfig: insecure, DisableKeepAlives: true}, Timeout: time.Minute}, url}
}

// do returns the answer to a request with header fields.
func (a *requester) do(t *testing.T, method, path string, fields ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, a.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		r.Header.Set(name, value)
	}
	answer, err := a.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(text)
}

// TestAnswersWhileStarting: a server that waits for NATS answers every kind of request with that, on all of its addresses. Once NATS is there,
// it serves on the same ports.
func TestAnswersWhileStarting(t *testing.T) {
	t.Parallel()
	secure := config.Server{TLSCert: filepath.Join(t.TempDir(), "cert.pem"), TLSKey: filepath.Join(t.TempDir(), "key.pem")}
	writeCertificate(t, secure, 1)
	for name, c := range map[string]struct {
		scheme, base string
		args         []string
	}{
		"stream":    {"http", "", nil},
		"shard":     {"http", "", []string{"--stream.engine=shard"}},
		"TLS":       {"https", "", []string{"--server.tls_cert=" + secure.TLSCert, "--server.tls_key=" + secure.TLSKey}},
		"base path": {"http", "/quotes", []string{"--server.base_path=/quotes"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			nats := natstest.New(t, nil)
			nats.Stop()
			_, host, _ := strings.Cut(nats.URL(), "://")
			admin := freeAddr(t)
			p := launchWaiting(t, "nats://user:sesame@"+host, append(c.args, "--server.admin_addr="+admin)...)
			main, root := newRequester(c.scheme+"://"+p.addr+c.base), newRequester(c.scheme+"://"+p.addr)
			reason := "starting: waiting for NATS (nats://" + host + ": nats: no servers available for connection)\n"
			for _, a := range []*requester{main, root, newRequester("http://" + admin)} {
				if answer, text := a.do(t, http.MethodGet, "/healthz"); answer.StatusCode != 200 || text != reason || !answer.Close {
					t.Errorf("%s/healthz: %s %q", a.url, answer.Status, text)
				}
				answer, text := a.do(t, http.MethodGet, "/readyz")
				if answer.StatusCode != 503 || text != reason || answer.Header.Get("Retry-After") == "" || !answer.Close {
					t.Errorf("%s/readyz: %s %q %v", a.url, answer.Status, text, answer.Header)
				}
			}
			checkRefusals(t, main)
			if c.base != "" {
				if answer, _ := root.do(t, http.MethodGet, "/api/quotes"); answer.StatusCode != 404 {
					t.Errorf("outside of the base path: %s", answer.Status)
				}
			}
			if c.scheme == "http" {
				if text, err := p.health(); err == nil || !strings.Contains(text, "status 503: "+strings.TrimSpace(reason)) {
					t.Errorf("ticklane health: %q, %v", text, err)
				}
			}
			nats.Start()
			p.awaitReady(t)
			for _, a := range []*requester{main, newRequester("http://" + admin)} {
				if answer, text := a.do(t, http.MethodGet, "/readyz"); answer.StatusCode != 200 || !strings.HasPrefix(text, "ready") {
					t.Errorf("%s/readyz after the start: %s %q", a.url, answer.Status, text)
				}
			}
			if _, text := main.do(t, http.MethodGet, "/sse/subscribe?limit=1", "Accept: text/event-stream"); !strings.Contains(text, `"T":"hello"`) {
				t.Errorf("a stream after the start: %q", text)
			}
			if name == "stream" || name == "shard" {
				followWS(t, p.addr, "").begin(t)
			}
		})
	}
}

var byeOfStart = regexp.MustCompile(`^retry: (\d+)\nevent: bye\ndata: {"T":"bye","reason":"overload","retry":(\d+)}\n\n$`)

// checkRefusals checks the answers that aren't those of probes.
func checkRefusals(t *testing.T, a *requester) {
	t.Helper()
	answer, text := a.do(t, http.MethodGet, "/sse/subscribe?topics=AAPL", "Accept: text/event-stream")
	if m := byeOfStart.FindStringSubmatch(text); answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "text/event-stream" || m == nil || m[1] != m[2] || !answer.Close {
		t.Errorf("an event stream: %s %v %q", answer.Status, answer.Header, text)
	}
	answer, text = a.do(t, http.MethodGet, "/", "Accept: text/html,*/*;q=0.8")
	if answer.StatusCode != 503 || answer.Header.Get("Refresh") == "" || !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") ||
		!strings.Contains(text, "<h1>The server is starting</h1>") || !strings.Contains(text, ">waiting for NATS<") || !answer.Close {
		t.Errorf("a page: %s %v %q", answer.Status, answer.Header, text)
	}
	for path, fields := range map[string][]string{
		"/sse/subscribe": nil,
		"/api/quotes":    {"Accept: text/html"},
		"/ws/subscribe":  {"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="},
	} {
		answer, text := a.do(t, http.MethodGet, path, fields...)
		var problem struct {
			Status        int
			Title, Detail string
		}
		if err := json.Unmarshal([]byte(text), &problem); err != nil || answer.StatusCode != 503 || problem.Status != 503 || answer.Header.Get("Retry-After") == "" || !answer.Close ||
			answer.Header.Get("Content-Type") != "application/problem+json" || problem.Detail != "The server is starting: waiting for NATS. Try again in 2 s." {
			t.Errorf("%s: %s %v %q, %v", path, answer.Status, answer.Header, text, err)
		}
	}
}

// TestClientsAtTheHandOver: while the server takes over its port, every request is answered: before with 503, after with 200.
func TestClientsAtTheHandOver(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"stream", "shard"} {
		nats := natstest.New(t, nil)
		nats.Stop()
		p := launchWaiting(t, nats.URL(), "--stream.engine="+engine)
		newRequester("http://"+p.addr).do(t, http.MethodGet, "/healthz")
		var clients errgroup.Group
		for range 8 {
			clients.Go(func() error {
				a := newRequester("http://" + p.addr)
				for ready := 0; ready < 20; {
					answer, err := a.Get(a.url + "/api/time")
					if err != nil {
						return err
					}
					_, err = io.Copy(io.Discard, answer.Body)
					answer.Body.Close()
					switch {
					case err != nil:
						return err
					case answer.StatusCode == 200:
						ready++
					case answer.StatusCode != 503 || ready > 0:
						return fmt.Errorf("%s after %d answers of the server", answer.Status, ready)
					}
				}
				return nil
			})
		}
		nats.Start()
		if err := clients.Wait(); err != nil {
			t.Errorf("%s: %v", engine, err)
		}
		p.awaitReady(t)
	}
}

// TestSilentNATS: a NATS server that accepts connections and sends nothing is reported, and SIGTERM ends the start.
func TestSilentNATS(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	p := launchWaiting(t, "nats://"+silent.Addr().String())
	a := newRequester("http://" + p.addr)
	testkit.Eventually(t, func() bool {
		_, text := a.do(t, http.MethodGet, "/readyz")
		return strings.HasPrefix(text, "starting: waiting for NATS (nats://"+silent.Addr().String()+": ") && strings.Contains(text, "timeout")
	}, "the reason")
	// An endless body is neither read nor a reason to reset the connection before the answer was read.
	c, err := net.Dial("tcp", p.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Minute))
	go func() {
		_, _ = io.WriteString(c, "POST /api/ingest HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
		for chunk := fmt.Sprintf("%x\r\n%s\r\n", 1<<10, strings.Repeat(" ", 1<<10)); ; {
			if _, err := io.WriteString(c, chunk); err != nil {
				return
			}
		}
	}()
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || answer.StatusCode != 503 {
		t.Errorf("a body without end: %v, %v", answer, err)
	}
	p.signal(t, syscall.SIGTERM)
	if err := p.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
}

// TestPortsStayOpen: while a server serves anew, because the stream was replaced, its ports accept connections, also when that happens again at once.
func TestPortsStayOpen(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"stream", "shard"} {
		nats := natstest.New(t, nil)
		admin := freeAddr(t)
		p := startServer(t, "--bus.kind=nats", "--bus.nats.url="+nats.URL(), "--stream.engine="+engine, "--server.admin_addr="+admin)
		js := natstest.JetStream(t, nats.URL())
		var dialing errgroup.Group
		done := make(chan struct{})
		for _, addr := range []string{p.addr, admin} {
			dialing.Go(func() error {
				for {
					c, err := net.Dial("tcp", addr)
					if err != nil {
						return err
					}
					c.Close()
					select {
					case <-done:
						return nil
					case <-time.After(time.Millisecond):
					}
				}
			})
		}
		a := newRequester("http://" + p.addr)
		epoch := func() string {
			_, text := a.do(t, http.MethodGet, "/sse/subscribe?limit=1", "Accept: text/event-stream")
			if m := epochOfHello.FindStringSubmatch(text); m != nil {
				return m[1]
			}
			return ""
		}
		for range 3 {
			var before string
			testkit.Eventually(t, func() bool { before = epoch(); return before != "" }, "a stream")
			if err := js.DeleteStream(t.Context(), "ticklane_ticks"); err != nil {
				t.Fatal(err)
			}
			testkit.Eventually(t, func() bool { now := epoch(); return now != "" && now != before }, "another epoch")
		}
		close(done)
		if err := dialing.Wait(); err != nil {
			t.Errorf("%s: %v", engine, err)
		}
		if _, text := newRequester("http://"+admin).do(t, http.MethodGet, "/readyz"); !strings.HasPrefix(text, "ready") {
			t.Errorf("%s: server.admin_addr: %q", engine, text)
		}
	}
}
