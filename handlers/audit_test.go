package handlers_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ticklane/handlers"
	"ticklane/internal/audit"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

// auditLog is an audit log in a file.
type auditLog struct {
	testing.TB
	log  *audit.Log
	file string
}

func newAuditLog(t testing.TB) *auditLog {
	t.Helper()
	a := &auditLog{TB: t, file: filepath.Join(t.TempDir(), "audit.log")}
	var err error
	if a.log, err = audit.Open(a.file, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.log.Close() })
	return a
}

// wait returns the newest event of a kind with these fields, once it is written.
func (a *auditLog) wait(kind string, fields map[string]any) (found map[string]any) {
	a.Helper()
	testkit.Eventually(a, func() bool {
		text, err := os.ReadFile(a.file)
		if err != nil {
			a.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			var e map[string]any
			if json.Unmarshal(line, &e) != nil || e["event"] != kind {
				continue
			}
			match := true
			for k, v := range fields {
				match = match && fmt.Sprint(e[k]) == fmt.Sprint(v)
			}
			if match {
				found = e
			}
		}
		return found != nil
	}, kind+" with "+fmt.Sprint(fields))
	return found
}

func TestAuditOfRequests(t *testing.T) {
	t.Parallel()
	log := newAuditLog(t)
	srv := newAuthServer(t, testserver.Options{Deps: func(d *handlers.Deps) {
		d.Audit, d.Lab = log.log, &handlers.Lab{SetRate: func(float64) error { return nil }}
	}})
	srv.Get("/metrics", withToken("reader"))
	log.wait(audit.Request, map[string]any{"subject": "reader", "token": "reader-token", "address": "127.0.0.1", "route": "GET /metrics",
		"decision": "denied", "reason": `This needs the right "metrics", which your token doesn't have.`})
	srv.Get("/api/symbols", withToken("unknown"))
	log.wait(audit.Request, map[string]any{"subject": nil, "route": "GET /api/symbols", "reason": "the token is not valid: unknown"})
	srv.Get("/api/symbols")
	log.wait(audit.Request, map[string]any{"reason": "no credentials"})
	srv.Get("/sse/connections/5f0c61f6a7e94f3fb8a1a2f9d0c4be17")
	log.wait(audit.Request, map[string]any{"route": "GET /sse/connections/:conn"})
	if c, body := srv.Post("/api/lab/rate", `{"rate":5}`, withToken("lab")); c.Status != 200 {
		t.Fatalf("status %d: %s", c.Status, body)
	}
	log.wait(audit.Action, map[string]any{"subject": "lab", "token": "lab-token", "route": "POST /api/lab/rate", "decision": "allowed"})
}

func TestAuditOfStreams(t *testing.T) {
	onEngines(t, func(t *testing.T, engine string) {
		log := newAuditLog(t)
		srv := newAuthServer(t, testserver.Options{Engine: engine, Deps: func(d *handlers.Deps) { d.Audit = log.log }})
		for _, lane := range lanes {
			c := srv.Dial()
			c.RequestStream(lane, "topics=S0,sector:odd&limit=1", withToken("reader"))
			c.ReadHello()
			want := map[string]any{"subject": "reader", "token": "reader-token", "address": "127.0.0.1", "lane": lane, "topics": "[S0 sector:odd]"}
			want["id"] = log.wait(audit.StreamOpen, want)["id"]
			if id := fmt.Sprint(want["id"]); len(id) != 8 || strings.Contains(c.Hello.Conn, id) {
				t.Errorf("id %s, want the public one", id)
			}
			srv.PublishSymbols(0)
			c.WaitFor("bye", "snapshot", "q")
			c.NetConn.Close()
			want["reason"] = "limit"
			log.wait(audit.StreamEnd, want)
		}
	})
}

func TestAuditOfCommands(t *testing.T) {
	onEngines(t, func(t *testing.T, engine string) {
		log := newAuditLog(t)
		srv := newAuthServer(t, testserver.Options{Engine: engine, Deps: func(d *handlers.Deps) {
			d.Audit = log.log
			d.Auth.(tokens)["one"] = principal(t, "one", `[{"read":["S0"]}]`)
		}})
		ws := srv.WS("topics=S0", withToken("one"))
		ws.SendText(`{"action":"subscribe","topics":["S0","S1"]}`)
		ws.WaitFor("error", "snapshot")
		log.wait(audit.Command, map[string]any{"subject": "one", "token": "one-token", "address": "127.0.0.1", "lane": "ws", "decision": "denied", "topics": "[S0]",
			"reason": "forbidden_topic: topics: no right to read the topic \"S1\": /api/symbols lists what you may read, and \"*\" stands for all of it"})
		ws.SendText(`{"action":"auth","token":"revoked-reader"}`)
		ws.WaitFor("error", "snapshot")
		log.wait(audit.Command, map[string]any{"subject": "one", "decision": "denied", "reason": "invalid_token: the token was revoked"})
		sse := srv.SSE("topics=S0", withToken("one"))
		c, _ := srv.PostCommand(sse.Hello.Conn, `{"action":"subscribe","topics":["S1"]}`, withToken("one"))
		if c.Status != 403 {
			t.Errorf("status %d", c.Status)
		}
		log.wait(audit.Request, map[string]any{"subject": "one", "route": "POST /sse/connections/:conn", "decision": "denied"})
		c, _ = srv.PostCommand(sse.Hello.Conn, `{"action":"auth","token":"unknown"}`, withToken("one"))
		if c.Status != 401 || c.Header.Get("Www-Authenticate") == "" {
			t.Errorf("status %d, %v", c.Status, c.Header)
		}
		late := openWS(srv, "topics=S0")
		late.SendText(`{"action":"auth","token":"unknown"}`)
		late.WaitFor("bye", "error")
		log.wait(audit.Command, map[string]any{"subject": nil, "address": "127.0.0.1", "route": "GET /ws/subscribe", "decision": "denied", "reason": "invalid_token: the token is not valid"})
	})
}

// TestStreamsOfASubject: the limit of a subject counts its streams on both lanes together, and frees them when they end.
func TestStreamsOfASubject(t *testing.T) {
	onEngines(t, func(t *testing.T, engine string) {
		srv := newAuthServer(t, testserver.Options{Engine: engine})
		open := map[wire.Lane]*testserver.Client{}
		for _, lane := range lanes {
			c := srv.Dial()
			c.RequestStream(lane, "topics=S0", withToken("two-streams"))
			c.ReadHello()
			open[lane] = c
		}
		ws := srv.Dial()
		ws.RequestWS("topics=S0", withToken("two-streams"))
		wantEnd(ws, wire.ByeOverload, wire.CloseOverload)
		sse := srv.Dial()
		sse.RequestSSE("topics=S0", withToken("two-streams"))
		if bye := sse.Want("bye"); bye.Reason != wire.ByeOverload || bye.Retry < 2000 {
			t.Errorf("%s", bye.Text)
		}
		c, body := srv.Get("/sse/subscribe?topics=S0", withToken("two-streams"), "Accept: application/json")
		if p := wantProblem(t, c, body, 503); p.Detail != "No stream can be opened now: streams is reached, a limit of the token's rights: 2 open streams of its subject." {
			t.Errorf("%s", p.Detail)
		}
		head := srv.Dial()
		head.Request("HEAD", "/sse/subscribe?topics=S0", withToken("two-streams"), "Accept: application/json")
		if head.Status != 503 {
			t.Errorf("HEAD: status %d", head.Status)
		}
		other := srv.Dial()
		other.RequestSSE("topics=S0", withToken("reader"))
		other.ReadHello()
		for _, lane := range lanes {
			open[lane].NetConn.Close()
			testkit.Eventually(t, func() bool {
				srv.PublishSymbols(0) // a failed write is how the end is noticed
				c := srv.Dial()
				defer c.NetConn.Close()
				c.RequestStream(lane, "topics=S0&limit=1", withToken("two-streams"))
				return c.Next().T == "hello"
			}, "the slot of a "+lane.String()+" stream")
		}
	})
}
