package handlers

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

	"ticklane/internal/quote"
)

// built are the server's files with a bundle of two.
func built() fs.FS {
	all := maps.Clone(slim().(fstest.MapFS))
	for name, text := range map[string]string{
		"manifest.json":         `{"dashboard.js":"/assets/dashboard-AAAAAAAA.js","compare.js":"/assets/compare-AAAAAAAA.js","app.css":"/assets/app-BBBB.css"}`,
		"dashboard-AAAAAAAA.js": strings.Repeat("console.log('a long script');\n", 200),
		"app-BBBB.css":          "body{}",
	} {
		all["public/assets/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	return all
}

func TestHostAllowlist(t *testing.T) {
	h := open(t, plan{settings: func(s *Settings) {
		s.Addr, s.Hosts = "quotes.example.com:8080", []string{"Desk.Example.COM", "192.0.2.7", "2001:db8::5"}
	}})
	for host, want := range map[string]int{
		h.addr: 200, "localhost": 200, "LOCALHOST:3000": 200, "127.0.0.1": 200, "127.9.9.9:1": 200, "[::1]": 200, "[::1]:3000": 200,
		"quotes.example.com": 200, "desk.example.com:1": 200, "192.0.2.7": 200, "[2001:db8::5]:80": 200,
		"evil.example": 421, "localhost.evil.example": 421, "192.0.2.8": 421, "[2001:db8::6]": 421, "127.0.0.1.evil.example:3000": 421,
		"10.0.0.1": 421, "0.0.0.0:3000": 421,
	} {
		for _, path := range []string{"/api/time", "/", "/metrics"} {
			answer, body := h.get(path, "Host: "+host)
			if want == 421 {
				told(t, answer, body, 421)
			} else if answer.status == 421 {
				t.Errorf("%s of %q: %s", path, host, body)
			}
		}
		for _, path := range []string{"/healthz", "/readyz"} {
			if answer, body := h.get(path, "Host: "+host); answer.status != 200 && answer.status != 400 {
				t.Errorf("%s of %q: %d %s", path, host, answer.status, body)
			}
		}
	}
	for _, path := range []string{"/sse/subscribe", "/ws/subscribe"} {
		answer, body := h.get(path, append([]string{"Host: evil.example", "Accept: text/event-stream"}, upgrade...)...)
		told(t, answer, body, 421)
	}
	// The request line's own host counts, too.
	c := h.dial()
	c.ask("GET", "http://evil.example/api/time", "Host: evil.example")
	if c.status != 421 {
		t.Errorf("absolute form: %d", c.status)
	}
}

func TestSecurityHeaders(t *testing.T) {
	h := open(t, plan{deps: func(d *Deps) { d.Files = built() }})
	for _, path := range []string{"/", "/sse/home", "/ws/home", "/api/stats", "/nothing", "/static/theme.js"} {
		answer, _ := h.get(path, "Accept: text/html")
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := answer.header.Get(name); got != want {
				t.Errorf("%s: %s %q, want %q", path, name, got, want)
			}
		}
		csp := answer.header.Get("Content-Security-Policy")
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
	h := open(t, plan{deps: func(d *Deps) { d.Files = built() }})
	answer, body := h.get("/", "Accept: text/html")
	if answer.status != 200 || !strings.HasPrefix(answer.header.Get("Content-Type"), "text/html") || answer.header.Get("Cache-Control") != "no-cache" ||
		!strings.Contains(body, `src="/assets/dashboard-AAAAAAAA.js"`) || !strings.Contains(body, `href="/assets/app-BBBB.css"`) {
		t.Errorf("/: %d %v %.500s", answer.status, answer.header, body)
	}
	for _, lane := range lanes {
		path := "/" + lane.String() + "/home"
		answer, body = h.get(path+"?user=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&topics=S1,S2", "Accept: text/html")
		if answer.status != 200 || !strings.Contains(body, "/static/"+lane.String()+"-home.js") || !strings.Contains(body, "S1,S2") {
			t.Errorf("%s: %d %.500s", path, answer.status, body)
		}
		if strings.Contains(body, "<script>") || strings.Contains(body, `"><`+"script") {
			t.Errorf("%s: the user's name is markup: %s", path, body)
		}
		answer, body = h.get(path + "?topics=NOPE&user=%0a")
		if p := told(t, answer, body, 400); p.Parameter != "user" || len(p.Errors) != 2 {
			t.Errorf("%s: %s", path, body)
		}
	}
}

func TestUnbuiltPage(t *testing.T) {
	h := open(t, plan{})
	answer, body := h.get("/", "Accept: text/html")
	if answer.status != 503 || !strings.HasPrefix(answer.header.Get("Content-Type"), "text/html") || !strings.Contains(body, "make assets") {
		t.Errorf("%d %v %.300s", answer.status, answer.header, body)
	}
	for _, path := range []string{"/static/unbuilt.css", "/sse/home", "/ws/home", "/api/quotes"} {
		if answer, _ := h.get(path); answer.status != 200 {
			t.Errorf("%s: %d", path, answer.status)
		}
	}
}

func TestErrorsForPeopleAndPrograms(t *testing.T) {
	h := open(t, plan{})
	for _, path := range []string{"/nothing", "/sse/home?topics=NOPE", "/assets/nothing.js", "/sse/connections/x"} {
		answer, body := h.get(path, "Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
		if answer.status < 400 || !strings.HasPrefix(answer.header.Get("Content-Type"), "text/html") || !strings.Contains(body, fmt.Sprint(answer.status)) {
			t.Errorf("%s: %d %v %.300s", path, answer.status, answer.header, body)
		}
		answer, body = h.get(path)
		told(t, answer, body, answer.status)
	}
	for _, path := range []string{"/api/nothing", "/api/history", "/sse/subscribe?limit=0"} {
		answer, body := h.get(path, "Accept: text/html")
		told(t, answer, body, answer.status)
	}
	// What can't be routed by its method, and what isn't HTTP at all.
	c := h.dial()
	c.ask("DELETE", "/api/stats")
	told(t, c, c.all(), 405)
	if c.header.Get("Allow") == "" {
		t.Error("405 without Allow")
	}
	c = h.dial()
	c.send("nonsense\r\n\r\n")
	c.head()
	told(t, c, c.all(), 400)
}

func TestStaticFiles(t *testing.T) {
	h := open(t, plan{deps: func(d *Deps) { d.Files = built() }})
	const path = "/assets/dashboard-AAAAAAAA.js"
	plain, body := h.get(path)
	tag := plain.header.Get("ETag")
	if plain.status != 200 || plain.header.Get("Content-Encoding") != "" || !strings.HasPrefix(plain.header.Get("Content-Type"), "text/javascript") ||
		plain.header.Get("Cache-Control") != "public, max-age=31536000, immutable" || plain.header.Get("Vary") != "Accept-Encoding" || len(tag) < 8 {
		t.Errorf("%d %v", plain.status, plain.header)
	}
	for _, accept := range []string{"gzip", "br, gzip, deflate", "GZIP;q=0.5", "*"} {
		zipped, small := h.get(path, "Accept-Encoding: "+accept)
		if accept == "*" { // may be either
			continue
		}
		if zipped.header.Get("Content-Encoding") != "gzip" {
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
		if answer, _ := h.get(path, "Accept-Encoding: "+accept); answer.header.Get("Content-Encoding") != "" {
			t.Errorf("%q: compressed", accept)
		}
	}
	for _, match := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
		c := h.dial()
		c.ask("GET", path, "If-None-Match: "+match)
		if c.status != 304 || c.header.Get("ETag") != tag {
			t.Errorf("If-None-Match %s: %d", match, c.status)
		}
		c.ask("GET", "/healthz")
		if c.all() != "ok\n" {
			t.Error("the connection is out of step after 304")
		}
	}
	if answer, _ := h.get(path, `If-None-Match: "other"`); answer.status != 200 {
		t.Errorf("another tag: %d", answer.status)
	}
	head := h.dial()
	head.ask("HEAD", path)
	if n := head.header.Get("Content-Length"); head.status != 200 || n != fmt.Sprint(len(body)) {
		t.Errorf("HEAD: %d, Content-Length %s", head.status, n)
	}
	if answer, _ := h.get("/static/theme.js"); answer.header.Get("Cache-Control") != "no-cache" || answer.header.Get("ETag") == "" {
		t.Errorf("/static: %v", answer.header)
	}
	for _, path := range []string{"/static/../go.mod", "/static/%2e%2e/go.mod", "/assets/../../main.go", "/static//etc/passwd", "/static/", "/assets/", "/static/..%5cgo.mod"} {
		if answer, body := h.get(path); answer.status != 404 {
			t.Errorf("%s: %d %.80s", path, answer.status, body)
		}
	}
}

func TestAPI(t *testing.T) {
	h := open(t, plan{})
	h.publish(100)
	into := func(path string, v any) *client {
		t.Helper()
		answer, body := h.get(path)
		if err := json.Unmarshal([]byte(body), v); err != nil || answer.status != 200 || !strings.HasPrefix(answer.header.Get("Content-Type"), "application/json") {
			t.Fatalf("%s: %d %v %v %.300s", path, answer.status, err, answer.header, body)
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
	var snap message
	answer := into("/api/quotes?topics=S1,S19,sector:even", &snap)
	if snap.T != "snapshot" || snap.I != 100 || len(snap.Quotes) != 11 || answer.header.Get("Ticklane-Position") != h.log.Head().String() {
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
	// An interval without a tick is null, and what lies before the newest limit intervals is left out.
	minute := time.Minute.Microseconds()
	for k, at := range []int64{1, 10, 13} {
		h.server.history.Add([]quote.Tick{{Symbol: 19, Due: (30e6 + at) * minute, Last: quote.Price(1000 + k), Seq: 100}})
	}
	_, body := h.get("/api/closes?topics=S19&limit=5")
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
	var now message
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
		"/api/history?symbol=S1&limit=5001":          "limit",
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
		answer, body := h.get(path)
		if p := told(t, answer, body, 400); p.Parameter != parameter {
			t.Errorf("%s: %s", path, body)
		}
	}
}

// TestBodyIsNotInflated: a few kilobytes that unpack to gigabytes must not be unpacked.
func TestBodyIsNotInflated(t *testing.T) {
	h := open(t, plan{})
	c := h.sse("")
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	w.Write([]byte(`{"action":"time","later":"` + strings.Repeat("x", 1<<20) + `"}`))
	w.Close()
	answer, body := h.post(c.hello.Conn, zipped.String(), "Content-Encoding: gzip")
	p := told(t, answer, body, 415)
	if !strings.Contains(p.Detail, "Content-Encoding") {
		t.Errorf("%s", body)
	}
	if answer, _ := h.post(c.hello.Conn, `{"action":"time"}`, "Content-Encoding: identity"); answer.status != 200 {
		t.Errorf("identity: %d", answer.status)
	}
}
