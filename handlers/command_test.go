package handlers

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"ticklane/internal/wire"
)

// post sends a command for an SSE stream, on a connection of its own.
func (h *house) post(conn, body string, extra ...string) (*client, string) {
	h.Helper()
	c := h.dial()
	typed := false
	for _, line := range extra {
		typed = typed || strings.HasPrefix(line, "Content-Type:")
	}
	if !typed {
		extra = append(extra, "Content-Type: application/json")
	}
	c.ask("POST", "/sse/connections/"+conn, append(extra, fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body))...)
	defer c.nc.Close()
	return c, c.all()
}

// told reads a problem and checks its form.
func told(t testing.TB, c *client, body string, status int) problem {
	t.Helper()
	var p problem
	if err := json.Unmarshal([]byte(body), &p); err != nil || c.status != status || p.Status != status || p.Title == "" || p.Type != "about:blank" || p.Detail == "" {
		t.Fatalf("status %d, want a problem of %d: %v %.300s", c.status, status, err, body)
	}
	if got := c.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type %q", got)
	}
	if got := c.header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
	return p
}

func TestCommandsByPost(t *testing.T) {
	h := open(t, plan{})
	h.publish(40)
	c := h.sse("topics=S1")
	c.want("snapshot")

	answer, body := h.post(c.hello.Conn, `{"action":"subscribe","topics":["S2","S1","sector:odd"],"id":7}`, "Content-Type: application/json; charset=utf-8")
	var m message
	if err := json.Unmarshal([]byte(body), &m); err != nil || answer.status != 200 || m.T != "subscription" || m.I != 40 || *m.ID != 7 ||
		strings.Join(m.Topics, " ") != "S1 S2 sector:odd" {
		t.Fatalf("%d %s", answer.status, body)
	}
	carried := c.want("subscription")
	if carried.text != body || carried.event != "subscription" || carried.id != c.last {
		t.Errorf("the stream has %s, the answer %s", carried.text, body)
	}
	if snap := c.want("snapshot"); snap.I != 40 || len(snap.Quotes) != 10 { // S2 and the odd ones but the quiet S19, S1 again
		t.Errorf("%d quotes: %.200s", len(snap.Quotes), snap.text)
	}

	// Ticks of the old topics end at exactly i.
	stop := h.steady(2000)
	for range 200 {
		c.want("q")
	}
	answer, body = h.post(c.hello.Conn, `{"action":"unsubscribe","topics":["S2","sector:odd"]}`)
	stop()
	m = message{}
	if err := json.Unmarshal([]byte(body), &m); err != nil || answer.status != 200 || m.ID != nil || strings.Join(m.Topics, " ") != "S1" {
		t.Fatalf("%d %s", answer.status, body)
	}
	h.publish(19 * 3)
	place, after, left := uint64(0), false, 0
	for left < 3 {
		got := c.next()
		switch {
		case got.T == "subscription":
			if after = true; got.I != m.I || got.I < place {
				t.Fatalf("%s after %d", got.text, place)
			}
		case got.T == "q" && after:
			if got.S != "S1" || got.I <= m.I {
				t.Fatalf("%s after unsubscribe at %d", got.text, m.I)
			}
			left++
		case got.T == "q":
			if place = got.I; got.I > m.I {
				t.Fatalf("%s before the change at %d", got.text, m.I)
			}
		default:
			t.Fatalf("%s", got.text)
		}
	}

	_, body = h.post(c.hello.Conn, `{"action":"time","id":-3}`)
	m = message{}
	if err := json.Unmarshal([]byte(body), &m); err != nil || m.T != "time" || *m.ID != -3 || m.Received == 0 || m.Sent < m.Received {
		t.Errorf("%s", body)
	}
	if _, body = h.post(c.hello.Conn, `{"action":"unsubscribe","topics":["S1"]}`); !strings.Contains(body, `"topics":[]`) {
		t.Errorf("nothing left: %s", body)
	}
}

func TestCommandsByPostRefused(t *testing.T) {
	h := open(t, plan{settings: func(s *Settings) { s.MessageBurst, s.MessageRate = 1000, 1000 }})
	c := h.sse("topics=S1")
	socket := h.ws("topics=S1")
	many := `["S1","S2","S3","S4","S5","S6","S7","S8","S9"]`
	for _, q := range []struct {
		conn, body, header string
		status             int
		code, says         string
	}{
		{c.hello.Conn, `{"action":"time"}`, "Content-Type: text/plain", 415, "", "Content-Type"},
		{c.hello.Conn, `{"action":"time"}`, "Content-Type: text/plain; application/json", 415, "", "Content-Type"},
		{c.hello.Conn, `{"action":"time"}`, "Content-Type:", 415, "", "Content-Type"},
		{c.hello.Conn, `{"action":"time"}`, "Origin: http://evil.example", 403, "", "Origin"},
		{c.hello.Conn, `{"action":"time"}`, "Origin: null", 403, "", "Origin"},
		{strings.Repeat("0", 32), `{"action":"time"}`, "X: y", 404, "", "conn"},
		{"x", `{"action":"time"}`, "X: y", 404, "", "conn"},
		{h.log.Find(c.hello.Conn).ID(), `{"action":"time"}`, "X: y", 404, "", "conn"},
		{socket.hello.Conn, `{"action":"time"}`, "X: y", 404, "", "conn"},
		{c.hello.Conn, ``, "X: y", 400, "bad_json", "JSON"},
		{c.hello.Conn, `{"action":`, "X: y", 400, "bad_json", "JSON"},
		{c.hello.Conn, `{"action":"time","id":"x"}`, "X: y", 400, "bad_json", "id"},
		{c.hello.Conn, `{"action":"dance","id":9}`, "X: y", 400, "unknown_action", "dance"},
		{c.hello.Conn, `{"action":"subscribe","topics":["NOPE"],"id":9}`, "X: y", 400, "unknown_topic", "NOPE"},
		{c.hello.Conn, `{"action":"unsubscribe","topics":["NOPE"],"id":9}`, "X: y", 400, "unknown_topic", "NOPE"},
		{c.hello.Conn, `{"action":"subscribe","topics":` + many + `,"id":9}`, "X: y", 400, "too_many_topics", "topics"},
		{c.hello.Conn, `{"action":"subscribe","topics":["` + strings.Repeat("x", 5000) + `"]}`, "X: y", 413, "", "body"},
	} {
		answer, body := h.post(q.conn, q.body, q.header)
		p := told(t, answer, body, q.status)
		if p.Code != q.code || !strings.Contains(p.Detail, q.says) || (q.code != "" && (p.T != "error" || p.Msg == "")) {
			t.Errorf("%.60s: %s", q.body, body)
		}
		if strings.Contains(q.body, `"id":9`) && (p.ID == nil || *p.ID != 9) {
			t.Errorf("%.60s: the id is missing: %s", q.body, body)
		}
	}
	answer, _ := h.post(c.hello.Conn, `{"action":"time"}`, "Origin: http://"+h.addr)
	if answer.status != 200 {
		t.Errorf("own origin: %d", answer.status)
	}
	// Above limits.body_size the server doesn't even read it.
	big := h.dial()
	big.ask("POST", "/sse/connections/"+c.hello.Conn, "Content-Type: application/json", "Content-Length: 100000000")
	if big.status != 413 {
		t.Errorf("100 MB: %d", big.status)
	}
}

func TestCommandsByPostPaced(t *testing.T) {
	h := open(t, plan{settings: func(s *Settings) { s.MessageBurst, s.MessageRate = 5, 1e-6 }})
	c, other := h.sse(""), h.sse("")
	for i := range 7 {
		answer, body := h.post(c.hello.Conn, `{"action":"time"}`)
		if i < 5 {
			if answer.status != 200 {
				t.Errorf("command %d: %d %s", i, answer.status, body)
			}
			continue
		}
		if p := told(t, answer, body, 429); p.Code != "rate" || answer.header.Get("Retry-After") == "" {
			t.Errorf("command %d: %s", i, body)
		}
	}
	if answer, _ := h.post(other.hello.Conn, `{"action":"time"}`); answer.status != 200 {
		t.Errorf("another stream's command: %d", answer.status)
	}
	c.cut(true)
	other.cut(true)
	h.publish(1)
	until(t, "the streams' end", func() bool { h.publish(1); return h.live() == 0 })
	h.server.paces.Range(func(k, v any) bool { t.Error("the limiter of an ended stream stays"); return false })
}

func TestConnectionCounters(t *testing.T) {
	onLanes(t, plan{}, func(h *house, lane wire.Lane) {
		c := h.stream(lane, "topics=S1&user=ann")
		h.publish(19 * 4)
		for c.want2("q").N < 4 {
		}
		// A write is counted when it returns, and its bytes may be here before.
		sub := h.log.Find(c.hello.Conn)
		until(t, "the last write's count", func() bool { n := sub.Counters(); return n.Wire > n.Payload })
		path := "/" + lane.String() + "/connections/"
		var info struct {
			ID, Lane, Encoding, User, Mode, Conn string
			Ticks                                uint64
			Wire                                 uint64 `json:"wire_bytes"`
			Payload                              uint64 `json:"payload_bytes"`
		}
		answer, body := h.get(path + c.hello.Conn)
		if err := json.Unmarshal([]byte(body), &info); err != nil || answer.status != 200 || info.Lane != lane.String() || info.Encoding != c.format.Encoding().String() || info.User != "ann" ||
			info.Ticks != 4 || info.Payload == 0 || info.Wire <= info.Payload || info.ID == "" {
			t.Errorf("%d %s", answer.status, body)
		}
		_, list := h.get("/api/connections")
		if !strings.Contains(list, info.ID) {
			t.Errorf("list %s has no %s", list, info.ID)
		}
		_, stats := h.get("/api/stats")
		_, scrape := h.get("/metrics")
		for what, text := range map[string]string{"connection": body, "list": list, "stats": stats, "metrics": scrape} {
			if strings.Contains(text, c.hello.Conn) {
				t.Errorf("%s tells the secret: %s", what, text)
			}
		}
		for _, other := range []string{info.ID, "x", strings.Repeat("0", 32)} {
			answer, body := h.get(path + other)
			told(t, answer, body, 404)
		}
		wrong := "/" + map[wire.Lane]string{wire.SSE: "ws", wire.WS: "sse"}[lane] + "/connections/"
		answer, body = h.get(wrong + c.hello.Conn)
		told(t, answer, body, 404)
	})
}

// want2 returns the next message of type t behind the snapshot.
func (c *client) want2(t string) message {
	c.Helper()
	for {
		if m := c.next(); m.T == t {
			return m
		} else if m.T != "snapshot" {
			c.Fatalf("%s", m.text)
		}
	}
}
