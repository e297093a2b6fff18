package handlers_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"ticklane/handlers"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

// rightsTokens are the tokens of servers of newRightsServer: what their subjects, which have the same names, may read.
func rightsTokens(t testing.TB) tokens {
	t.Helper()
	all := tokens{}
	for name, rights := range map[string]string{
		"all": `[{"read":["*"]}]`, "one": `[{"read":["S1"]}]`, "two": `[{"read":["S1","S3"]}]`, "odd": `[{"read":["sector:odd"]}]`,
		"nothing": `[{"may":["reports"]}]`, "watcher": `[{"read":["*"],"may":["connections","lab"]}]`, "lab": `[{"read":["S1"],"may":["lab"]}]`,
	} {
		all[name] = principal(t, name, rights)
	}
	return all
}

// newRightsServer starts a server of 20 symbols, S0 to S19, in the sectors even and odd, with rightsTokens and the lab.
func newRightsServer(t testing.TB, o testserver.Options) *testserver.Server {
	t.Helper()
	o.Deps = rightsDeps(t, o.Deps)
	return newTestServer(t, o)
}

func rightsDeps(t testing.TB, more func(*handlers.Deps)) func(*handlers.Deps) {
	return func(d *handlers.Deps) {
		d.Auth, d.Lab = rightsTokens(t), &handlers.Lab{}
		if more != nil {
			more(d)
		}
	}
}

// onRights is onLanes for servers of newRightsServer.
func onRights(t *testing.T, o testserver.Options, f func(t *testing.T, srv *testserver.Server, lane wire.Lane)) {
	o.Deps = rightsDeps(t, o.Deps)
	onLanes(t, o, f)
}

func symbolsOf(t testing.TB, list []json.RawMessage) (symbols []string) {
	t.Helper()
	for _, raw := range list {
		var q struct{ S string }
		if err := json.Unmarshal(raw, &q); err != nil {
			t.Fatal(err)
		}
		symbols = append(symbols, q.S)
	}
	return symbols
}

func TestNarrowedStreams(t *testing.T) {
	onRights(t, testserver.Options{}, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		srv.Publish(100)
		for token, want := range map[string][]string{"two": {"S1", "S3"}, "one": {"S1"}} {
			c := srv.Stream(lane, "topics=*", withToken(token))
			if !strings.Contains(c.Hello.Text, `"narrowed":true`) || !slices.Equal(c.Hello.Topics, []string{"*"}) {
				t.Errorf("%s: hello %s", token, c.Hello.Text)
			}
			if got := symbolsOf(t, c.WaitFor("snapshot").Quotes); !slices.Equal(got, want) {
				t.Errorf("%s: snapshot of %v", token, got)
			}
			srv.Publish(100)
			for range 4 {
				if m := c.WaitFor("q"); !slices.Contains(want, m.S) {
					t.Errorf("%s: tick of %s", token, m.S)
				}
			}
		}
		all := srv.Stream(lane, "", withToken("all"))
		if strings.Contains(all.Hello.Text, "narrowed") || len(all.WaitFor("snapshot").Quotes) < 15 {
			t.Errorf("a client that may read all: %s", all.Hello.Text)
		}
	})
}

// TestForbiddenTopics: a stream is refused before it opens, a forbidden topic like an unknown one.
func TestForbiddenTopics(t *testing.T) {
	onRights(t, testserver.Options{}, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		for _, c := range []struct{ token, topics string }{
			{"one", "S2"}, {"one", "S1,S2"}, {"one", "NOPE"}, {"one", "sector:odd"}, {"one", "sector:nope"}, {"odd", "S2"}, {"odd", "*,sector:even"}, {"nothing", "*"},
		} {
			for _, from := range []string{"", "&from=oldest", "&from=1-1", "&lastEventId=1-1", "&snapshot=false&mode=latest"} {
				if lane == wire.WS && strings.Contains(from, "last") {
					continue
				}
				a := srv.Dial()
				lines := []string{withToken(c.token), "Accept: text/event-stream"}
				if lane == wire.WS {
					lines = append(lines, testserver.Upgrade...)
				}
				a.Request("GET", "/"+lane.String()+"/subscribe?topics="+c.topics+from, lines...)
				p := wantProblem(t, a, a.ReadBody(), http.StatusForbidden)
				last := c.topics[strings.LastIndex(c.topics, ",")+1:]
				if p.Code != "forbidden_topic" || p.Parameter != "topics" || !strings.Contains(p.Detail, `"`+last+`"`) || strings.Contains(p.Detail, `"S1"`) {
					t.Errorf("%s of %s: %+v", c.topics, c.token, p)
				}
			}
		}
		if got := liveStreams(srv); got != 0 {
			t.Errorf("%d streams hold a slot", got)
		}
		a, body := srv.Get("/"+lane.String()+"/subscribe?topics=NOPE", withToken("all"))
		if p := wantProblem(t, a, body, http.StatusBadRequest); !strings.Contains(p.Detail, "unknown topic") {
			t.Errorf("who may read all: %+v", p)
		}
		a, body = srv.Get("/"+lane.String()+"/subscribe?topics=S2&limit=0", withToken("one"))
		if p := wantProblem(t, a, body, http.StatusBadRequest); p.Parameter != "limit" {
			t.Errorf("several errors: %+v", p)
		}
	})
}

func TestForbiddenTopicsOfCommands(t *testing.T) {
	onRights(t, testserver.Options{}, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		c := srv.Stream(lane, "topics=S1", withToken("two"))
		c.WaitFor("snapshot")
		for topic, known := range map[string]bool{"S2": true, "NOPE": false, "sector:odd": true} {
			command := fmt.Sprintf(`{"action":"subscribe","topics":["S3","%s"],"id":4}`, topic)
			code, text := "", ""
			if lane == wire.WS {
				c.SendText(command)
				m := c.WaitFor("error")
				code, text = m.Code, m.Msg
			} else {
				a, body := srv.PostCommand(c.Hello.Conn, command, withToken("two"))
				p := wantProblem(t, a, body, http.StatusForbidden)
				code, text = p.Code, p.Msg
			}
			if code != "forbidden_topic" || !strings.Contains(text, `"`+topic+`":`) || strings.Contains(text, "S3") {
				t.Errorf("%s (known %t): %s %s", topic, known, code, text)
			}
		}
	})
}

// TestForeignConn: a stream's conn is of no use to another subject, even on the same address.
func TestForeignConn(t *testing.T) {
	onRights(t, testserver.Options{}, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		c := srv.Stream(lane, "topics=S1", withToken("two"))
		c.WaitFor("snapshot")
		path := "/" + lane.String() + "/connections/" + c.Hello.Conn
		wantForeign := func(a *testserver.Client, body string) {
			t.Helper()
			_, unknown := srv.Get("/"+lane.String()+"/connections/unknown", withToken("watcher"))
			if wantProblem(t, a, body, http.StatusNotFound); lane.String() != "" && !strings.Contains(path, "drill") && body != unknown {
				t.Errorf("another's conn: %s, an unknown one: %s", body, unknown)
			}
		}
		wantForeign(srv.Get(path, withToken("watcher")))
		if a, body := srv.Get(path, withToken("two")); a.Status != 200 {
			t.Errorf("own conn: %d %s", a.Status, body)
		}
		if lane == wire.SSE {
			wantForeign(srv.PostCommand(c.Hello.Conn, `{"action":"subscribe","topics":["S3"]}`, withToken("watcher")))
		}
		a, body := srv.Post("/api/lab/drill", `{"action":"cut","conns":["`+c.Hello.Conn+`"]}`, withToken("lab"))
		if p := wantProblem(t, a, body, http.StatusNotFound); !strings.Contains(p.Detail, "no open stream") {
			t.Errorf("drill: %+v", p)
		}
		srv.Publish(100)
		c.WaitFor("q")
	})
}

// TestConnectionsOfASubject: without the right to list all, a client gets its own streams and their number.
func TestConnectionsOfASubject(t *testing.T) {
	t.Parallel()
	srv := newRightsServer(t, testserver.Options{})
	srv.SSE("topics=S1&user=mine", withToken("one"))
	srv.WS("topics=S3&user=theirs", withToken("two"))
	for token, want := range map[string]string{"one": "mine", "two": "theirs", "watcher": "mine theirs", "all": ""} {
		_, body := srv.Get("/api/connections", withToken(token))
		var list struct {
			Connections []struct{ User string }
			Total       map[string]int
		}
		if err := json.Unmarshal([]byte(body), &list); err != nil {
			t.Fatal(err)
		}
		var users []string
		for _, c := range list.Connections {
			users = append(users, c.User)
		}
		if got := strings.Join(users, " "); got != want || list.Total["sse"]+list.Total["ws"] != len(users) {
			t.Errorf("%s lists %q of %v", token, got, list.Total)
		}
	}
}

// TestDataWithinRights: answers with data have what the client may read, also right after another client has got more of the same
// address.
func TestDataWithinRights(t *testing.T) {
	t.Parallel()
	srv := newRightsServer(t, testserver.Options{Deps: func(d *handlers.Deps) { d.Files = builtFiles() }})
	srv.Publish(200)
	get := func(token, path string, into any, lines ...string) {
		t.Helper()
		c, body := srv.Get(path, append(lines, withToken(token))...)
		if c.Status != 200 {
			t.Fatalf("%s of %s: %d %s", path, token, c.Status, body)
		}
		if err := json.Unmarshal([]byte(body), into); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		for token, want := range map[string]struct{ symbols, sectors string }{
			"all": {"S0 S1 S2 S3 S4 S5 S6 S7 S8 S9 S10 S11 S12 S13 S14 S15 S16 S17 S18", "even odd"}, "one": {"S1", "odd"}, "two": {"S1 S3", "odd"},
			"odd": {"S1 S3 S5 S7 S9 S11 S13 S15 S17", "odd"}, "nothing": {"", ""},
		} {
			var symbols struct {
				Symbols []struct{ Symbol string }
				Sectors []string
			}
			get(token, "/api/symbols", &symbols)
			var names []string
			for _, s := range symbols.Symbols {
				if s.Symbol != "S19" { // it is quiet
					names = append(names, s.Symbol)
				}
			}
			if strings.Join(names, " ") != want.symbols || strings.Join(symbols.Sectors, " ") != want.sectors || symbols.Sectors == nil {
				t.Errorf("%s: symbols %v in %v", token, names, symbols.Sectors)
			}
			if token == "nothing" {
				continue
			}
			var quotes struct{ Quotes []json.RawMessage }
			get(token, "/api/quotes", &quotes)
			if got := strings.Join(symbolsOf(t, quotes.Quotes), " "); got != want.symbols {
				t.Errorf("%s: quotes of %s", token, got)
			}
			var closes struct{ Lines []struct{ Symbol string } }
			get(token, "/api/closes", &closes)
			names = nil
			for _, l := range closes.Lines {
				if l.Symbol != "S19" {
					names = append(names, l.Symbol)
				}
			}
			if got := strings.Join(names, " "); got != want.symbols {
				t.Errorf("%s: closes of %s", token, got)
			}
			_, page := srv.Get("/", withToken(token), "Accept: text/html")
			if got := strings.TrimSuffix(strings.Join(noscriptSymbols(page), " "), " S19"); got != want.symbols {
				t.Errorf("%s: the page shows %s", token, got)
			}
			if _, docs := srv.Get("/docs", withToken(token), "Accept: text/html"); strings.Contains(page+docs, "seed 7") || strings.Contains(page+docs, `"seed":7`) {
				t.Errorf("%s: a page has the seed of the market", token)
			}
		}
	}
	for _, path := range []string{"/api/quotes?topics=", "/api/closes?topics=", "/api/history?symbol=", "/api/history?format=csv&symbol=", "/sse/home?topics=", "/ws/home?topics="} {
		answer := func(symbol string) string {
			c, body := srv.Get(path+symbol, withToken("one"))
			if p := wantProblem(t, c, body, http.StatusForbidden); p.Code != "forbidden_topic" {
				t.Errorf("%s%s: %s", path, symbol, body)
			}
			return strings.ReplaceAll(body, symbol, "…")
		}
		if known, unknown := answer("S2"), answer("X2"); known != unknown {
			t.Errorf("%s: %s of a symbol, %s of none", path, known, unknown)
		}
		if c, body := srv.Get(path+"S1", withToken("one")); c.Status != 200 {
			t.Errorf("%sS1: %d %s", path, c.Status, body)
		}
	}
	if c, _ := srv.Get("/?sector=even", withToken("one"), "Accept: text/html"); c.Header.Get("Cache-Control") != "private, no-cache" {
		t.Errorf("Cache-Control %q", c.Header.Get("Cache-Control"))
	}
}
