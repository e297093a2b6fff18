package handlers_test

import (
	"encoding/json"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ticklane/handlers"
	"ticklane/internal/audit"
	"ticklane/internal/auth"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

// sessionServer is a server with the tokens of a file, and what comes with them.
type sessionServer struct {
	*testserver.Server
	service *auth.Service
	audit   *auditLog
	token   map[string]string // secrets by name: reader, admin, short (expires in a minute)
}

func newSessionServer(t testing.TB, o testserver.Options, with func(*auth.Options)) *sessionServer {
	t.Helper()
	s := &sessionServer{token: map[string]string{}, audit: newAuditLog(t)}
	var all []auth.Token
	for name, rights := range map[string]string{"reader": `[{"read":["*"]}]`, "admin": `[{"may":["admin"]}]`, "short": `[{"read":["*"]}]`} {
		r, err := auth.ParseRights([]byte(rights))
		if err != nil {
			t.Fatal(err)
		}
		expires := time.Time{}
		if name == "short" {
			expires = time.Now().Add(time.Minute)
		}
		entry, secret := auth.NewToken(name, r, expires)
		all, s.token[name] = append(all, entry), secret
	}
	file := filepath.Join(t.TempDir(), "tokens.yaml")
	if err := auth.WriteTokens(file, all); err != nil {
		t.Fatal(err)
	}
	set := auth.Options{Mode: auth.ModeToken, TokenFile: file}
	if with != nil {
		with(&set)
	}
	var err error
	if s.service, err = auth.New(set); err != nil {
		t.Fatal(err)
	}
	more := o.Deps
	o.Deps = func(d *handlers.Deps) {
		d.Auth, d.Sessions, d.Tickets, d.Revoked, d.OIDC, d.Audit = s.service.Verifier, s.service.Sessions, s.service.Tickets, s.service.Revocations, s.service.OIDC, s.audit.log
		if more != nil {
			more(d)
		}
	}
	s.Server = newTestServer(t, o)
	return s
}

// own is the header line of a request by a page of the server.
func (s *sessionServer) own() string { return "Origin: http://" + s.Addr }

const form = "Content-Type: application/x-www-form-urlencoded"

// signIn posts the form of the sign-in page and returns the answer and the session's cookie.
func (s *sessionServer) signIn(token, next string, lines ...string) (c *testserver.Client, cookie string) {
	s.Helper()
	body := url.Values{"token": {token}, "next": {next}}.Encode()
	c, _ = s.Post("/sign-in", body, append([]string{form, s.own(), "Accept: text/html"}, lines...)...)
	return c, cookieOf(c)
}

// cookieOf returns the header line that sends an answer's first cookie back, "" if there is none.
func cookieOf(c *testserver.Client) string {
	value, _, _ := strings.Cut(c.Header.Get("Set-Cookie"), ";")
	if value == "" {
		return ""
	}
	return "Cookie: " + value
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	srv := newSessionServer(t, testserver.Options{}, nil)
	c, body := srv.Get("/sign-in?next=/compare%3Fx=%2522", "Accept: text/html")
	if c.Status != 200 || !strings.Contains(body, `value="/compare?x=%22"`) || c.Header.Get("Cache-Control") != "no-store" ||
		!strings.Contains(c.Header.Get("Content-Security-Policy"), "form-action 'self'") || c.Header.Get("Referrer-Policy") != "same-origin" {
		t.Fatalf("status %d, %v: %s", c.Status, c.Header, body)
	}
	c, cookie := srv.signIn(srv.token["reader"], "/compare?x=%22")
	set := c.Header.Get("Set-Cookie")
	if c.Status != 303 || c.Header.Get("Location") != "/compare?x=%22" || !strings.HasPrefix(set, "ticklane=") || strings.Contains(strings.ToLower(set), "secure") {
		t.Fatalf("status %d, %v", c.Status, c.Header)
	}
	for _, want := range []string{"path=/", "HttpOnly", "SameSite=Strict", "max-age=12"} {
		if !strings.Contains(set, want) {
			t.Errorf("%s: no %s", set, want)
		}
	}
	srv.audit.wait(audit.SignIn, map[string]any{"subject": "reader", "token": "reader", "decision": "allowed", "address": "127.0.0.1"})
	for _, path := range []string{"/", "/api/symbols"} {
		c, body := srv.Get(path, cookie, "Accept: text/html")
		if c.Status != 200 && c.Status != 503 { // unbuilt pages
			t.Errorf("%s: status %d: %.200s", path, c.Status, body)
		}
		if got := c.Header.Get("Cache-Control"); got != "private, no-cache" {
			t.Errorf("%s: Cache-Control %q: a shared cache may keep it", path, got)
		}
	}
	for _, lane := range lanes {
		c := srv.Dial()
		c.RequestStream(lane, "topics=S0", cookie, srv.own())
		c.ReadHello()
	}
	// Somebody who is signed in needs no second sign-in.
	if c, _ := srv.Get("/sign-in?next=/docs", cookie); c.Status != 303 || c.Header.Get("Location") != "/docs" {
		t.Errorf("status %d to %s", c.Status, c.Header.Get("Location"))
	}
	// Credentials of other kinds aren't mixed up: a session is no bearer token.
	value := strings.TrimPrefix(cookie, "Cookie: ticklane=")
	if c, _ := srv.Get("/api/symbols", withToken(value)); c.Status != 401 {
		t.Errorf("a session as a bearer token: status %d", c.Status)
	}
	if c, _ := srv.Get("/api/symbols", "Cookie: ticklane="+srv.token["reader"]); c.Status != 401 {
		t.Errorf("a token as a session: status %d", c.Status)
	}
	if c, _ := srv.Get("/api/symbols?token=" + srv.token["reader"]); c.Status != 401 {
		t.Errorf("a token in the URL: status %d", c.Status)
	}
	if c, _ := srv.signIn("", "/"); c.Status != 401 {
		t.Errorf("a sign-in without a token: status %d", c.Status)
	}
}

func TestSignInRefused(t *testing.T) {
	t.Parallel()
	srv := newSessionServer(t, testserver.Options{}, nil)
	wrong := "tl_" + strings.Repeat("x", 43)
	c, body := srv.Post("/sign-in", "token="+wrong+"&next=//evil.example", form, srv.own())
	if c.Status != 401 || cookieOf(c) != "" || c.Header.Get("Www-Authenticate") != `Bearer realm="ticklane"` || !strings.Contains(body, `role="alert"`) ||
		strings.Contains(body, "evil.example") || strings.Contains(body, wrong) {
		t.Errorf("status %d, %v: %s", c.Status, c.Header, body)
	}
	srv.audit.wait(audit.SignIn, map[string]any{"decision": "denied", "address": "127.0.0.1"})
	for _, line := range []string{"Origin: http://evil.example", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site", "Origin: null", "Origin: http://localhost:1"} {
		c, body := srv.Post("/sign-in", "token="+srv.token["reader"], form, line)
		if wantProblem(t, c, body, 403); cookieOf(c) != "" {
			t.Errorf("%s: signed in", line)
		}
	}
	// The query is part of logs and histories.
	if c, _ := srv.Post("/sign-in?token="+srv.token["reader"], "", form, srv.own()); c.Status != 401 {
		t.Errorf("a token in the query: status %d", c.Status)
	}
}

func TestNextIsAPathOfThisServer(t *testing.T) {
	t.Parallel()
	srv := newSessionServer(t, testserver.Options{Settings: func(s *handlers.Settings) { s.BasePath = "/quotes" }}, nil)
	for next, want := range map[string]string{
		"/docs": "/docs", "/?symbol=A%2FB": "/?symbol=A%2FB", "": "/", "//evil.example": "/", "/\\evil.example": "/", "https://evil.example/": "/",
		"javascript:alert(1)": "/", "/\tevil": "/", "/a\r\nX: y": "/", "/sign-in": "/", "/sign-out": "/", "docs": "/", "/%zz": "/", "/a\x00": "/",
		"/../other": "/", "/x/%2E%2e/../other?a#b": "/", "/..": "/", "/x/..\\..\\secret": "/", "/docs?a=/../b": "/docs?a=/../b",
	} {
		body := url.Values{"token": {srv.token["reader"]}, "next": {next}}.Encode()
		c, _ := srv.Post("/quotes/sign-in", body, form, srv.own())
		if got := c.Header.Get("Location"); got != "/quotes"+want {
			t.Errorf("next %q leads to %q, want %q", next, got, want)
		}
	}
}

// TestSessionsOfBasePaths: servers below two paths of one host have each its own cookie.
func TestSessionsOfBasePaths(t *testing.T) {
	t.Parallel()
	srv := newSessionServer(t, testserver.Options{Settings: func(s *handlers.Settings) { s.BasePath = "/desk/quotes" }}, nil)
	c, _ := srv.Post("/desk/quotes/sign-in", url.Values{"token": {srv.token["reader"]}}.Encode(), form, srv.own())
	cookie := cookieOf(c)
	if !strings.HasPrefix(cookie, "Cookie: ticklane.desk.quotes=") {
		t.Fatalf("status %d, cookie %q", c.Status, cookie)
	}
	if c, _ := srv.Get("/desk/quotes/api/symbols", cookie); c.Status != 200 {
		t.Errorf("status %d with the cookie", c.Status)
	}
	if c, _ := srv.Get("/desk/quotes/api/symbols", strings.Replace(cookie, ".desk.quotes", "", 1)); c.Status != 401 {
		t.Errorf("status %d with the cookie of another server", c.Status)
	}
	c, _ = srv.Post("/desk/quotes/sign-out", "", form, srv.own(), cookie, "Accept: text/html")
	if set := c.Header.Get("Set-Cookie"); c.Status != 303 || c.Header.Get("Location") != "/desk/quotes/sign-in" || !strings.HasPrefix(set, "ticklane.desk.quotes=;") {
		t.Errorf("sign-out: status %d, cookie %q", c.Status, set)
	}
}

func TestCookieNames(t *testing.T) {
	t.Parallel()
	srv := newSessionServer(t, testserver.Options{Settings: func(s *handlers.Settings) {
		s.Hosts, s.TrustedProxies = []string{"quotes.example"}, []string{"127.0.0.1"}
	}}, nil)
	body := "token=" + srv.token["reader"]
	for name, c := range map[string]struct {
		lines  []string
		cookie string // "" if the sign-in is refused
	}{
		"a trusted proxy with TLS":      {[]string{"Host: quotes.example", "X-Forwarded-Proto: https", "Origin: https://quotes.example"}, "__Host-ticklane="},
		"a trusted proxy without TLS":   {[]string{"Host: quotes.example", "X-Forwarded-Proto: http", "Origin: http://quotes.example"}, ""},
		"another proxy with TLS":        {[]string{"Host: quotes.example", "Origin: https://quotes.example"}, "__Host-ticklane="},
		"another machine without TLS":   {[]string{"Host: quotes.example", "Origin: http://quotes.example"}, ""},
		"this machine":                  {[]string{"Host: localhost", "Origin: http://localhost"}, "ticklane="},
		"a proxy with TLS on this host": {[]string{"Host: localhost", "X-Forwarded-Proto: https", "Origin: https://localhost"}, "__Host-ticklane="},
	} {
		got, text := srv.Post("/sign-in", body, append(c.lines, form)...)
		set := got.Header.Get("Set-Cookie")
		if c.cookie == "" {
			if got.Status != 403 || set != "" || !strings.Contains(text, "HTTPS") {
				t.Errorf("%s: status %d, cookie %q", name, got.Status, set)
			}
			continue
		}
		if got.Status != 303 || !strings.HasPrefix(set, c.cookie) || strings.Contains(strings.ToLower(set), "secure") != strings.HasPrefix(c.cookie, "__Host-") || !strings.Contains(set, "path=/;") {
			t.Errorf("%s: status %d, cookie %q", name, got.Status, set)
		}
		if got, _ := srv.Get("/api/symbols", append(c.lines[:len(c.lines)-1:len(c.lines)-1], cookieOf(got))...); got.Status != 200 {
			t.Errorf("%s: status %d with the cookie", name, got.Status)
		}
	}
	// A page of another host of the domain can set a cookie without the prefix.
	_, cookie := srv.signIn(srv.token["reader"], "/")
	if c, _ := srv.Get("/api/symbols", "Host: quotes.example", "X-Forwarded-Proto: https", cookie); c.Status != 401 {
		t.Errorf("a cookie without prefix over HTTPS: status %d", c.Status)
	}
}

// TestCookiesOfForeignPages: a browser adds the cookie to requests of any page of the host, whatever its port.
func TestCookiesOfForeignPages(t *testing.T) {
	t.Parallel()
	srv := newSessionServer(t, testserver.Options{Settings: func(s *handlers.Settings) { s.Origins = []string{"http://listed.example"} }}, nil)
	_, cookie := srv.signIn(srv.token["reader"], "/")
	own, foreign, listed := srv.own(), "Origin: http://localhost:1", "Origin: http://listed.example"
	navigation := []string{"Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"}
	for name, c := range map[string]struct {
		method, path string
		lines        []string
		want         int
	}{
		"own page":                        {"GET", "/api/symbols", []string{"Sec-Fetch-Site: same-origin"}, 200},
		"address bar":                     {"GET", "/api/symbols", []string{"Sec-Fetch-Site: none"}, 200},
		"program":                         {"GET", "/api/symbols", nil, 200},
		"link on another site":            {"GET", "/docs", append(navigation, "Sec-Fetch-Site: cross-site"), 200},
		"frame of another port":           {"GET", "/docs", []string{"Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"}, 403},
		"image of another port":           {"GET", "/api/symbols", []string{"Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"}, 403},
		"fetch of another port":           {"GET", "/api/symbols", []string{foreign, "Sec-Fetch-Site: same-site"}, 403},
		"fetch of an old browser":         {"GET", "/api/symbols", []string{foreign}, 403},
		"listed, but without credentials": {"GET", "/api/symbols", []string{listed, "Sec-Fetch-Site: cross-site"}, 403},
		"event stream of another port":    {"GET", "/sse/subscribe", []string{foreign, "Sec-Fetch-Site: same-site", "Accept: text/event-stream"}, 403},
		"form of another port":            {"POST", "/api/ticket", append(navigation, foreign, "Sec-Fetch-Site: same-site"), 403},
		"form with a null origin":         {"POST", "/api/ticket", []string{"Origin: null"}, 403},
		"post without a page":             {"POST", "/api/ticket", nil, 403},
		"post of the own page":            {"POST", "/api/ticket", []string{own}, 200},
		"post by Fetch Metadata alone":    {"POST", "/api/ticket", []string{"Sec-Fetch-Site: same-origin"}, 200},
		"sign-out by another port":        {"POST", "/sign-out", []string{foreign, "Sec-Fetch-Site: same-site"}, 403},
		"socket of another port":          {"GET", "/ws/subscribe", append([]string{foreign, "Sec-Fetch-Site: same-site"}, testserver.Upgrade...), 403},
		"socket without a page":           {"GET", "/ws/subscribe", testserver.Upgrade, 403},
		"socket of the own page":          {"GET", "/ws/subscribe", append([]string{own}, testserver.Upgrade...), 101},
	} {
		got := srv.Dial()
		got.Request(c.method, c.path, append([]string{cookie, "Content-Length: 0"}, c.lines...)...)
		if got.Status != c.want {
			t.Errorf("%s: status %d, want %d", name, got.Status, c.want)
		}
		if c.want == 403 {
			if p := wantProblem(t, got, got.ReadBody(), 403); p.Code != "foreign_page" {
				t.Errorf("%s: %+v", name, p)
			}
		}
	}
	if c, _ := srv.Get("/api/symbols", cookie); c.Status != 200 {
		t.Errorf("the session has ended: status %d", c.Status)
	}
	allowed := newSessionServer(t, testserver.Options{Settings: func(s *handlers.Settings) {
		s.Origins, s.CORSCredentials = []string{"http://listed.example"}, true
	}}, nil)
	_, cookie = allowed.signIn(allowed.token["reader"], "/")
	for _, line := range []string{listed, foreign} {
		c, _ := allowed.Get("/api/symbols", cookie, line)
		if ok := c.Status == 200 && c.Header.Get("Access-Control-Allow-Credentials") == "true"; ok != (line == listed) {
			t.Errorf("%s: status %d, %v", line, c.Status, c.Header)
		}
	}
}

// TestLinksOfOtherSites: a link on another site leads to a page of this server, which requests the same address again. Then the
// browser sends the cookie.
func TestLinksOfOtherSites(t *testing.T) {
	t.Parallel()
	srv := newSessionServer(t, testserver.Options{Settings: func(s *handlers.Settings) { s.BasePath = "/quotes" }}, nil)
	link := []string{"Accept: text/html", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"}
	c, body := srv.Get("/quotes/compare?a=%22%3E&b", append(link, "Sec-Fetch-Site: cross-site")...)
	if c.Status != 200 || !strings.Contains(body, `content="0;url=/quotes/compare?a=%22%3E&amp;b"`) || c.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("status %d: %s", c.Status, body)
	}
	for _, site := range []string{"same-origin", "none"} {
		if c, _ := srv.Get("/quotes/compare", append(link, "Sec-Fetch-Site: "+site)...); c.Status != 303 {
			t.Errorf("%s: status %d", site, c.Status)
		}
	}
}

func TestSignOut(t *testing.T) {
	t.Parallel()
	srv := newSessionServer(t, testserver.Options{}, nil)
	_, cookie := srv.signIn(srv.token["reader"], "/")
	_, other := srv.signIn(srv.token["reader"], "/")
	if c, body := srv.Get("/sign-out", "Accept: text/html", cookie); c.Status != 200 || !strings.Contains(body, `action="/sign-out"`) {
		t.Errorf("status %d: %s", c.Status, body)
	}
	c, _ := srv.Post("/sign-out", "", form, cookie, srv.own(), "Accept: text/html")
	if set := c.Header.Get("Set-Cookie"); c.Status != 303 || c.Header.Get("Location") != "/sign-in" || !strings.HasPrefix(set, "ticklane=;") || !strings.Contains(set, "1970") {
		t.Errorf("status %d, %v", c.Status, c.Header)
	}
	srv.audit.wait(audit.SignOut, map[string]any{"subject": "reader"})
	// The cookie is worthless for those who have copied it; another session of the same token goes on.
	c, body := srv.Get("/api/symbols", cookie)
	if p := wantProblem(t, c, body, 401); p.Code != "revoked_token" {
		t.Errorf("%s", body)
	}
	if c, _ := srv.Get("/api/symbols", other); c.Status != 200 {
		t.Errorf("another session: status %d", c.Status)
	}
	if c, _ := srv.Post("/sign-out", "", other, srv.own()); c.Status != 204 {
		t.Errorf("by a script: status %d", c.Status)
	}
	if c, _ := srv.Post("/sign-out", "", srv.own()); c.Status != 204 {
		t.Errorf("without a session: status %d", c.Status)
	}
}

func TestSessionAndRenewal(t *testing.T) {
	t.Parallel()
	srv := newSessionServer(t, testserver.Options{}, nil)
	_, cookie := srv.signIn(srv.token["reader"], "/")
	type answer struct {
		Subject, Token, Kind string
		May                  []string
		Expires              int64
	}
	decode := func(c *testserver.Client, body string) (a answer) {
		t.Helper()
		if err := json.Unmarshal([]byte(body), &a); err != nil || c.Status != 200 || c.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("status %d: %s", c.Status, body)
		}
		return a
	}
	a := decode(srv.Get("/api/session", cookie))
	if a.Subject != "reader" || a.Token != "reader" || a.Kind != "cookie" || len(a.May) != 0 || time.Until(time.UnixMicro(a.Expires)) < 11*time.Hour {
		t.Errorf("%+v", a)
	}
	if a := decode(srv.Get("/api/session", withToken(srv.token["admin"]))); a.Kind != "bearer" || len(a.May) != 5 || a.Expires != 0 {
		t.Errorf("%+v", a)
	}
	var c *testserver.Client
	testkit.Eventually(t, func() bool { // sessions end at whole seconds
		var body string
		c, body = srv.Post("/api/session/renew", "", cookie, srv.own())
		if c.Status != 200 { // not renewable: its end is the same
			return false
		}
		renewed := decode(c, body)
		return renewed.Subject == "reader" && renewed.Expires > a.Expires
	}, "a later end")
	if c, _ := srv.Get("/api/session", cookieOf(c)); c.Status != 200 {
		t.Errorf("the renewed session: status %d", c.Status)
	}
	_, short := srv.signIn(srv.token["short"], "/")
	for name, lines := range map[string][]string{"a session as long as its token": {short, srv.own()}, "a token": {withToken(srv.token["reader"])}} {
		c, body := srv.Post("/api/session/renew", "", lines...)
		if p := wantProblem(t, c, body, 409); p.Code != "not_renewable" || cookieOf(c) != "" {
			t.Errorf("%s: %s", name, body)
		}
	}
	// A server that requires no credentials has none of it.
	for _, path := range []string{"/sign-in", "/sign-out", "/api/session"} {
		if c, _ := newLabServer(t).Get(path); c.Status != 404 {
			t.Errorf("%s without authentication: status %d", path, c.Status)
		}
	}
}

func TestExpiredSession(t *testing.T) {
	t.Parallel()
	srv := newSessionServer(t, testserver.Options{}, func(o *auth.Options) { o.SessionTime = time.Second })
	_, cookie := srv.signIn(srv.token["reader"], "/")
	testkit.Eventually(t, func() bool {
		c, _ := srv.Get("/api/session", cookie)
		return c.Status == 401
	}, "the end of the session")
	for path, code := range map[string]string{"/api/symbols": "expired_token", "/api/session": "expired_token"} {
		c, body := srv.Get(path, cookie)
		if p := wantProblem(t, c, body, 401); p.Code != code {
			t.Errorf("%s: %s", path, body)
		}
	}
	c, body := srv.Post("/api/session/renew", "", cookie, srv.own())
	if p := wantProblem(t, c, body, 401); p.Code != "expired_token" || cookieOf(c) != "" {
		t.Errorf("an expired session was renewed: %s", body)
	}
	if c, _ := srv.Get("/", cookie, "Accept: text/html"); c.Status != 303 {
		t.Errorf("a page: status %d", c.Status)
	}
}

func TestTickets(t *testing.T) {
	onEngines(t, func(t *testing.T, engine string) {
		srv := newSessionServer(t, testserver.Options{Engine: engine, Settings: func(s *handlers.Settings) { s.Origins = []string{"https://other.example"} }}, nil)
		issue := func(lines ...string) string {
			t.Helper()
			c, body := srv.Post("/api/ticket", "", append(lines, withToken(srv.token["reader"]))...)
			var a struct {
				Ticket  string
				Expires int64
			}
			if err := json.Unmarshal([]byte(body), &a); err != nil || c.Status != 200 || a.Ticket == "" || c.Header.Get("Cache-Control") != "no-store" {
				t.Fatalf("status %d: %s", c.Status, body)
			}
			if left := time.Until(time.UnixMicro(a.Expires)); left <= 0 || left > 30*time.Second {
				t.Errorf("a ticket of %s", left)
			}
			return a.Ticket
		}
		for _, lane := range lanes {
			for name, origins := range map[string][2]string{
				"a program": {"X: y", "X: y"}, "a page of another site": {"Origin: https://other.example", "Origin: https://other.example"},
				"a page of this server": {srv.own(), "X: y"}, // its GET has no Origin
			} {
				ticket := issue(origins[0])
				c := srv.Dial()
				c.RequestStream(lane, "topics=S0&ticket="+ticket, origins[1])
				c.ReadHello()
				lines := []string{origins[1]}
				if lane == wire.WS {
					lines = append(lines, testserver.Upgrade...)
				}
				again, body := srv.Get("/"+lane.String()+"/subscribe?topics=S0&ticket="+ticket, lines...)
				if p := wantProblem(t, again, body, 401); p.Code != "invalid_token" || !strings.Contains(p.Detail, "ticket was used already") || strings.Contains(body, ticket) {
					t.Errorf("%s: a used ticket: %s", name, body)
				}
			}
		}
		stolen := issue("Origin: https://other.example")
		c, body := srv.Get("/sse/subscribe?ticket=" + stolen)
		wantProblem(t, c, body, 401)
		// The server's memory of the request is used by the next ones of the connection.
		connection := srv.Dial()
		connection.Post("/api/ticket", "", withToken(srv.token["reader"]), "Origin: https://other.example")
		var kept struct{ Ticket string }
		if err := json.Unmarshal([]byte(connection.ReadBody()), &kept); err != nil {
			t.Fatal(err)
		}
		connection.Post("/api/ticket", "", withToken(srv.token["reader"]), "Origin: https://thief.example")
		connection.ReadBody()
		c = srv.Dial()
		c.RequestSSE("topics=S0&ticket="+kept.Ticket, "Origin: https://other.example")
		c.ReadHello()
		// A ticket opens a stream and nothing else.
		if c, _ := srv.Get("/api/quotes?topics=S0&ticket=" + issue()); c.Status != 401 {
			t.Errorf("quotes by a ticket: status %d", c.Status)
		}
	})
}

func TestRevocations(t *testing.T) {
	t.Parallel()
	srv := newSessionServer(t, testserver.Options{}, nil)
	_, cookie := srv.signIn(srv.token["reader"], "/")
	c, body := srv.Post("/api/revocations", `{"jti":"reader"}`, withToken(srv.token["reader"]))
	wantProblem(t, c, body, 403)
	for _, bad := range []string{``, `{}`, `[]`, `{"jti":"a","subject":"b"}`, `{"jit":"a"}`, `{"before":"2027-01-01T00:00:00Z"}`, `{"jti":"a","expires":"2020-01-01T00:00:00Z"}`} {
		c, body := srv.Post("/api/revocations", bad, withToken(srv.token["admin"]))
		wantProblem(t, c, body, 400)
	}
	if c, body := srv.Post("/api/revocations", `{"jti":"reader","reason":"left"}`, withToken(srv.token["admin"])); c.Status != 204 {
		t.Fatalf("status %d: %s", c.Status, body)
	}
	srv.audit.wait(audit.Action, map[string]any{"subject": "admin", "route": "POST /api/revocations", "revoked_token": "reader"})
	for _, line := range []string{cookie, withToken(srv.token["reader"])} {
		c, body := srv.Get("/api/symbols", line)
		if p := wantProblem(t, c, body, 401); p.Code != "revoked_token" {
			t.Errorf("%s", body)
		}
	}
}
