package handlers_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"unicode"

	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

// TestBadParameters checks that each invalid value gets a 400 that names parameter and value, on both lanes.
func TestBadParameters(t *testing.T) {
	srv := newTestServer(t, testserver.Options{})
	for _, c := range []struct{ query, parameter, says string }{
		{"topics=NOPE", "topics", `"NOPE"`},
		{"topics=S1,NOPE,sector:nope", "topics", `"NOPE", "sector:nope"`},
		{"topics=s1", "topics", `"s1"`},
		{"topics=", "topics", `""`},
		{"topics=S1,", "topics", `""`},
		{"topics=,", "topics", `""`},
		{"topics=S1,,S2", "topics", `""`},
		{"topics=S1%0a", "topics", `"S1\n"`},
		{"topics=%00", "topics", `"\x00"`},
		{"topics=%ff", "topics", `"\xff"`},
		{"topics=S1;S2", "topics", `"S1;S2"`},
		{"topics=S0,S1,S2,S3,S4,S5,S6,S7,S8", "topics", "at most 8"},
		{"topics=S1&topics=S2", "topics", "2 times"},
		{"from=now", "from", `"now"`},
		{"from=", "from", `""`},
		{"from=12", "from", `"12"`},
		{"from=ABC-1", "from", "position"},
		{"from=abc-01", "from", "position"},
		{"from=abc--1", "from", "position"},
		{"from=0-1", "from", "position"},
		{"from=abc-18446744073709551616", "from", "position"},
		{"from=" + strings.Repeat("a", 3000), "from", "position"},
		{"from=abc-1&from=latest", "from", "2 times"},
		{"limit=0", "limit", `"0"`},
		{"limit=-1", "limit", `"-1"`},
		{"limit=", "limit", `""`},
		{"limit=1.5", "limit", `"1.5"`},
		{"limit=ten", "limit", `"ten"`},
		{"limit=1e3", "limit", `"1e3"`},
		{"limit=99999999999999999999", "limit", "whole number"},
		{"limit=1&limit=1", "limit", "2 times"},
		{"duration=5", "duration", `"5"`},
		{"duration=", "duration", `""`},
		{"duration=0s", "duration", "above 0"},
		{"duration=-1s", "duration", "above 0"},
		{"duration=forever", "duration", `"forever"`},
		{"duration=9999999999h", "duration", "duration"},
		{"mode=some", "mode", `"some"`},
		{"mode=", "mode", `""`},
		{"mode=ALL", "mode", `"ALL"`},
		{"interval=6s", "interval", "5s"},
		{"interval=-1ms", "interval", "from 0"},
		{"interval=250", "interval", `"250"`},
		{"interval=", "interval", `""`},
		{"snapshot=1", "snapshot", "true or false"},
		{"snapshot=", "snapshot", "true or false"},
		{"snapshot=True", "snapshot", "true or false"},
		{"channels=", "channels", `""`},
		{"channels=bars", "channels", "want quotes among them"},
		{"channels=quotes,", "channels", `""`},
		{"channels=quotes;trades", "channels", `"quotes;trades"`},
		{"channels=trades,status", "channels", "want quotes among them"},
		{"channels=quotes,candles", "channels", `"candles"`},
		{"channels=quotes,bars&mode=latest", "channels", "mode=all"},
		{"channels=quotes&channels=trades", "channels", "2 times"},
		{"user=a%0ab", "user", "U+000A"},
		{"user=a%0d", "user", "U+000D"},
		{"user=%00", "user", "U+0000"},
		{"user=%1b%5b31m", "user", "U+001B"},
		{"user=a%e2%80%a8b", "user", "U+2028"},
		{"user=%e2%80%aex", "user", "U+202E"},
		{"user=a%c2%85", "user", "U+0085"},
		{"user=%ff", "user", "UTF-8"},
		{"user=" + strings.Repeat("x", 65), "user", "at most 64"},
		{"user=" + strings.Repeat("%c3%a9", 65), "user", "at most 64"},
		{"user=a&user=b", "user", "2 times"},
		{"limit=4611686018427387905", "limit", ": want a whole number, at least 1"},
		{"from=x", "from", `"x": want latest, oldest or a position <epoch>-<seq>, such as 9f3c1a-482913`},
		{"topic=S1", "topic", "did you mean topics?"},
		{"Topics=S1", "Topics", "did you mean topics?"},
		{"later=1", "later", "unknown parameter; want user, topics"},
		{"duration=9999999h", "duration", "at most 290 years"},
		{"=1", `""`, "unknown parameter"},
		{"%00=1", `"\x00"`, "unknown parameter"},
		{"later", "later", "unknown parameter"},
		{"later=1&later=2", "later", "unknown parameter"},
	} {
		for _, lane := range lanes {
			extra := []string{"Accept: text/event-stream"}
			if lane == wire.WS {
				extra = testserver.Upgrade
			}
			answer, body := srv.Get("/"+lane.String()+"/subscribe?"+c.query, extra...)
			p := wantProblem(t, answer, body, 400)
			if p.Parameter != c.parameter || len(p.Errors) != 1 || p.Errors[0].Parameter != c.parameter || !strings.Contains(p.Detail, c.says) ||
				!strings.HasPrefix(p.Detail, c.parameter+": ") {
				t.Errorf("%s %.80s: %s", lane, c.query, body)
			}
			if len(body) > 1500 {
				t.Errorf("%s %.80s: an answer of %d bytes", lane, c.query, len(body))
			}
		}
	}
	if n := srv.TickLog.Lane(wire.SSE).Opened + srv.TickLog.Lane(wire.WS).Opened; n != 0 {
		t.Errorf("%d streams were opened", n)
	}
}

// TestLabParametersAreNotSuggested: without the lab, an unknown parameter isn't answered with those of the lab.
func TestLabParametersAreNotSuggested(t *testing.T) {
	srv := newTestServer(t, testserver.Options{})
	for path, want := range map[string]string{"/sse/subscribe?later=1": "want user, topics", "/sse/subscribe?engine=stream": "lab.enabled"} {
		c, body := srv.Get(path)
		p := wantProblem(t, c, body, 400)
		if len(p.Errors) != 1 || !strings.Contains(p.Errors[0].Detail, want) || strings.Contains(p.Errors[0].Detail, "compress") {
			t.Errorf("%s: %+v", path, p.Errors)
		}
	}
}

func TestAllBadParametersAreListed(t *testing.T) {
	srv := newTestServer(t, testserver.Options{})
	answer, body := srv.Get("/sse/subscribe?user=%00&topics=X&from=y&limit=0&duration=0&mode=z&interval=9s&snapshot=no")
	p := wantProblem(t, answer, body, 400)
	var names []string
	for _, e := range p.Errors {
		names = append(names, e.Parameter)
	}
	if got := strings.Join(names, " "); got != "user topics limit duration from mode interval snapshot" {
		t.Errorf("%s", got)
	}
}

// TestInvalidLimitIsReportedOnce checks that the number of prices isn't computed from the default of a wrong limit.
func TestInvalidLimitIsReportedOnce(t *testing.T) {
	srv := newTestServer(t, testserver.Options{Symbols: 2001})
	for query, want := range map[string]string{"?limit=501": "from 1 to 500", "": "want at most 120000 prices"} {
		c, body := srv.Get("/api/closes" + query)
		if p := wantProblem(t, c, body, 400); len(p.Errors) != 1 || !strings.Contains(p.Detail, want) {
			t.Errorf("%q: %+v", query, p.Errors)
		}
	}
}

// TestUnknownParameters checks that the API refuses them, names a few of many, and ignores those of cache busters. Pages
// ignore all.
func TestUnknownParameters(t *testing.T) {
	srv := newLabServer(t)
	for _, path := range []string{
		"/api/symbols", "/api/quotes", "/api/time", "/api/stats", "/api/history?symbol=S1", "/api/closes", "/api/connections", "/api/reports", "/api/lab",
		"/api/openapi.yaml", "/api/openapi.json", "/api/asyncapi.yaml", "/api/asyncapi.json",
	} {
		separator := "?"
		if strings.Contains(path, "?") {
			separator = "&"
		}
		answer, body := srv.Get(path + separator + "topcs=S1")
		if p := wantProblem(t, answer, body, 400); p.Parameter != "topcs" || !strings.Contains(p.Detail, "unknown parameter") {
			t.Errorf("%s: %s", path, body)
		}
		if answer, body := srv.Get(path + separator + "_=1"); answer.Status != 200 {
			t.Errorf("%s: %d %s", path, answer.Status, body)
		}
	}
	var many []string
	for i := range 500 {
		many = append(many, fmt.Sprintf("x%d", i))
	}
	answer, body := srv.Get("/sse/subscribe?" + strings.Join(many, "&"))
	if p := wantProblem(t, answer, body, 400); len(p.Errors) != 8 {
		t.Errorf("%d errors: %s", len(p.Errors), body)
	}
	for _, path := range []string{"/docs?later=1", "/reports?later=1", "/sse/home?later=1", "/healthz?later=1"} {
		if answer, _ := srv.Get(path); answer.Status == 400 {
			t.Errorf("%s: status 400", path)
		}
	}
}

func TestGoodParameters(t *testing.T) { onEngines(t, testGoodParameters) }

func testGoodParameters(t *testing.T, engine string) {
	srv := newTestServer(t, testserver.Options{Engine: engine})
	srv.Publish(30)
	for _, query := range []string{
		"", "topics=*", "topics=S1", "topics=S1,S1,S1,S1,S1,S1,S1,S1,S1,S1", "topics=sector:odd,*", "from=latest", "from=oldest", "limit=1",
		"limit=4611686018427387904", "duration=1h30m", "mode=all", "mode=latest&interval=0", "interval=0s", "interval=5s", "interval=1us", "snapshot=true",
		"snapshot=false", "channels=quotes", "channels=trades,quotes,status", "channels=quotes,bars&mode=all", "channels=quotes,quotes", "user=", "user=Zo%C3%AB", "user=" + strings.Repeat("%F0%9F%93%88", 64), "user=a+b", "_=1&_t=2",
		"user=%3Cscript%3E&topics=S1",
	} {
		for _, lane := range lanes {
			c := srv.Stream(lane, query)
			c.Cut(true)
		}
	}
}

// TestLineBreaksCantBeInjected checks that no text of a client can end a field of an event or of a header.
func TestLineBreaksCantBeInjected(t *testing.T) { onEngines(t, testLineBreaksCantBeInjected) }

func testLineBreaksCantBeInjected(t *testing.T, engine string) {
	srv := newTestServer(t, testserver.Options{Engine: engine})
	evil := []string{"\n", "\r", "\r\n", "\n\nevent: q\ndata: {}\n\n", "\r\nX-Evil: 1\r\n\r\n", "\u2028", "\u0085"}
	for _, text := range evil {
		for _, name := range []string{"user", "topics", "from", "limit", "mode", "interval", "duration", "snapshot", "channels"} {
			answer, body := srv.Get("/sse/subscribe?"+name+"="+url.QueryEscape("a"+text), "Accept: text/event-stream")
			wantProblem(t, answer, body, 400)
			if answer.Header.Get("X-Evil") != "" || strings.ContainsFunc(body, unicode.IsControl) {
				t.Errorf("%s=%q came through: %q", name, text, body)
			}
		}
		c := srv.SSE("from=latest", "Last-Event-ID: abc"+strings.NewReplacer("\r", "", "\n", "").Replace(text))
		c.Cut(true)
	}
	c := srv.SSE("")
	c.Want("snapshot")
	for i, text := range evil {
		srv.PostCommand(c.Hello.Conn, fmt.Sprintf(`{"action":"subscribe","topics":[%q],"id":%d}`, text, i))
	}
	srv.Publish(1)
	if m := c.Next(); m.T != "q" {
		t.Errorf("%s", m.Text)
	}
}
