package handlers_test

import (
	"encoding/json"
	"strings"
	"testing"

	"ticklane/handlers"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
	"ticklane/internal/wire/wiretest"
)

func TestCommandsByPost(t *testing.T) { onEngines(t, testCommandsByPost) }

func testCommandsByPost(t *testing.T, engine string) {
	srv := newTestServer(t, testserver.Options{Engine: engine})
	srv.Publish(40)
	c := srv.SSE("topics=S1")
	c.Want("snapshot")

	answer, body := srv.PostCommand(c.Hello.Conn, `{"action":"subscribe","topics":["S2","S1","sector:odd"],"id":7}`, "Content-Type: application/json; charset=utf-8")
	var m wiretest.Message
	if err := json.Unmarshal([]byte(body), &m); err != nil || answer.Status != 200 || m.T != "subscription" || m.I != 40 || *m.ID != 7 ||
		strings.Join(m.Topics, " ") != "S1 S2 sector:odd" {
		t.Fatalf("%d %s", answer.Status, body)
	}
	carried := c.Want("subscription")
	if carried.Text != body || carried.Event != "subscription" || carried.EventID != "" {
		t.Errorf("the stream has %s, the answer %s", carried.Text, body)
	}
	if snap := c.Want("snapshot"); snap.I != 40 || len(snap.Quotes) != 10 { // S2 and the odd ones except the quiet S19; S1 is repeated
		t.Errorf("%d quotes: %.200s", len(snap.Quotes), snap.Text)
	}

	// Ticks of the old topics end at exactly i.
	stop := srv.PublishRate(2000)
	for range 200 {
		c.Want("q")
	}
	answer, body = srv.PostCommand(c.Hello.Conn, `{"action":"unsubscribe","topics":["S2","sector:odd"]}`)
	stop()
	m = wiretest.Message{}
	if err := json.Unmarshal([]byte(body), &m); err != nil || answer.Status != 200 || m.ID != nil || strings.Join(m.Topics, " ") != "S1" {
		t.Fatalf("%d %s", answer.Status, body)
	}
	srv.Publish(19 * 3)
	place, after, left := uint64(0), false, 0
	for left < 3 {
		got := c.Next()
		switch {
		case got.T == "subscription":
			if after = true; got.I != m.I || got.I < place {
				t.Fatalf("%s after %d", got.Text, place)
			}
		case got.T == "q" && after:
			if got.S != "S1" || got.I <= m.I {
				t.Fatalf("%s after unsubscribe at %d", got.Text, m.I)
			}
			left++
		case got.T == "q":
			if place = got.I; got.I > m.I {
				t.Fatalf("%s before the change at %d", got.Text, m.I)
			}
		default:
			t.Fatalf("%s", got.Text)
		}
	}

	_, body = srv.PostCommand(c.Hello.Conn, `{"action":"time","id":-3}`)
	m = wiretest.Message{}
	if err := json.Unmarshal([]byte(body), &m); err != nil || m.T != "time" || *m.ID != -3 || m.Received == 0 || m.Sent < m.Received {
		t.Errorf("%s", body)
	}
	if _, body = srv.PostCommand(c.Hello.Conn, `{"action":"unsubscribe","topics":["S1"]}`); !strings.Contains(body, `"topics":[]`) {
		t.Errorf("nothing left: %s", body)
	}
}

func TestCommandsByPostRefused(t *testing.T) {
	srv := newTestServer(t, testserver.Options{Settings: func(s *handlers.Settings) { s.MessageBurst, s.MessageRate = 1000, 1000 }})
	c := srv.SSE("topics=S1")
	socket := srv.WS("topics=S1")
	many := `["S1","S2","S3","S4","S5","S6","S7","S8","S9"]`
	for _, q := range []struct {
		conn, body, header string
		status             int
		code, says         string
	}{
		{c.Hello.Conn, `{"action":"time"}`, "Content-Type: text/plain", 415, "", "Content-Type"},
		{c.Hello.Conn, `{"action":"time"}`, "Content-Type: text/plain; application/json", 415, "", "Content-Type"},
		{c.Hello.Conn, `{"action":"time"}`, "Content-Type:", 415, "", "Content-Type"},
		{c.Hello.Conn, `{"action":"time"}`, "Origin: http://evil.example", 403, "", "Origin"},
		{c.Hello.Conn, `{"action":"time"}`, "Origin: null", 403, "", "Origin"},
		{strings.Repeat("0", 32), `{"action":"time"}`, "X: y", 404, "", "conn"},
		{"x", `{"action":"time"}`, "X: y", 404, "", "conn"},
		{srv.TickLog.Find(c.Hello.Conn).ID(), `{"action":"time"}`, "X: y", 404, "", "conn"},
		{socket.Hello.Conn, `{"action":"time"}`, "X: y", 404, "", "conn"},
		{c.Hello.Conn, ``, "X: y", 400, "bad_json", "JSON"},
		{c.Hello.Conn, `{"action":`, "X: y", 400, "bad_json", "JSON"},
		{c.Hello.Conn, `{"action":"time","id":"x"}`, "X: y", 400, "bad_json", "id"},
		{c.Hello.Conn, `{"action":"dance","id":9}`, "X: y", 400, "unknown_action", "dance"},
		{c.Hello.Conn, `{"action":"subscribe","topics":["NOPE"],"id":9}`, "X: y", 400, "unknown_topic", "NOPE"},
		{c.Hello.Conn, `{"action":"unsubscribe","topics":["NOPE"],"id":9}`, "X: y", 400, "unknown_topic", "NOPE"},
		{c.Hello.Conn, `{"action":"subscribe","topics":` + many + `,"id":9}`, "X: y", 400, "too_many_topics", "topics"},
		{c.Hello.Conn, `{"action":"subscribe","topics":["` + strings.Repeat("x", 5000) + `"]}`, "X: y", 413, "", "body"},
	} {
		answer, body := srv.PostCommand(q.conn, q.body, q.header)
		p := wantProblem(t, answer, body, q.status)
		if p.Code != q.code || !strings.Contains(p.Detail, q.says) || (q.code != "" && (p.T != "error" || p.Msg == "")) {
			t.Errorf("%.60s: %s", q.body, body)
		}
		if strings.Contains(q.body, `"id":9`) && (p.ID == nil || *p.ID != 9) {
			t.Errorf("%.60s: the id is missing: %s", q.body, body)
		}
	}
	answer, _ := srv.PostCommand(c.Hello.Conn, `{"action":"time"}`, "Origin: http://"+srv.Addr)
	if answer.Status != 200 {
		t.Errorf("own origin: %d", answer.Status)
	}
	// A body over limits.body_size is not even read.
	big := srv.Dial()
	big.Request("POST", "/sse/connections/"+c.Hello.Conn, "Content-Type: application/json", "Content-Length: 100000000")
	if big.Status != 413 {
		t.Errorf("100 MB: %d", big.Status)
	}
}

func TestCommandsByPostPaced(t *testing.T) { onEngines(t, testCommandsByPostPaced) }

func testCommandsByPostPaced(t *testing.T, engine string) {
	srv := newTestServer(t, testserver.Options{Engine: engine, Settings: func(s *handlers.Settings) { s.MessageBurst, s.MessageRate = 5, 1e-6 }})
	c, other := srv.SSE(""), srv.SSE("")
	for i := range 7 {
		answer, body := srv.PostCommand(c.Hello.Conn, `{"action":"time"}`)
		if i < 5 {
			if answer.Status != 200 {
				t.Errorf("command %d: %d %s", i, answer.Status, body)
			}
			continue
		}
		if p := wantProblem(t, answer, body, 429); p.Code != "rate" || answer.Header.Get("Retry-After") == "" {
			t.Errorf("command %d: %s", i, body)
		}
	}
	if answer, _ := srv.PostCommand(other.Hello.Conn, `{"action":"time"}`); answer.Status != 200 {
		t.Errorf("another stream's command: %d", answer.Status)
	}
	c.Cut(true)
	other.Cut(true)
	srv.Publish(1)
	testkit.Eventually(t, func() bool { srv.Publish(1); return liveStreams(srv) == 0 }, "the streams' end")
	if n := srv.Handlers.CommandLimiters(); n > 0 {
		t.Errorf("%d limiters of ended streams remain", n)
	}
}

func TestConnectionCounters(t *testing.T) {
	onLanes(t, testserver.Options{}, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		c := srv.Stream(lane, "topics=S1&user=ann")
		srv.Publish(19 * 4)
		for c.WaitFor("q", "snapshot").N < 4 {
		}
		// A write is counted when it returns; its bytes may arrive before.
		sub := srv.TickLog.Find(c.Hello.Conn)
		testkit.Eventually(t, func() bool { n := sub.Counters(); return n.Wire > n.Payload }, "the last write's count")
		path := "/" + lane.String() + "/connections/"
		var info struct {
			ID, Lane, Encoding, User, Mode, Conn string
			Ticks                                uint64
			Wire                                 uint64 `json:"wire_bytes"`
			Payload                              uint64 `json:"payload_bytes"`
		}
		answer, body := srv.Get(path + c.Hello.Conn)
		if err := json.Unmarshal([]byte(body), &info); err != nil || answer.Status != 200 || info.Lane != lane.String() || info.Encoding != c.Format.Encoding().String() || info.User != "ann" ||
			info.Ticks != 4 || info.Payload == 0 || info.Wire <= info.Payload || info.ID == "" {
			t.Errorf("%d %s", answer.Status, body)
		}
		_, list := srv.Get("/api/connections")
		if !strings.Contains(list, info.ID) {
			t.Errorf("list %s has no %s", list, info.ID)
		}
		_, stats := srv.Get("/api/stats")
		_, scrape := srv.Get("/metrics")
		for what, text := range map[string]string{"connection": body, "list": list, "stats": stats, "metrics": scrape} {
			if strings.Contains(text, c.Hello.Conn) {
				t.Errorf("%s contains the secret id: %s", what, text)
			}
		}
		for _, other := range []string{info.ID, "x", strings.Repeat("0", 32)} {
			answer, body := srv.Get(path + other)
			wantProblem(t, answer, body, 404)
		}
		wrong := "/" + map[wire.Lane]string{wire.SSE: "ws", wire.WS: "sse"}[lane] + "/connections/"
		answer, body = srv.Get(wrong + c.Hello.Conn)
		wantProblem(t, answer, body, 404)
	})
}

// TestConnectionPages checks that pages list each stream once, also when one of them ends in between.
func TestConnectionPages(t *testing.T) {
	srv := newTestServer(t, testserver.Options{})
	streams := []*testserver.Client{}
	for i := range 7 {
		streams = append(streams, srv.Stream(lanes[i%2], ""))
	}
	type page struct {
		Connections []struct{ ID string }
		Next        string
		Total       struct{ SSE, WS int }
	}
	seen := map[string]bool{}
	for cursor, pages := "", 0; ; pages++ {
		var p page
		answer, body := srv.Get("/api/connections?limit=3" + cursor)
		if err := json.Unmarshal([]byte(body), &p); err != nil || answer.Status != 200 || len(p.Connections) > 3 {
			t.Fatalf("%d %s", answer.Status, body)
		}
		if pages == 0 && (p.Total.SSE != 4 || p.Total.WS != 3) {
			t.Errorf("total %+v", p.Total)
		}
		for _, c := range p.Connections {
			if seen[c.ID] {
				t.Errorf("%s is listed twice", c.ID)
			}
			seen[c.ID] = true
		}
		if p.Next == "" {
			break
		}
		if pages == 0 {
			streams[1].Cut(true) // of the first page
			testkit.Eventually(t, func() bool { return liveStreams(srv) == 6 }, "the stream's end")
		}
		cursor = "&cursor=" + p.Next
	}
	if len(seen) != 7 {
		t.Errorf("%d streams listed, want 7", len(seen))
	}
	for _, query := range []string{"limit=1001", "limit=0", "cursor=x", "cursor=1", "cursor=-1-a"} {
		answer, body := srv.Get("/api/connections?" + query)
		wantProblem(t, answer, body, 400)
	}
}
