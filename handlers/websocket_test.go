package handlers

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"ticklane/internal/wire"
)

func TestHandshake(t *testing.T) {
	h := open(t, plan{settings: func(s *Settings) { s.Origins = []string{"https://desk.example.com"} }})
	without := func(name string, extra ...string) []string {
		var kept []string
		for _, line := range upgrade {
			if !strings.HasPrefix(line, name+":") {
				kept = append(kept, line)
			}
		}
		return append(kept, extra...)
	}
	for _, c := range []struct {
		name   string
		lines  []string
		status int
		says   string
	}{
		{"plain GET", nil, 426, "WebSocket"},
		{"no Upgrade", without("Upgrade"), 426, "WebSocket"},
		{"other Upgrade", without("Upgrade", "Upgrade: h2c"), 426, "WebSocket"},
		{"no Connection", without("Connection"), 426, "WebSocket"},
		{"no version", without("Sec-WebSocket-Version"), 426, "Version"},
		{"version 8", without("Sec-WebSocket-Version", "Sec-WebSocket-Version: 8"), 426, "Version"},
		{"no key", without("Sec-WebSocket-Key"), 400, "Key"},
		{"short key", without("Sec-WebSocket-Key", "Sec-WebSocket-Key: abcd"), 400, "Key"},
		{"not base64", without("Sec-WebSocket-Key", "Sec-WebSocket-Key: !!!!HNhbXBsZSBub25jZQ=="), 400, "Key"},
		{"two keys", without("X", "Sec-WebSocket-Key: "+handshakeKey), 400, "Key"},
		{"two versions", without("X", "Sec-WebSocket-Version: 13"), 426, "Version"},
		{"foreign origin", without("X", "Origin: http://evil.example"), 403, "Origin"},
		{"null origin", without("X", "Origin: null"), 403, "Origin"},
		{"other port", without("X", "Origin: http://127.0.0.1:1"), 403, "Origin"},
		{"host as prefix", without("X", "Origin: http://"+h.addr+".evil.example"), 403, "Origin"},
		{"host as user", without("X", "Origin: http://"+h.addr+"@evil.example"), 403, "Origin"},
		{"unknown subprotocol", without("X", "Sec-WebSocket-Protocol: chat"), 400, "Protocol"},
		{"subprotocol in capitals", without("X", "Sec-WebSocket-Protocol: TICKLANE.v1.protobuf, "), 400, "Protocol"},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer, body := h.get("/ws/subscribe", c.lines...)
			p := told(t, answer, body, c.status)
			if !strings.Contains(p.Detail, c.says) {
				t.Errorf("%s", body)
			}
			if c.status == 426 && answer.header.Get("Upgrade") == "" && answer.header.Get("Sec-WebSocket-Version") != "13" {
				t.Errorf("the answer doesn't tell what is wanted: %v", answer.header)
			}
			if answer.header.Get("Upgrade") != "" && answer.header.Get("Connection") != "Upgrade" { // RFC 9110 §7.8
				t.Errorf("Upgrade without its token in Connection: %v", answer.header)
			}
		})
	}
	for _, method := range []string{"HEAD", "POST"} {
		c := h.dial()
		c.ask(method, "/ws/subscribe", append(append([]string{}, upgrade...), "Content-Length: 0")...)
		if c.status == 101 || c.status >= 500 {
			t.Errorf("%s: %d", method, c.status)
		}
	}
	opened := 0
	for _, c := range []struct{ line, subprotocol string }{
		{"X-No-Origin: 1", ""}, {"Origin: http://" + h.addr, ""}, {"Origin: https://desk.example.com", ""}, {"Origin: HTTPS://DESK.EXAMPLE.COM", ""},
		{"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits", ""},
		// The first that we know is the client's favourite.
		{"Sec-WebSocket-Protocol: ticklane.v1.json", subprotocolJSON},
		{"Sec-WebSocket-Protocol: chat, ticklane.v1.json", subprotocolJSON},
		{"Sec-WebSocket-Protocol: ticklane.v1.protobuf", subprotocolProto},
		{"Sec-WebSocket-Protocol: chat,ticklane.v1.protobuf , ticklane.v1.json", subprotocolProto},
		{"Sec-WebSocket-Protocol: ticklane.v1.json, ticklane.v1.protobuf", subprotocolJSON},
		{"Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: ticklane.v1.protobuf\r\nSec-WebSocket-Protocol: ticklane.v1.json", subprotocolProto},
	} {
		w := h.ws("", c.line)
		opened++
		if got := w.header.Get("Sec-Websocket-Protocol"); got != c.subprotocol || (w.format == wire.WSProto) != (got == subprotocolProto) {
			t.Errorf("%s: subprotocol %q", c.line, got)
		}
		if w.header.Get("Sec-Websocket-Extensions") != "" || w.header.Get("Content-Length") != "" {
			t.Errorf("%s: %v", c.line, w.header)
		}
		w.cut(true)
	}
	if n := h.log.Lane(wire.WS).Opened; n != uint64(opened) {
		t.Errorf("%d streams were opened", n)
	}
}

func TestWebSocketCommands(t *testing.T) {
	onSubprotocols(t, plan{}, func(t *testing.T, h *house) {
		h.publish(40)
		c := h.ws("topics=S1")
		c.want("snapshot")
		c.say(`{"action":"subscribe","topics":["S2","sector:odd"],"id":5}`)
		m := c.want("subscription")
		if m.I != 40 || *m.ID != 5 || strings.Join(m.Topics, " ") != "S1 S2 sector:odd" {
			t.Errorf("%s", m.text)
		}
		if snap := c.want("snapshot"); snap.I != 40 || len(snap.Quotes) != 10 {
			t.Errorf("%d quotes", len(snap.Quotes))
		}
		before := time.Now().UnixMicro()
		c.say(`{"action":"time","id":6}`)
		if m := c.want("time"); *m.ID != 6 || m.Received < before || m.Sent < m.Received {
			t.Errorf("%s", m.text)
		}
		for _, e := range []struct{ send, code, says string }{
			{`nonsense`, "bad_json", "JSON"},
			{``, "bad_json", "JSON"},
			{`{"action":"dance"}`, "unknown_action", "dance"},
			{`{"action":"subscribe","topics":["NOPE"]}`, "unknown_topic", "NOPE"},
			{`{"action":"subscribe","topics":["S3","S4","S5","S6","S7","S8"]}`, "too_many_topics", "at most 8"},
		} {
			c.say(e.send)
			if m := c.want("error"); m.Code != e.code || !strings.Contains(m.Msg, e.says) {
				t.Errorf("%s: %s", e.send, m.text)
			}
		}
		c.say(`{"action":"unsubscribe","topics":["S1","S2","sector:odd"]}`)
		if m := c.want("subscription"); len(m.Topics) != 0 || !strings.Contains(m.text, `"topics":[]`) {
			t.Errorf("%s", m.text)
		}
		h.publish(100)
		c.say(`{"action":"subscribe","topics":["S3"]}`)
		if m := c.want("subscription"); m.I != 140 {
			t.Errorf("%s", m.text)
		}
		c.want("snapshot")
		h.publish(19)
		if m := c.want("q"); m.S != "S3" || m.I <= 140 {
			t.Errorf("%s", m.text)
		}
		c.write(ws.OpClose, true, string(ws.NewCloseFrameBody(1000, "done")))
		c.closes(1000)
		until(t, "the stream's end", func() bool { return h.live() == 0 })
	})
}

// TestWebSocketViolations checks that close codes reach a client with much unread input; package websocket has the codes.
func TestWebSocketViolations(t *testing.T) {
	onSubprotocols(t, plan{}, func(t *testing.T, h *house) {
		masked := func(f ws.Frame) string { return string(ws.MustCompileFrame(ws.MaskFrame(f))) }
		text := func(s string) ws.Frame { return ws.NewTextFrame([]byte(s)) }
		for _, c := range []struct {
			name, bytes string
			code        uint16
		}{
			{"too big by one", masked(text(strings.Repeat("x", 4097))), 1009},
			{"binary", masked(ws.NewBinaryFrame([]byte("x"))), 1003},
			{"not UTF-8", masked(text("\xff\xfe")), 1007},
			{"not masked", string(ws.MustCompileFrame(text("{}"))), 1002},
			{"close without code", masked(ws.NewCloseFrame(nil)), 1000},
			{"close", masked(ws.NewCloseFrame(ws.NewCloseFrameBody(4321, "mine"))), 4321},
		} {
			t.Run(c.name, func(t *testing.T) {
				cl := h.ws("topics=S1")
				cl.want("snapshot")
				if send := c.bytes; strings.HasPrefix(c.name, "close") {
					cl.send(send)
				} else {
					cl.send(send + strings.Repeat(masked(text("{}")), 100))
				}
				got, err := cl.end()
				if len(got) > 0 {
					t.Errorf("%d messages: %s", len(got), got[0].text)
				}
				var how closed
				if !errors.As(err, &how) || how.code != c.code {
					t.Errorf("%v, want close %d", err, c.code)
				}
				cl.cut(false)
			})
		}
		until(t, "the streams' end", func() bool { return h.live() == 0 })
	})
}

// TestCloseReachesABusyClient: one that is sending more than all buffers hold gets to its end and reads why.
func TestCloseReachesABusyClient(t *testing.T) {
	h := open(t, plan{})
	c := h.ws("topics=S1")
	c.want("snapshot")
	const size = 16 << 20
	head := binary.BigEndian.AppendUint64([]byte{0x81, 0xff}, size)
	c.send(string(head) + "\x00\x00\x00\x00" + strings.Repeat("x", size)) // a mask of zeros masks nothing
	if _, err := c.end(); !errors.Is(err, closed{1009, "a message is larger than limits.message_size"}) {
		t.Errorf("%v", err)
	}
	c.cut(false)
}

func TestFragmentsWithPingBetween(t *testing.T) {
	onSubprotocols(t, plan{}, func(t *testing.T, h *house) {
		c := h.ws("topics=S1")
		c.want("snapshot")
		text := `{"action":"time","id":1}`
		c.write(ws.OpText, false, text[:5])
		c.write(ws.OpPing, true, "between")
		c.write(ws.OpContinuation, false, "")
		c.write(ws.OpContinuation, false, text[5:9])
		c.write(ws.OpPong, true, "unasked")
		c.write(ws.OpContinuation, true, text[9:])
		if m := c.want("time"); *m.ID != 1 || len(c.pongs) != 1 || c.pongs[0] != "between" {
			t.Errorf("%s, pongs %q", m.text, c.pongs)
		}
	})
}

// TestPong: the same payload comes back, and never within another frame.
func TestPong(t *testing.T) {
	onSubprotocols(t, plan{symbols: 4000, settings: func(s *Settings) { s.MessageRate, s.MessageBurst, s.WriteBuffer = 1e5, 1e5, 4096 }}, func(t *testing.T, h *house) {
		h.publish(4000)
		c := h.narrow(wire.WS, "") // the snapshot of some 700 KB is stuck half-way
		var want []string
		for i := range 50 {
			p := strings.Repeat("p", i) + fmt.Sprint(i)
			want = append(want, p)
			c.write(ws.OpPing, true, p)
		}
		h.publish(500)
		c.write(ws.OpPing, true, "last")
		want = append(want, "last")
		if snap := c.want("snapshot"); len(snap.Quotes) != 3999 {
			t.Errorf("%d quotes", len(snap.Quotes))
		}
		for len(c.pongs) < len(want) {
			h.publish(1)
			c.want("q")
		}
		if strings.Join(c.pongs, ",") != strings.Join(want, ",") {
			t.Errorf("pongs %q", c.pongs)
		}
	})
}

// TestTooOften: first an error, then the door.
func TestTooOften(t *testing.T) {
	onSubprotocols(t, plan{settings: func(s *Settings) { s.MessageRate, s.MessageBurst = 1e-6, 5 }}, func(t *testing.T, h *house) {
		c := h.ws("topics=S1")
		c.want("snapshot")
		for i := range 11 {
			c.say(fmt.Sprintf(`{"action":"time","id":%d}`, i))
			switch {
			case i < 5:
				c.want("time")
			case i < 10:
				if m := c.want("error"); m.Code != "rate" {
					t.Errorf("%s", m.text)
				}
			}
		}
		c.closes(1008)

		for name, say := range map[string]func(*client, int){
			"pings":        func(c *client, _ int) { c.write(ws.OpPing, true, "x") },
			"empty pieces": func(c *client, i int) { c.write([]ws.OpCode{ws.OpText, ws.OpContinuation}[min(i, 1)], false, "") },
			"commands":     func(c *client, _ int) { c.say(`{"action":"subscribe","topics":["S2"]}`) },
		} {
			c := h.ws("topics=S1")
			c.want("snapshot")
			for i := range 11 {
				say(c, i)
			}
			if _, err := c.end(); !errors.Is(err, closed{1008, "too many messages"}) {
				t.Errorf("%s: %v", name, err)
			}
			c.cut(false)
		}
	})
}
