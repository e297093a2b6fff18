package handlers_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"ticklane/handlers"
	"ticklane/internal/market/ingest"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

// newOwnedFeedServer starts a server whose feed clients with tokens send.
func newOwnedFeedServer(t testing.TB, more func(tokens)) *feedServer {
	t.Helper()
	source, err := ingest.New(ingest.Options{MaxInstruments: 20, MaxLine: 1000, LogSize: 65536, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	all := tokens{}
	for name, rights := range map[string]string{
		"everything": `[{"write":["*"]}]`, "ana": `[{"write":["A","sector:x"],"read":["A"]}]`, "bob": `[{"write":["sector:y"]}]`, "reader": `[{"read":["*"]}]`,
	} {
		all[name] = principal(t, name, rights)
	}
	if more != nil {
		more(all)
	}
	return runFeed(t, source, testserver.Options{Deps: func(d *handlers.Deps) { d.Auth = all }})
}

// TestRightsToIngest: each line is accepted only if the client may write its symbol, by POST and by WebSocket. Whether a symbol exists
// can't be found out.
func TestRightsToIngest(t *testing.T) {
	t.Parallel()
	for _, lane := range []string{"POST", "WebSocket"} {
		t.Run(lane, func(t *testing.T) {
			t.Parallel()
			f := newOwnedFeedServer(t, nil)
			send := func(token, lines string) ingest.Result {
				t.Helper()
				if lane == "POST" {
					c, text := f.Post("/api/ingest", lines, ndjson, withToken(token))
					if c.Status != 200 {
						t.Fatalf("%d %s", c.Status, text)
					}
					return answer(t, text)
				}
				c, _ := f.feedSocket("", withToken(token))
				c.SendText(lines)
				return f.acknowledgement(c)
			}
			instruments := `{"T":"instrument","S":"A","sector":"z"}` + "\n" + `{"T":"instrument","S":"B","sector":"x"}` + "\n" + `{"T":"instrument","S":"C","sector":"y"}` + "\n"
			if r := send("ana", instruments); counts(r) != "+2 -1 =0 last 0" || r.Errors[0].Line != 3 || r.Errors[0].Field != "S" || !strings.HasPrefix(r.Errors[0].Reason, `"C": forbidden`) {
				t.Errorf("instruments: %+v", r)
			}
			send("everything", instruments)
			quotes := ""
			for _, symbol := range []string{"A", "B", "C", "D"} {
				quotes += fmt.Sprintf(`{"T":"q","S":"%s","p":1.5}`+"\n", symbol)
			}
			r := send("ana", quotes)
			if counts(r) != "+2 -2 =0 last 0" || r.Errors[0].Line != 3 || r.Errors[1].Line != 4 ||
				strings.Replace(r.Errors[0].Reason, "C", "D", 1) != r.Errors[1].Reason || r.Errors[0].Field != "S" {
				t.Errorf("quotes of ana: %+v", r)
			}
			if r := send("bob", quotes); counts(r) != "+1 -3 =0 last 0" {
				t.Errorf("quotes of bob: %+v", r)
			}
			if r := send("everything", quotes); counts(r) != "+3 -1 =0 last 0" || !strings.Contains(r.Errors[0].Reason, "unknown") {
				t.Errorf("quotes of everything: %+v", r)
			}
			if got := f.TickLog.Head().Seq; got != 6 {
				t.Errorf("%d ticks", got)
			}
		})
	}
}

// TestSourceOfAnotherSubject: a sequence belongs to the subject that used its name first.
func TestSourceOfAnotherSubject(t *testing.T) {
	t.Parallel()
	f := newOwnedFeedServer(t, nil)
	line := `{"T":"instrument","S":"A","sector":"x","n":5}` + "\n"
	if c, text := f.Post("/api/ingest?source=desk", line, ndjson, withToken("ana")); c.Status != 200 {
		t.Fatalf("%d %s", c.Status, text)
	}
	c, text := f.Post("/api/ingest?source=desk", line, ndjson, withToken("bob"))
	if p := wantProblem(t, c, text, 403); p.Code != "forbidden" || !strings.Contains(p.Detail, "another subject") {
		t.Errorf("POST: %s", text)
	}
	c, text = f.Get("/api/ingest?source=desk", withToken("bob"))
	wantProblem(t, c, text, 403)
	c, text = f.Get("/ws/ingest?source=desk", append([]string{withToken("bob")}, testserver.Upgrade...)...)
	wantProblem(t, c, text, 403)
	c = f.Dial()
	c.Send("POST /api/ingest?source=desk HTTP/1.1\r\nHost: " + f.Addr + "\r\n" + ndjson + "\r\n" + withToken("bob") + "\r\nTransfer-Encoding: chunked\r\n\r\n")
	c.ReadHead()
	wantProblem(t, c, c.ReadBody(), 403)
	if _, text := f.Get("/api/ingest?source=desk", withToken("ana")); !strings.Contains(text, `"last":5`) {
		t.Errorf("her own: %s", text)
	}
	c, text = f.Get("/api/ingest?source=desk", withToken("reader"))
	wantProblem(t, c, text, 403)
}

// TestFeedOfExpiredToken: an open body and a WebSocket take nothing more once the token has expired.
func TestFeedOfExpiredToken(t *testing.T) {
	t.Parallel()
	f := newOwnedFeedServer(t, func(all tokens) {
		brief := principal(t, "brief", `[{"write":["*"]}]`)
		brief.Expires = time.Now().Add(-time.Hour) // as a token that expires while its connection is open
		all["brief"] = brief
	})
	line := `{"T":"instrument","S":"A","sector":"x"}` + "\n"
	c, _ := f.feedSocket("", withToken("brief"))
	c.SendText(line)
	for {
		op, payload := f.frame(c)
		if op == 8 {
			if code := uint16(payload[0])<<8 | uint16(payload[1]); code != wire.CloseUnauthorized {
				t.Errorf("closed with %d", code)
			}
			break
		}
		if r := answer(t, payload); r.Accepted > 0 {
			t.Errorf("accepted %+v", r)
		}
	}
	c = f.Dial()
	c.Send("POST /api/ingest HTTP/1.1\r\nHost: " + f.Addr + "\r\n" + ndjson + "\r\n" + withToken("brief") + "\r\nTransfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n", len(line), line))
	c.ReadHead()
	if r := answer(t, c.ReadBody()); c.Status != 401 || r.Accepted > 0 {
		t.Errorf("%d, %+v", c.Status, r)
	}
	if n := f.TickLog.Universe().Len(); n != 0 {
		t.Errorf("%d instruments", n)
	}
}
