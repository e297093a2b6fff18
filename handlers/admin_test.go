package handlers_test

import (
	"net"
	"slices"
	"strings"
	"testing"

	"ticklane/handlers"
	"ticklane/internal/testkit/testserver"
)

// newAdminServer starts a server with an admin address, and returns it and the same server at that address.
func newAdminServer(t testing.TB, o testserver.Options, listener func(net.Listener) net.Listener) (srv, admin *testserver.Server) {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	more := o.Deps
	o.Deps = func(d *handlers.Deps) {
		d.Lab, d.Admin = &handlers.Lab{}, listener(ln)
		if more != nil {
			more(d)
		}
	}
	srv = newTestServer(t, o)
	return srv, &testserver.Server{TB: t, Addr: ln.Addr().String(), Handlers: srv.Handlers, Settings: srv.Settings}
}

// otherMachine is a listener whose address isn't one of loopback, for what depends on that.
type otherMachine struct{ net.Listener }

func (otherMachine) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1} }

func onLoopback(ln net.Listener) net.Listener { return ln }

var adminPaths = []string{"/metrics", "/api/stats", "/api/connections", "/api/cluster", "/api/lab", "/debug/pprof/", "/debug/pprof/goroutine?debug=1"}

func TestAdminAddress(t *testing.T) {
	t.Parallel()
	for name, deps := range map[string]func(*handlers.Deps){
		"without authentication": func(*handlers.Deps) {}, "with authentication": func(d *handlers.Deps) { d.Auth = testTokens(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv, admin := newAdminServer(t, testserver.Options{Deps: deps, Settings: func(s *handlers.Settings) {
				s.BasePath, s.Origins, s.CORSCredentials = "/quotes", []string{"https://listed.example"}, true
			}}, onLoopback)
			for _, path := range adminPaths {
				if c, body := admin.Get(path); c.Status != 200 || len(body) == 0 {
					t.Errorf("%s on the admin address: status %d: %.200s", path, c.Status, body)
				}
				c, body := srv.Get("/quotes"+path, withToken("admin"))
				wantProblem(t, c, body, 404)
			}
			if c, _ := admin.Post("/api/lab/background", `{"sse":0,"ws":0}`); c.Status != 409 { // this test server can't start clients
				t.Errorf("lab on the admin address: status %d", c.Status)
			}
			for _, path := range []string{"/", "/api/symbols", "/sse/subscribe", "/ws/subscribe", "/debug/pprof/cmdline"} {
				if c, _ := admin.Get(path, withToken("admin")); c.Status != 404 {
					t.Errorf("%s on the admin address: status %d", path, c.Status)
				}
			}
			for _, s := range []*testserver.Server{srv, admin} {
				for _, path := range []string{"/readyz", "/static/favicon.svg"} {
					if c, _ := s.Get("/quotes" + path); c.Status != 200 {
						t.Errorf("%s: status %d", path, c.Status)
					}
				}
			}
			// A page of another port of this machine, and one that may send credentials: here it would need none.
			for _, line := range []string{"Sec-Fetch-Site: same-site", "Origin: http://localhost:1", "Origin: https://listed.example"} {
				if c, _ := admin.Get("/debug/pprof/profile?seconds=1", line); c.Status != 403 {
					t.Errorf("%s: status %d", line, c.Status)
				}
				if c, _ := admin.Post("/api/lab/background", `{"sse":0,"ws":0}`, line); c.Status != 403 {
					t.Errorf("%s: status %d of a POST", line, c.Status)
				}
			}
			// A foreign page that reaches the address through another name.
			if c, _ := admin.Get("/metrics", "Host: rebound.example"); c.Status != 421 {
				t.Errorf("a foreign Host: status %d", c.Status)
			}
		})
	}
}

func TestAdminAddressOfOtherMachines(t *testing.T) {
	t.Parallel()
	_, admin := newAdminServer(t, testserver.Options{Deps: func(d *handlers.Deps) { d.Auth = testTokens(t) }},
		func(ln net.Listener) net.Listener { return otherMachine{ln} })
	for _, path := range adminPaths {
		for line, want := range map[string]int{"X: y": 401, withToken("reader"): 403, withToken("metrics"): 403, withToken("admin"): 200} {
			if c, body := admin.Get(path, line, "Host: 192.0.2.1:1"); c.Status != want {
				t.Errorf("%s with %s: status %d, want %d: %.200s", path, line, c.Status, want, body)
			}
		}
	}
	if c, _ := admin.Get("/healthz", "Host: 192.0.2.1:1"); c.Status != 200 {
		t.Errorf("a probe: status %d", c.Status)
	}
}

func TestProfilesNeedARight(t *testing.T) {
	t.Parallel()
	if c, _ := newLabServer(t).Get("/debug/pprof/heap"); c.Status != 404 {
		t.Errorf("without authentication and admin address: status %d", c.Status)
	}
	srv := newAuthServer(t, testserver.Options{})
	if c, _ := srv.Get("/debug/pprof/heap", withToken("reader")); c.Status != 403 {
		t.Errorf("reader: status %d", c.Status)
	}
	if c, body := srv.Get("/debug/pprof/heap?debug=1", withToken("metrics")); c.Status != 200 || !strings.Contains(body, "heap profile") {
		t.Errorf("metrics: status %d: %.100s", c.Status, body)
	}
	paths := []string{}
	for _, r := range newLabServer(t).Handlers.Routes() {
		paths = append(paths, r.Path)
	}
	if slices.Contains(paths, "/debug/pprof/*") {
		t.Error("the profiler is registered on a server that requires no credentials")
	}
}

func TestAdminAddressShutsDown(t *testing.T) {
	t.Parallel()
	srv, admin := newAdminServer(t, testserver.Options{}, onLoopback)
	c := admin.Dial()
	c.Request("GET", "/healthz")
	c.ReadBody()
	if err := srv.Stop(testserver.Timeout); err != nil {
		t.Fatal(err)
	}
	if _, err := net.Dial("tcp", admin.Addr); err == nil {
		t.Error("the admin address still accepts")
	}
	if _, err := c.Reader.ReadByte(); err == nil {
		t.Error("the connection is still open")
	}
}
