package handlers_test

import (
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"ticklane/handlers"
	"ticklane/internal/auth"
	"ticklane/internal/market/ingest"
	"ticklane/internal/stream"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

// The feed of these tests has OPENX, which strangers may read, and SECRT, which they may not. These texts are of SECRT alone.
const (
	hiddenSymbol = "SECRT"
	hiddenSector = "covertfunds"
	hiddenPrice  = "731.77"
)

var hiddenTexts = []string{hiddenSymbol, hiddenSector, "Hidden instrument", hiddenPrice, "731.", "73177", "424242", "Skulk"}

// foreignServer is a server with a stream of its owner, who may read everything, on each lane.
type foreignServer struct {
	*feedServer
	token map[string]string
	conn  map[string]string // of the owner's streams, by lane
	epoch string
	sent  int
	shown map[string]bool // the routes on which the owner has seen SECRT
}

func newForeignServer(t *testing.T, engine, subprotocol string) *foreignServer {
	t.Helper()
	s := &foreignServer{token: map[string]string{"anonymous": ""}, conn: map[string]string{}, shown: map[string]bool{}}
	var all []auth.Token
	for name, rights := range map[string]string{
		"owner": `[{"read":["*"],"write":["*"],"may":["admin"]}]`, "stranger": `[{"read":["OPENX"]}]`,
		"insider": `[{"read":["OPENX"],"write":["OPENX"],"may":["lab"]}]`,
	} {
		r, err := auth.ParseRights([]byte(rights))
		if err != nil {
			t.Fatal(err)
		}
		entry, secret := auth.NewToken(name, r, time.Time{})
		all, s.token[name] = append(all, entry), secret
	}
	file, reports := filepath.Join(t.TempDir(), "tokens.yaml"), t.TempDir()
	if err := auth.WriteTokens(file, all); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"run.html", "run.json"} {
		if err := os.WriteFile(filepath.Join(reports, name), []byte(`"`+hiddenPrice+`"`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	service, err := auth.New(auth.Options{Mode: auth.ModeToken, TokenFile: file})
	if err != nil {
		t.Fatal(err)
	}
	source, err := ingest.New(ingest.Options{MaxInstruments: 20, MaxLine: 1000, LogSize: 4096})
	if err != nil {
		t.Fatal(err)
	}
	s.feedServer = runFeed(t, source, testserver.Options{
		Engine: engine, Subprotocol: subprotocol, Log: compressing(stream.CompressOn),
		Settings: func(set *handlers.Settings) { set.Reports = reports },
		Deps: func(d *handlers.Deps) {
			d.Files, d.Lab = builtFiles(), &handlers.Lab{}
			d.Auth, d.Sessions, d.Tickets, d.Revoked = service.Verifier, service.Sessions, service.Tickets, service.Revocations
		},
	})
	s.ingest(`{"T":"instrument","S":"OPENX","sector":"public","name":"Open Works"}
{"T":"instrument","S":"` + hiddenSymbol + `","sector":"` + hiddenSector + `","name":"Hidden instrument"}`)
	s.publish()
	for _, lane := range lanes {
		for _, topics := range []string{"*", "OPENX", hiddenSymbol} {
			c := s.Dial()
			c.RequestStream(lane, "snapshot=false&topics="+topics, s.line("owner"), testserver.AcceptGzip, testserver.OfferDeflate)
			c.ReadHello()
			s.conn[lane.String()], s.epoch = c.Hello.Conn, c.Hello.Epoch
		}
	}
	return s
}

// line returns the header line of a token, one without meaning for anonymous.
func (s *foreignServer) line(token string) string {
	if s.token[token] == "" {
		return "X-Nothing: here"
	}
	return withToken(s.token[token])
}

func (s *foreignServer) ingest(lines string) {
	s.Helper()
	c, text := s.Post("/api/ingest?source=desk", lines, ndjson, s.line("owner"))
	if r := answer(s, text); c.Status != 200 || r.Rejected > 0 {
		s.Fatalf("%d %s", c.Status, text)
	}
}

// publish publishes quotes, trades and changes of status of both symbols, OPENX last, and returns the price of that.
func (s *foreignServer) publish() string {
	s.Helper()
	s.sent++
	now := fmt.Sprint(time.Now().Add(time.Duration(s.sent-300) * time.Minute).UnixMicro()) // so that each ends a minute's bar
	price := fmt.Sprintf("%d.%02d", 10+s.sent/100, s.sent%100)
	s.ingest(`{"T":"q","S":"` + hiddenSymbol + `","bp":` + hiddenPrice + `,"ap":731.79,"v":424242,"t":` + now + `}
{"T":"trade","S":"` + hiddenSymbol + `","p":` + hiddenPrice + `,"s":5,"x":"Skulk","t":` + now + `}
{"T":"status","S":"` + hiddenSymbol + `","status":"halted","reason":"Skulk"}
{"T":"q","S":"OPENX","bp":` + price + `,"ap":99.00,"t":` + now + `}`)
	return price
}

// contains reports whether a text has another one. A number must stand alone: a time may have its digits by chance.
func contains(text, part string) bool {
	if strings.Trim(part, "0123456789") != "" || !strings.Contains(text, part) {
		return strings.Contains(text, part)
	}
	return regexp.MustCompile(`(^|\D)` + part + `($|\D)`).MatchString(text)
}

// check fails if a text has something of SECRT that the request didn't have.
func (s *foreignServer) check(what, request, text string) {
	s.Helper()
	if plain, err := url.QueryUnescape(request); err == nil {
		request = plain
	}
	for _, hidden := range hiddenTexts {
		if contains(text, hidden) && !strings.Contains(request, hidden) {
			s.Errorf("%s: %s is in %.2000s", what, hidden, text)
		}
	}
}

// attempts are the queries of a GET, or the bodies of a POST, with which strangers try to read SECRT. Every route must have one. CONN is
// the id of a stream of the owner, EPOCH that of the log.
var attempts = map[string][]string{
	"GET /sse/subscribe": streamQueries, "GET /ws/subscribe": streamQueries,
	"GET /sse/home": {"", "?topics=SECRT"}, "GET /ws/home": {"", "?topics=sector:covertfunds"},
	"GET /sse/connections/:conn": {""}, "GET /ws/connections/:conn": {""},
	"POST /sse/connections/:conn": commands, "POST /ws/connections/:conn": commands,
	"GET /api/connections": {"", "?limit=1", "?cursor=0-0"},
	"GET /api/lab":         {""}, "POST /api/lab/drill": {`{"action":"cut","conns":["CONN"]}`}, "POST /api/lab/rate": {`{"rate":1}`},
	"POST /api/lab/background": {`{"sse":0,"ws":0}`},
	"GET /api/symbols":         {""},
	"GET /api/quotes":          {"", "?topics=*", "?topics=SECRT", "?topics=OPENX,SECRT", "?topics=*,SECRT", "?topics=sector:covertfunds", "?topics=SECR%54", "?topics=secrt"},
	"GET /api/closes":          {"", "?topics=*", "?topics=SECRT&interval=10s", "?topics=sector:covertfunds", "?limit=1&topics=*"},
	"GET /api/history": {"", "?symbol=SECRT", "?symbol=SECRT&format=csv", "?symbol=SECRT&from=0&interval=10s", "?symbol=OPENX", "?symbol=*", "?symbol=sector:covertfunds",
		"?symbol=OPENX&format=csv", "?symbol=secrt"},
	"GET /api/cluster": {"", "?since=0"}, "GET /cluster": {""},
	"GET /api/time": {""}, "GET /api/stats": {""}, "GET /metrics": {""}, "GET /debug/pprof/*": {""},
	"GET /api/ingest": {"", "?source=desk"}, "GET /ws/ingest": {"", "?source=desk"},
	"POST /api/ingest": {`{"T":"q","S":"SECRT","p":1}`, `{"T":"instrument","S":"SECRT","sector":"public"}`},
	"GET /healthz":     {""}, "GET /readyz": {""},
	"GET /":        {"", "?q=SECRT", "?sector=covertfunds", "?sort=-last&page=1", "?sort=symbol&lang=zh-CN"},
	"GET /compare": {""}, "GET /reports": {""}, "GET /reports/:name": {""}, "GET /api/reports": {""}, "GET /docs": {""},
	"GET /api/openapi.yaml": {""}, "GET /api/openapi.json": {""}, "GET /api/asyncapi.yaml": {""}, "GET /api/asyncapi.json": {""},
	"GET /assets/*": {""}, "GET /static/*": {""}, "GET /favicon.ico": {""},
	"GET /sign-in": {"", "?next=/api/quotes"}, "POST /sign-in": {""}, "GET /sign-out": {""}, "POST /sign-out": {""},
	"GET /api/session": {""}, "POST /api/session/renew": {""}, "POST /api/ticket": {""}, "POST /api/revocations": {`{"jti":"owner"}`},
}

var streamQueries = []string{
	"", "?topics=*", "?topics=SECRT", "?topics=OPENX,SECRT", "?topics=sector:covertfunds", "?topics=sector:public", "?topics=OPENX", "?topics=*,OPENX", "?topics=*,SECRT",
	"?from=oldest", "?from=oldest&topics=*&mode=latest", "?from=EPOCH-1", "?from=EPOCH-1&mode=latest", "?from=1-1", "?lastEventId=EPOCH-1", "?topics=SECRT&from=EPOCH-1",
	"?mode=latest", "?channels=quotes,trades,status", "?channels=quotes,trades,bars,status&from=oldest", "?snapshot=false&compress=on", "?compress=on&engine=stream", "?user=owner",
}

var commands = []string{`{"action":"subscribe","topics":["SECRT"]}`, `{"action":"subscribe","topics":["*"]}`, `{"action":"unsubscribe","topics":["*"]}`, `{"action":"time"}`, `{"action":"auth"}`}

// TestStrangersReadNothing tries every route of the router, by GET, HEAD and POST, without credentials, with those of a client that may
// not read SECRT, and with those of one that may also send a feed and run experiments. The owner makes the same requests before, so that
// what is kept for it could be sent to others.
func TestStrangersReadNothing(t *testing.T) {
	t.Parallel()
	s := newForeignServer(t, testserver.Stream, "")
	have := map[string]bool{}
	for _, r := range s.Handlers.Routes() {
		if r.Method == "HEAD" || r.Path == "/" && r.Method != "GET" || strings.Contains(r.Path, "pprof") {
			continue
		}
		route := r.Method + " " + r.Path
		have[route] = true
		if len(attempts[route]) == 0 {
			t.Errorf("%s: no attempt to read what isn't allowed: add some to attempts", route)
		}
		for _, token := range []string{"stranger", "insider", "anonymous"} {
			for _, try := range attempts[route] {
				s.try(r.Method, r.Path, try, token)
			}
		}
	}
	for _, route := range []string{"/api/symbols", "/api/quotes", "/api/closes", "/api/history", "/api/connections", "/sse/connections/:conn", "/ws/connections/:conn", "/", "/reports/:name"} {
		if !s.shown[route] {
			t.Errorf("%s: the owner sees nothing of %s, so the test can't fail", route, hiddenSymbol)
		}
	}
	for _, route := range slices.Sorted(maps.Keys(attempts)) {
		if !have[route] && !strings.Contains(route, "pprof") {
			t.Errorf("%s is no route", route)
		}
	}
}

// try makes one request as the owner, then as a stranger.
func (s *foreignServer) try(method, route, try, token string) {
	s.Helper()
	path := strings.NewReplacer(":conn", s.conn[strings.Split(route, "/")[1]], ":name", "run.html", "*", "x").Replace(route)
	try = strings.NewReplacer("EPOCH", s.epoch, "CONN", s.conn["sse"]).Replace(try)
	what := fmt.Sprintf("%s %s%s as %s", method, route, try, token)
	if method == "POST" {
		c, body := s.Post(path, try, "Origin: http://"+s.Addr, s.line(token))
		s.check(what, try, fmt.Sprint(c.Header)+body)
		return
	}
	if strings.HasSuffix(route, "/subscribe") {
		if token == "anonymous" {
			c := s.Dial()
			c.Request("GET", path+try, "Accept: text/event-stream")
			s.check(what, try, fmt.Sprint(c.Header)+c.ReadBody())
		}
		return // see TestStrangersStreams
	}
	tag := ""
	if route != "/ws/ingest" {
		c, body := s.Get(path+try, s.line("owner"), "Accept: text/html, application/json")
		tag = c.Header.Get("ETag")
		for _, hidden := range hiddenTexts {
			s.shown[route] = s.shown[route] || strings.Contains(body, hidden)
		}
	}
	for _, accept := range []string{"text/html", "text/csv", "*/*"} {
		c, body := s.Get(path+try, s.line(token), "Accept: "+accept)
		s.check(what, try, fmt.Sprint(c.Header)+body)
	}
	head := s.Dial()
	head.Request("HEAD", path+try, s.line(token))
	s.check(what, try, fmt.Sprint(head.Header))
	if dependsOnRights := strings.HasPrefix(route, "/api/symbols") || route == "/"; tag != "" && dependsOnRights {
		if c, body := s.Get(path+try, s.line(token), "If-None-Match: "+tag); c.Status == 304 && token != "anonymous" {
			s.Errorf("%s: the owner's answer is called fresh: %s", what, body)
		}
	}
}

// TestStrangersStreams tries every query of a stream, on both lanes and engines, in each encoding and compression, while the owner reads
// the same topics, and every command on those that open.
func TestStrangersStreams(t *testing.T) {
	onEngines(t, func(t *testing.T, engine string) {
		for _, c := range []struct {
			lane        wire.Lane
			subprotocol string
		}{{wire.SSE, ""}, {wire.WS, ""}, {wire.WS, protobuf}} {
			t.Run(c.lane.String()+c.subprotocol, func(t *testing.T) {
				t.Parallel()
				s := newForeignServer(t, engine, c.subprotocol)
				owner := s.Stream(c.lane, "snapshot=false", s.line("owner"))
				s.publish()
				for seen := false; !seen; { // otherwise the test couldn't fail
					seen = strings.Contains(owner.Next().Text, hiddenPrice)
				}
				for _, query := range streamQueries {
					if c.lane == wire.WS && strings.Contains(query, "lastEventId") {
						continue
					}
					for _, compressed := range []bool{false, true} {
						s.tryStream(c.lane, strings.TrimPrefix(query, "?"), compressed)
					}
				}
				if c.lane == wire.SSE {
					s.tryStream(c.lane, "topics=*", true, "Last-Event-ID: "+s.epoch+"-1")
					s.tryStream(c.lane, "topics=SECRT", false, "Last-Event-ID: "+s.epoch+"-1")
				}
			})
		}
	})
}

// tryStream opens a stream as a stranger, if that is allowed, and reads it up to ticks of OPENX that are published later.
func (s *foreignServer) tryStream(lane wire.Lane, query string, compressed bool, lines ...string) {
	s.Helper()
	query = strings.ReplaceAll(query, "EPOCH", s.epoch)
	what := fmt.Sprintf("%s %s compressed %t %v", lane, query, compressed, lines)
	lines = append(lines, s.line("stranger"), "Accept: text/event-stream")
	if compressed {
		lines = append(lines, testserver.AcceptGzip, testserver.OfferDeflate)
	}
	c := s.Dial()
	defer c.Cut(true)
	forbidden := strings.Contains(query, hiddenSymbol) || strings.Contains(query, "sector:") // the right covers the symbol alone
	if forbidden {
		if lane == wire.WS {
			lines = append(lines, testserver.Upgrade...)
		}
		c.Request("GET", "/"+lane.String()+"/subscribe?"+query, lines...)
		body := c.ReadBody()
		wantProblem(s, c, body, 403)
		s.check(what, query, fmt.Sprint(c.Header)+body)
		return
	}
	c.RequestStream(lane, query, lines...)
	hello := c.Next() // a WebSocket's stream begins after the handshake, and one without a snapshot has later ticks only
	s.check(what, query, hello.Text)
	readTo := func(price string) {
		s.Helper()
		for {
			m := c.Next()
			s.check(what, query, m.Text)
			if strings.Contains(m.Text, `"S":"OPENX","bp":`+price) { // in a snapshot, if that was made later
				return
			}
		}
	}
	readTo(s.publish())
	for _, command := range commands[:2] {
		if lane == wire.WS {
			c.SendText(command)
			continue
		}
		_, body := s.PostCommand(hello.Conn, command, s.line("stranger"))
		s.check(what, command, body)
	}
	query += commands[0] // an error repeats its topic
	readTo(s.publish())
}
