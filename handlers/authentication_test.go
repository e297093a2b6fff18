package handlers_test

import (
	"encoding/base64"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"ticklane/handlers"
	"ticklane/internal/auth"
	"ticklane/internal/market/ingest"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

// tokens is an Authenticator of fixed tokens. Those with the prefix expired- and revoked- are no longer valid.
type tokens map[string]*auth.Principal

func (all tokens) Verify(token string) (*auth.Principal, error) {
	p := all[token]
	switch {
	case p == nil:
		return nil, fmt.Errorf("%w: unknown", auth.ErrInvalid)
	case strings.HasPrefix(token, "expired-"):
		return p, fmt.Errorf("%w: long ago", auth.ErrExpired)
	case strings.HasPrefix(token, "revoked-"):
		return nil, fmt.Errorf("%w: by its name", auth.ErrRevoked)
	}
	return p, nil
}

// principal returns one with these rights.
func principal(t testing.TB, subject, rights string) *auth.Principal {
	t.Helper()
	r, err := auth.ParseRights([]byte(rights))
	if err != nil {
		t.Fatal(err)
	}
	return &auth.Principal{Subject: subject, TokenID: subject + "-token", Issued: time.Now(), Rights: r}
}

// testTokens returns an Authenticator with a token for each kind of rights.
func testTokens(t testing.TB) tokens {
	t.Helper()
	all := tokens{}
	for name, rights := range map[string]string{
		"reader": `[{"read":["*"]}]`, "nothing": `[]`, "expired-reader": `[{"read":["*"]}]`, "revoked-reader": `[{"read":["*"]}]`,
		"feeder": `[{"write":["*"]}]`, "lab": `[{"may":["lab"]}]`, "metrics": `[{"may":["metrics"]}]`,
		"connections": `[{"may":["connections"]}]`, "reports": `[{"may":["reports"]}]`, "admin": `[{"may":["admin"]}]`,
		"two-streams": `[{"read":["*"],"streams":2}]`, "slow": `[{"read":["*"],"requests":0.001}]`,
	} {
		all[name] = principal(t, name, rights)
	}
	return all
}

// newAuthServer starts a server with testTokens and the lab.
func newAuthServer(t testing.TB, o testserver.Options) *testserver.Server {
	t.Helper()
	more := o.Deps
	o.Deps = func(d *handlers.Deps) {
		d.Auth, d.Lab = testTokens(t), &handlers.Lab{}
		if more != nil {
			more(d)
		}
	}
	return newTestServer(t, o)
}

// runService runs a service until the end of the test.
func runService(t testing.TB, s *auth.Service) {
	done := make(chan struct{})
	go func() { defer close(done); s.Run(t.Context()) }()
	t.Cleanup(func() { <-done }) // the context is done before the cleanups
}

// withToken is the header line of a token.
func withToken(name string) string { return "Authorization: Bearer " + name }

// subprotocolOf is the subprotocol of a token.
func subprotocolOf(token string) string {
	return "ticklane.bearer." + base64.RawURLEncoding.EncodeToString([]byte(token))
}

func TestEveryRouteNeedsCredentials(t *testing.T) {
	t.Parallel()
	srv := newSessionServer(t, testserver.Options{Deps: func(d *handlers.Deps) { d.Lab = &handlers.Lab{} }}, nil)
	open := []string{"/healthz", "/readyz", "/assets/*", "/static/*", "/favicon.ico", "/sign-in", "/sign-out"}
	routes := 0
	for _, r := range srv.Handlers.Routes() {
		if r.Path == "/" && r.Method != "GET" || r.Method == "HEAD" {
			continue // the middleware, and what has a GET
		}
		routes++
		path := strings.NewReplacer(":conn", "x", ":name", "x.html").Replace(r.Path)
		c := srv.Dial()
		c.Request(r.Method, path, "Content-Length: 0")
		want := 401
		for _, o := range open {
			if r.Path == o {
				want = 200
			}
		}
		switch {
		case r.Path == "/ws/subscribe":
			want = 426 // it may send its token later
		case want == 200:
			if (c.Status == 401 || c.Status == 403) && r.Path != "/sign-in" { // a POST without a token
				t.Errorf("%s %s: status %d without credentials", r.Method, r.Path, c.Status)
			}
			continue
		}
		if c.Status != want {
			t.Errorf("%s %s without credentials: status %d, want %d", r.Method, r.Path, c.Status, want)
		}
		if body := c.ReadBody(); want == 401 {
			if p := wantProblem(t, c, body, 401); p.Code != "no_credentials" || c.Header.Get("Www-Authenticate") != `Bearer realm="ticklane"` {
				t.Errorf("%s %s: %s, %v", r.Method, r.Path, body, c.Header)
			}
		}
	}
	if routes < 35 {
		t.Fatalf("%d routes", routes)
	}
}

func TestRightsOfRoutes(t *testing.T) {
	t.Parallel()
	srv := newAuthServer(t, testserver.Options{})
	for path, allowed := range map[string]string{
		"/api/symbols": "reader nothing feeder lab metrics connections reports admin", "/": "reader nothing feeder lab metrics connections reports admin",
		"/metrics": "metrics admin", "/api/stats": "metrics admin", "/api/connections": "reader nothing feeder lab metrics connections reports admin", "/api/lab": "lab admin",
		"/reports": "reports admin", "/api/reports": "reports admin", "/healthz": "reader nothing feeder lab metrics connections reports admin",
	} {
		for _, name := range strings.Fields("reader nothing feeder lab metrics connections reports admin") {
			c, body := srv.Get(path, withToken(name))
			want := !strings.Contains(" "+allowed+" ", " "+name+" ")
			if forbidden := c.Status == 403; forbidden != want {
				t.Errorf("%s as %s: status %d: %.200s", path, name, c.Status, body)
			} else if forbidden {
				if p := wantProblem(t, c, body, 403); p.Code != "forbidden" || c.Header.Get("Www-Authenticate") != `Bearer realm="ticklane", error="insufficient_scope"` {
					t.Errorf("%s as %s: %s, %v", path, name, body, c.Header)
				}
			}
		}
	}
	for _, path := range []string{"/api/lab/rate", "/api/lab/drill", "/api/lab/background"} {
		c, body := srv.Post(path, `{}`, withToken("reader"))
		wantProblem(t, c, body, 403)
	}
	c, body := srv.Post("/api/ingest", "", withToken("reader"))
	wantProblem(t, c, body, 403)
}

func TestRefusedTokens(t *testing.T) {
	t.Parallel()
	srv := newAuthServer(t, testserver.Options{})
	for _, c := range []struct{ header, code, challenge string }{
		{"Authorization: Bearer unknown", "invalid_token", `error="invalid_token", error_description="the token is not valid"`},
		{"Authorization: bearer expired-reader", "expired_token", `error_description="the token has expired"`},
		{"Authorization: Bearer revoked-reader", "revoked_token", `error_description="the token was revoked"`},
		{"Authorization: Basic cmVhZGVyOng=", "no_credentials", `Bearer realm="ticklane"`},
		{"Sec-WebSocket-Protocol: " + subprotocolOf("unknown"), "invalid_token", `error="invalid_token"`},
	} {
		got, body := srv.Get("/api/symbols", c.header)
		if p := wantProblem(t, got, body, 401); p.Code != c.code || !strings.Contains(got.Header.Get("Www-Authenticate"), c.challenge) {
			t.Errorf("%s: %s, %v", c.header, body, got.Header)
		}
		if strings.Contains(body+fmt.Sprint(got.Header), "unknown") {
			t.Errorf("the answer contains the token: %s, %v", body, got.Header)
		}
	}
	for _, lines := range [][]string{
		{"Authorization: Bearer"}, {"Authorization: Bearer reader", "Authorization: Bearer admin"},
		{"Sec-WebSocket-Protocol: ticklane.bearer.%%"}, {"Sec-WebSocket-Protocol: ticklane.bearer."},
		{"Sec-WebSocket-Protocol: " + subprotocolOf("reader") + ", " + subprotocolOf("admin")},
	} {
		got, body := srv.Get("/api/symbols", lines...)
		wantProblem(t, got, body, 400)
	}
}

// TestOrderOfCredentials: the first credential of a request decides, so that a request never acts for another principal than its client meant.
func TestOrderOfCredentials(t *testing.T) {
	t.Parallel()
	srv := newAuthServer(t, testserver.Options{})
	for _, c := range []struct {
		want  int
		lines []string
	}{
		{200, []string{withToken("metrics"), "Sec-WebSocket-Protocol: " + subprotocolOf("reader")}},
		{403, []string{withToken("reader"), "Sec-WebSocket-Protocol: " + subprotocolOf("metrics")}},
		{401, []string{withToken("unknown"), "Sec-WebSocket-Protocol: " + subprotocolOf("metrics")}},
		{200, []string{"Authorization: Basic x", "Sec-WebSocket-Protocol: " + subprotocolOf("metrics")}},
	} {
		if got, body := srv.Get("/api/stats", c.lines...); got.Status != c.want {
			t.Errorf("%v: status %d, want %d: %.200s", c.lines, got.Status, c.want, body)
		}
	}
}

func TestStreamsWithTokens(t *testing.T) {
	onEngines(t, func(t *testing.T, engine string) {
		srv := newAuthServer(t, testserver.Options{Engine: engine})
		c := srv.Dial()
		c.RequestSSE("topics=S0", withToken("reader"))
		c.ReadHello()
		c = srv.Dial()
		c.RequestWS("topics=S0", withToken("reader"))
		c.ReadHello()
		// The page of a browser can only list subprotocols. The one with the token is never chosen.
		for _, list := range []string{"ticklane.v1.json, " + subprotocolOf("reader"), subprotocolOf("reader") + ",ticklane.v1.json"} {
			c = srv.Dial()
			c.RequestWS("topics=S0", "Sec-WebSocket-Protocol: "+list)
			if got := c.Header.Get("Sec-Websocket-Protocol"); got != "ticklane.v1.json" {
				t.Errorf("subprotocol %q", got)
			}
			c.ReadHello()
		}
		for lane, lines := range map[wire.Lane][]string{wire.SSE: nil, wire.WS: testserver.Upgrade} {
			for _, token := range []string{"unknown", "revoked-reader"} {
				c, body := srv.Get("/"+lane.String()+"/subscribe?topics=S0", append(lines, withToken(token))...)
				wantProblem(t, c, body, 401)
			}
		}
		// Without a real subprotocol a browser would close the connection: none could be chosen.
		c, body := srv.Get("/ws/subscribe?topics=S0", append(testserver.Upgrade, "Sec-WebSocket-Protocol: "+subprotocolOf("reader"))...)
		wantProblem(t, c, body, 400)
	})
}

func TestPagesRedirectBrowsersToSignIn(t *testing.T) {
	t.Parallel()
	srv := newAuthServer(t, testserver.Options{Settings: func(s *handlers.Settings) { s.BasePath = "/quotes" }})
	for path, next := range map[string]string{
		"/quotes/": "%2F", "/quotes/compare?lang=de&x=%26": "%2Fcompare%3Flang%3Dde%26x%3D%2526", "/quotes/reports": "%2Freports", "/quotes/sse/home?topics=S0": "%2Fsse%2Fhome%3Ftopics%3DS0",
	} {
		c, _ := srv.Get(path, "Accept: text/html")
		if got := c.Header.Get("Location"); c.Status != 303 || got != "/quotes/sign-in?next="+next || c.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: status %d to %q", path, c.Status, got)
		}
		c, body := srv.Get(path)
		wantProblem(t, c, body, 401)
	}
	if c, _ := srv.Get("/quotes/api/symbols", "Accept: text/html"); c.Status != 401 {
		t.Errorf("status %d", c.Status)
	}
	if c, _ := srv.Get("/quotes/reports", "Accept: text/html", withToken("reader")); c.Status != 403 {
		t.Errorf("status %d", c.Status)
	}
}

func TestNoCredentialsNeeded(t *testing.T) {
	t.Parallel()
	srv := newLabServer(t)
	for _, path := range []string{"/api/symbols", "/metrics", "/api/connections", "/api/lab", "/"} {
		for _, line := range []string{"X: y", withToken("whatever"), "Authorization: Bearer"} {
			if c, body := srv.Get(path, line); c.Status == 401 || c.Status == 403 || c.Status == 400 {
				t.Errorf("%s: status %d: %s", path, c.Status, body)
			}
		}
	}
}

func TestFeedTokenBesideTokens(t *testing.T) {
	t.Parallel()
	source, err := ingest.New(ingest.Options{MaxInstruments: 20, MaxLine: 1000, LogSize: 65536, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	srv := runFeed(t, source, testserver.Options{
		Settings: func(s *handlers.Settings) { s.IngestToken = "feed-secret" },
		Deps:     func(d *handlers.Deps) { d.Auth = testTokens(t) },
	})
	for token, want := range map[string]int{"feed-secret": 200, "feeder": 200, "reader": 403, "unknown": 401} {
		if c, body := srv.Get("/api/ingest?source=a", withToken(token)); c.Status != want {
			t.Errorf("%s: status %d, want %d: %s", token, c.Status, want, body)
		}
		if c, _ := srv.Get("/api/symbols", withToken(token)); token == "feed-secret" && c.Status != 401 {
			t.Errorf("the feed's token reads symbols: status %d", c.Status)
		}
	}
	if c, body := srv.Get("/api/ingest?source=a"); c.Status != 401 {
		t.Errorf("a client on this machine without a token: status %d: %s", c.Status, body)
	}
}

func TestRequestsOfASubject(t *testing.T) {
	t.Parallel()
	srv := newAuthServer(t, testserver.Options{})
	c, body := srv.Get("/api/time", withToken("slow")) // the burst of ten seconds is one request
	if c.Status != 200 {
		t.Fatalf("status %d: %s", c.Status, body)
	}
	c, body = srv.Get("/api/time", withToken("slow"))
	if p := wantProblem(t, c, body, 429); !strings.Contains(p.Detail, "0.001 requests a second of its subject") || c.Header.Get("Retry-After") == "" {
		t.Errorf("%s", body)
	}
	sse := srv.Dial()
	sse.RequestSSE("topics=S0", withToken("slow"))
	sse.WaitFor("bye")
	ws := srv.Dial()
	ws.RequestWS("topics=S0", withToken("slow"), "Origin: http://"+srv.Addr)
	wantEnd(ws, wire.ByeOverload, wire.CloseOverload)
	if c, _ := srv.Get("/api/time", withToken("reader")); c.Status != 200 {
		t.Errorf("another subject: status %d", c.Status)
	}
	for _, path := range []string{"/healthz", "/readyz", "/static/favicon.svg"} { // a page has many files
		if c, _ := srv.Get(path, withToken("slow")); c.Status != 200 {
			t.Errorf("%s: status %d", path, c.Status)
		}
	}
}
