package handlers_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"ticklane/handlers"
	"ticklane/internal/quote"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire/wiretest"
)

// builtFiles returns the server's files with two bundles.
func builtFiles() fs.FS {
	all := maps.Clone(testserver.Files())
	for name, text := range map[string]string{
		"manifest.json":         `{"dashboard.js":"/assets/dashboard-AAAAAAAA.js","compare.js":"/assets/compare-AAAAAAAA.js","app.css":"/assets/app-BBBB.css"}`,
		"dashboard-AAAAAAAA.js": strings.Repeat("console.log('a long script');\n", 200),
		"app-BBBB.css":          "body{}",
		"proxies-AAAAAAAA.md":   "# Proxies",
	} {
		all["public/assets/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	return all
}

func TestHostAllowlist(t *testing.T) {
	srv := newTestServer(t, testserver.Options{Settings: func(s *handlers.Settings) {
		s.Addr, s.Hosts = "quotes.example.com:8080", []string{"Desk.Example.COM", "192.0.2.7", "2001:db8::5"}
	}})
	for host, want := range map[string]int{
		srv.Addr: 200, "localhost": 200, "LOCALHOST:3000": 200, "127.0.0.1": 200, "127.9.9.9:1": 200, "[::1]": 200, "[::1]:3000": 200,
		"quotes.example.com": 200, "desk.example.com:1": 200, "192.0.2.7": 200, "[2001:db8::5]:80": 200,
		"evil.example": 421, "localhost.evil.example": 421, "192.0.2.8": 421, "[2001:db8::6]": 421, "127.0.0.1.evil.example:3000": 421,
		"10.0.0.1": 421, "0.0.0.0:3000": 421,
	} {
		for _, path := range []string{"/api/time", "/", "/metrics"} {
			answer, body := srv.Get(path, "Host: "+host)
			if want == 421 {
				wantProblem(t, answer, body, 421)
			} else if answer.Status == 421 {
				t.Errorf("%s of %q: %s", path, host, body)
			}
		}
		for _, path := range []string{"/healthz", "/readyz"} {
			if answer, body := srv.Get(path, "Host: "+host); answer.Status != 200 && answer.Status != 400 {
				t.Errorf("%s of %q: %d %s", path, host, answer.Status, body)
			}
		}
	}
	for _, path := range []string{"/sse/subscribe", "/ws/subscribe"} {
		answer, body := srv.Get(path, append([]string{"Host: evil.example", "Accept: text/event-stream"}, testserver.Upgrade...)...)
		wantProblem(t, answer, body, 421)
	}
	// An absolute request target.
	c := srv.Dial()
	c.Request("GET", "http://evil.example/api/time", "Host: evil.example")
	if c.Status != 421 {
		t.Errorf("absolute form: %d", c.Status)
	}
}

func TestSecurityHeaders(t *testing.T) {
	srv := newTestServer(t, testserver.Options{Deps: func(d *handlers.Deps) { d.Files = builtFiles() }})
	for _, path := range []string{"/", "/sse/home", "/ws/home", "/api/stats", "/nothing", "/static/theme.js"} {
		answer, _ := srv.Get(path, "Accept: text/html")
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := answer.Header.Get(name); got != want {
				t.Errorf("%s: %s %q, want %q", path, name, got, want)
			}
		}
		csp := answer.Header.Get("Content-Security-Policy")
		for _, must := range []string{"default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(csp, must) {
				t.Errorf("%s: %s is not in %q", path, must, csp)
			}
		}
		if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") || strings.Contains(csp, "http:") {
			t.Errorf("%s: %q", path, csp)
		}
	}
}

func TestPages(t *testing.T) {
	srv := newTestServer(t, testserver.Options{Deps: func(d *handlers.Deps) { d.Files = builtFiles() }})
	answer, body := srv.Get("/", "Accept: text/html")
	if answer.Status != 200 || !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") || answer.Header.Get("Cache-Control") != "no-cache" ||
		!strings.Contains(body, `src="/assets/dashboard-AAAAAAAA.js"`) || !strings.Contains(body, `href="/assets/app-BBBB.css"`) {
		t.Errorf("/: %d %v %.500s", answer.Status, answer.Header, body)
	}
	for _, lane := range lanes {
		path := "/" + lane.String() + "/home"
		answer, body = srv.Get(path+"?user=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&topics=S1,S2", "Accept: text/html")
		if answer.Status != 200 || !strings.Contains(body, "/static/"+lane.String()+"-home.js") || !strings.Contains(body, "S1,S2") {
			t.Errorf("%s: %d %.500s", path, answer.Status, body)
		}
		if strings.Contains(body, "<script>") || strings.Contains(body, `"><`+"script") {
			t.Errorf("%s: the user's name is parsed as markup: %s", path, body)
		}
		answer, body = srv.Get(path + "?topics=NOPE&user=%0a")
		if p := wantProblem(t, answer, body, 400); p.Parameter != "user" || len(p.Errors) != 2 {
			t.Errorf("%s: %s", path, body)
		}
	}
}

func TestUnbuiltPage(t *testing.T) {
	srv := newTestServer(t, testserver.Options{})
	answer, body := srv.Get("/", "Accept: text/html")
	if answer.Status != 503 || !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") || !strings.Contains(body, "make build") {
		t.Errorf("%d %v %.300s", answer.Status, answer.Header, body)
	}
	for _, path := range []string{"/static/unbuilt.css", "/sse/home", "/ws/home", "/api/quotes"} {
		if answer, _ := srv.Get(path); answer.Status != 200 {
			t.Errorf("%s: %d", path, answer.Status)
		}
	}
}

func TestErrorFormats(t *testing.T) {
	srv := newTestServer(t, testserver.Options{})
	for _, path := range []string{"/nothing", "/sse/home?topics=NOPE", "/assets/nothing.js", "/sse/connections/x"} {
		answer, body := srv.Get(path, "Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
		if answer.Status < 400 || !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") || !strings.Contains(body, fmt.Sprint(answer.Status)) {
			t.Errorf("%s: %d %v %.300s", path, answer.Status, answer.Header, body)
		}
		answer, body = srv.Get(path)
		wantProblem(t, answer, body, answer.Status)
	}
	for _, path := range []string{"/api/nothing", "/api/history", "/sse/subscribe?limit=0"} {
		answer, body := srv.Get(path, "Accept: text/html")
		wantProblem(t, answer, body, answer.Status)
	}
	// An unsupported method, and a request that isn't HTTP.
	c := srv.Dial()
	c.Request("DELETE", "/api/stats")
	if p := wantProblem(t, c, c.ReadBody(), 405); c.Header.Get("Allow") == "" || p.Detail != "This resource supports "+c.Header.Get("Allow")+"." {
		t.Errorf("405 with Allow %q: %s", c.Header.Get("Allow"), p.Detail)
	}
	c = srv.Dial()
	c.Send("nonsense\r\n\r\n")
	c.ReadHead()
	wantProblem(t, c, c.ReadBody(), 400)
}

func TestStaticFiles(t *testing.T) {
	srv := newTestServer(t, testserver.Options{Deps: func(d *handlers.Deps) { d.Files = builtFiles() }})
	if c, _ := srv.Get("/assets/proxies-AAAAAAAA.md"); c.Status != 200 || c.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("Markdown, which the page links to: %d %v", c.Status, c.Header)
	}
	const path = "/assets/dashboard-AAAAAAAA.js"
	plain, body := srv.Get(path)
	tag := plain.Header.Get("ETag")
	if plain.Status != 200 || plain.Header.Get("Content-Encoding") != "" || !strings.HasPrefix(plain.Header.Get("Content-Type"), "text/javascript") ||
		plain.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" || plain.Header.Get("Vary") != "Accept-Encoding" || len(tag) < 8 {
		t.Errorf("%d %v", plain.Status, plain.Header)
	}
	for _, accept := range []string{"gzip", "br, gzip, deflate", "GZIP;q=0.5", "*"} {
		zipped, small := srv.Get(path, "Accept-Encoding: "+accept)
		if accept == "*" { // either is allowed
			continue
		}
		if zipped.Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("%s: not compressed", accept)
			continue
		}
		r, err := gzip.NewReader(strings.NewReader(small))
		if err != nil {
			t.Fatal(err)
		}
		if all, err := io.ReadAll(r); err != nil || string(all) != body {
			t.Errorf("%s: %v, %d bytes", accept, err, len(all))
		}
	}
	for _, accept := range []string{"", "identity", "gzip;q=0", "br, gzip; q=0.0", "xgzip"} {
		if answer, _ := srv.Get(path, "Accept-Encoding: "+accept); answer.Header.Get("Content-Encoding") != "" {
			t.Errorf("%q: compressed", accept)
		}
	}
	for _, match := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
		c := srv.Dial()
		c.Request("GET", path, "If-None-Match: "+match)
		if c.Status != 304 || c.Header.Get("ETag") != tag {
			t.Errorf("If-None-Match %s: %d", match, c.Status)
		}
		c.Request("GET", "/healthz")
		if c.ReadBody() != "ok\n" {
			t.Error("the connection is out of sync after 304")
		}
	}
	if answer, _ := srv.Get(path, `If-None-Match: "other"`); answer.Status != 200 {
		t.Errorf("another tag: %d", answer.Status)
	}
	head := srv.Dial()
	head.Request("HEAD", path)
	if n := head.Header.Get("Content-Length"); head.Status != 200 || n != fmt.Sprint(len(body)) {
		t.Errorf("HEAD: %d, Content-Length %s", head.Status, n)
	}
	if answer, _ := srv.Get("/static/theme.js"); answer.Header.Get("Cache-Control") != "no-cache" || answer.Header.Get("ETag") == "" {
		t.Errorf("/static: %v", answer.Header)
	}
	for _, path := range []string{"/static/../go.mod", "/static/%2e%2e/go.mod", "/assets/../../main.go", "/static//etc/passwd", "/static/", "/assets/", "/static/..%5cgo.mod"} {
		if answer, body := srv.Get(path); answer.Status != 404 {
			t.Errorf("%s: %d %.80s", path, answer.Status, body)
		}
	}
}

func TestAPI(t *testing.T) {
	srv := newTestServer(t, testserver.Options{})
	srv.Publish(100)
	into := func(path string, v any) *testserver.Client {
		t.Helper()
		answer, body := srv.Get(path)
		if err := json.Unmarshal([]byte(body), v); err != nil || answer.Status != 200 || !strings.HasPrefix(answer.Header.Get("Content-Type"), "application/json") {
			t.Fatalf("%s: %d %v %v %.300s", path, answer.Status, err, answer.Header, body)
		}
		return answer
	}
	var symbols struct {
		Symbols []struct{ Symbol, Name, Sector string }
		Sectors []string
	}
	into("/api/symbols", &symbols)
	if len(symbols.Symbols) != 20 || symbols.Symbols[3].Symbol != "S3" || strings.Join(symbols.Sectors, " ") != "even odd" {
		t.Errorf("%+v", symbols)
	}
	var snap wiretest.Message
	answer := into("/api/quotes?topics=S1,S19,sector:even", &snap)
	if snap.T != "snapshot" || snap.I != 100 || len(snap.Quotes) != 11 || answer.Header.Get("Ticklane-Position") != srv.TickLog.Head().String() {
		t.Errorf("%+v", snap)
	}
	var bars struct {
		Symbol, Interval, Epoch string
		I                       uint64
		Day                     *int64
		More                    bool
		Bars                    []struct {
			T          int64
			O, H, L, C float64
			V          int64
		}
	}
	into("/api/history?symbol=S1&interval=1m&limit=5", &bars)
	if bars.Symbol != "S1" || bars.I != 100 || len(bars.Bars) == 0 || bars.Bars[0].T%60_000_000 != 0 || bars.Bars[0].L > bars.Bars[0].C {
		t.Errorf("%+v", bars)
	}
	var closes struct {
		Interval, Epoch string
		I               uint64
		Lines           []struct {
			Symbol string
			T      int64
			C      []*float64
		}
	}
	into("/api/closes?topics=S1,S3,sector:even&interval=1m&limit=5", &closes)
	if closes.I != 100 || closes.Epoch != bars.Epoch || closes.Interval != "1m" || len(closes.Lines) != 12 {
		t.Errorf("%+v", closes)
	}
	for _, l := range closes.Lines {
		if l.Symbol != "S1" {
			continue
		}
		first, last := bars.Bars[0], bars.Bars[len(bars.Bars)-1]
		if n := len(l.C); n == 0 || n > 5 || l.T+int64(n-1)*60_000_000 != last.T || l.C[n-1] == nil || *l.C[n-1] != last.C || l.T < first.T {
			t.Errorf("%+v\nof %+v", l, bars)
		}
	}
	// Intervals without a tick are null; only the newest limit intervals are returned.
	minute := time.Minute.Microseconds()
	for k, at := range []int64{1, 10, 13} {
		srv.History.Add([]quote.Tick{{Symbol: 19, Due: (30e6 + at) * minute, Last: quote.Price(1000 + k), Seq: 100}})
	}
	_, body := srv.Get("/api/closes?topics=S19&limit=5")
	if want := fmt.Sprintf(`{"symbol":"S19","t":%d,"c":[10.01,null,null,10.02]}`, (int64(30e6)+10)*minute); !strings.Contains(body, want) {
		t.Errorf("%s\nwant %s", body, want)
	}
	newest := bars
	if newest.Day == nil || *newest.Day < newest.Bars[len(newest.Bars)-1].V {
		t.Errorf("the day's volume is less than the newest bar's: %+v", newest)
	}
	into(fmt.Sprintf("/api/history?symbol=S1&interval=1m&limit=5&before=%d", newest.Bars[0].T), &bars)
	for _, b := range bars.Bars {
		if b.T >= newest.Bars[0].T {
			t.Errorf("a bar at %d, want those before %d alone", b.T, newest.Bars[0].T)
		}
	}
	if bars.I != 100 || newest.More != (len(bars.Bars) > 0) {
		t.Errorf("more is %v, and before it are %+v", newest.More, bars)
	}
	into("/api/history?symbol=S1&before=0", &bars)
	if bars.Bars == nil || len(bars.Bars) != 0 || bars.More {
		t.Errorf("before 1970: %+v", bars)
	}
	var now wiretest.Message
	into("/api/time", &now)
	if now.T != "time" || now.Received == 0 || now.Sent < now.Received {
		t.Errorf("%+v", now)
	}
	for path, parameter := range map[string]string{
		"/api/quotes?topics=NOPE":                    "topics",
		"/api/quotes?topics=S1&topics=S2":            "topics",
		"/api/history":                               "symbol",
		"/api/history?symbol=NOPE":                   "symbol",
		"/api/history?symbol=*":                      "symbol",
		"/api/history?symbol=S1&interval=7m":         "interval",
		"/api/history?symbol=S1&interval=":           "interval",
		"/api/history?symbol=S1&limit=0":             "limit",
		"/api/history?symbol=S1&limit=50001":         "limit",
		"/api/history?symbol=S1&from=today":          "from",
		"/api/history?symbol=S1&to=-5":               "to",
		"/api/history?symbol=S1&from=9&to=8":         "to",
		"/api/history?symbol=S1&from=1795344690":     "from",
		"/api/history?symbol=S1&to=1795344690300":    "to",
		"/api/history?symbol=S1&from=9&before=8":     "before",
		"/api/history?symbol=S1&before=9&to=9":       "to",
		"/api/history?symbol=S1&format=xml":          "format",
		"/api/history?symbol=S1&limit=-1":            "limit",
		"/api/history?symbol=S1&before=":             "before",
		"/api/history?symbol=S1&before=-1":           "before",
		"/api/history?symbol=S1&before=yesterday":    "before",
		"/api/history?symbol=S1&limit=1&limit=2":     "limit",
		"/api/history?symbol=S1&symbol=S2&limit=1":   "symbol",
		"/api/history?symbol=%0d%0aSet-Cookie:%20x=": "symbol",
		"/api/closes?topics=NOPE":                    "topics",
		"/api/closes?limit=501":                      "limit",
		"/api/closes?interval=2m":                    "interval",
	} {
		answer, body := srv.Get(path)
		if p := wantProblem(t, answer, body, 400); p.Parameter != parameter {
			t.Errorf("%s: %s", path, body)
		}
	}
}

// TestBodyIsNotInflated checks that a compressed body is rejected: a few kilobytes may inflate to gigabytes.
func TestBodyIsNotInflated(t *testing.T) {
	srv := newTestServer(t, testserver.Options{})
	c := srv.SSE("")
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	w.Write([]byte(`{"action":"time","later":"` + strings.Repeat("x", 1<<20) + `"}`))
	w.Close()
	answer, body := srv.PostCommand(c.Hello.Conn, zipped.String(), "Content-Encoding: gzip")
	p := wantProblem(t, answer, body, 415)
	if !strings.Contains(p.Detail, "Content-Encoding") {
		t.Errorf("%s", body)
	}
	if answer, _ := srv.PostCommand(c.Hello.Conn, `{"action":"time"}`, "Content-Encoding: identity"); answer.Status != 200 {
		t.Errorf("identity: %d", answer.Status)
	}
}

// TestPagesNameTheirFeed: a live feed or a replay is never called a simulated market.
func TestPagesNameTheirFeed(t *testing.T) {
	texts := []string{"SIMULATED MARKET", "REPLAY of a.csv", "LIVE FEED"}
	for source, want := range map[string]string{"simulator": texts[0], "replay": texts[1], "ingest": texts[2]} {
		srv := newTestServer(t, testserver.Options{Deps: func(d *handlers.Deps) {
			d.Files, d.Feed = builtFiles(), handlers.FeedInfo{Source: source, File: "a.csv"}
		}})
		for _, path := range []string{"/", "/compare", "/sse/home", "/nothing"} {
			_, body := srv.Get(path, "Accept: text/html")
			for _, text := range texts {
				if strings.Contains(body, text) != (text == want) {
					t.Errorf("%s of a %s: %q there: %v", path, source, text, text != want)
				}
			}
		}
	}
}

// TestPagesOfferTheLabToThoseWhoMayUseIt checks what the comparison knows of a lab, by the rights and the address of a request.
func TestPagesOfferTheLabToThoseWhoMayUseIt(t *testing.T) {
	built := func(d *handlers.Deps) { d.Files = builtFiles() }
	srv := newAuthServer(t, testserver.Options{Deps: built})
	beside, _ := newAdminServer(t, testserver.Options{Deps: built}, onLoopback)
	for _, x := range []struct {
		srv   *testserver.Server
		token string
		may   bool
	}{{srv, "lab", true}, {srv, "reader", false}, {srv, "admin", true}, {beside, "", false}, {newTestServer(t, testserver.Options{Deps: func(d *handlers.Deps) {
		built(d)
		d.Lab = &handlers.Lab{}
	}}), "", true}} {
		_, body := x.srv.Get("/compare", "Accept: text/html", withToken(x.token))
		if may, denied := strings.Contains(body, `"lab":true`), strings.Contains(body, `"lab":false,"labDenied":true`); may != x.may || denied == x.may {
			t.Errorf("token %q: offered %v, denied %v", x.token, may, denied)
		}
		if hidden := strings.Contains(body, `id="lab" hidden`); hidden == x.may {
			t.Errorf("token %q: controls hidden %v", x.token, hidden)
		}
	}
}
