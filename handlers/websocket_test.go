package handlers_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"ticklane/handlers"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
	"ticklane/internal/wire/wiretest"
)

func TestHandshake(t *testing.T) { onEngines(t, testHandshake) }

func testHandshake(t *testing.T, engine string) {
	srv := newTestServer(t, testserver.Options{Engine: engine, Settings: func(s *handlers.Settings) { s.Origins = []string{"https://desk.example.com"} }})
	without := func(name string, extra ...string) []string {
		var kept []string
		for _, line := range testserver.Upgrade {
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
		detail string
	}{
		{"plain GET", nil, 426, "a proxy may have dropped the header Upgrade"},
		{"no Upgrade", without("Upgrade"), 426, "a proxy may have dropped the header Upgrade"},
		{"other Upgrade", without("Upgrade", "Upgrade: h2c"), 426, "a proxy may have dropped the header Upgrade"},
		{"no Connection", without("Connection"), 426, "a proxy may have dropped the header Upgrade"},
		{"no version", without("Sec-WebSocket-Version"), 426, "Version"},
		{"version 8", without("Sec-WebSocket-Version", "Sec-WebSocket-Version: 8"), 426, "Version"},
		{"no key", without("Sec-WebSocket-Key"), 400, "Key"},
		{"short key", without("Sec-WebSocket-Key", "Sec-WebSocket-Key: abcd"), 400, "Key"},
		{"not base64", without("Sec-WebSocket-Key", "Sec-WebSocket-Key: !!!!HNhbXBsZSBub25jZQ=="), 400, "Key"},
		{"two keys", without("X", "Sec-WebSocket-Key: "+"dGhlIHNhbXBsZSBub25jZQ=="), 400, "Key"},
		{"two versions", without("X", "Sec-WebSocket-Version: 13"), 426, "Version"},
		{"foreign origin", without("X", "Origin: http://evil.example"), 403, "Origin"},
		{"null origin", without("X", "Origin: null"), 403, "Origin"},
		{"other port", without("X", "Origin: http://127.0.0.1:1"), 403, "Origin"},
		{"host as prefix", without("X", "Origin: http://"+srv.Addr+".evil.example"), 403, "Origin"},
		{"host as user", without("X", "Origin: http://"+srv.Addr+"@evil.example"), 403, "Origin"},
		{"unknown subprotocol", without("X", "Sec-WebSocket-Protocol: chat"), 400, "Protocol"},
		{"subprotocol in capitals", without("X", "Sec-WebSocket-Protocol: TICKLANE.v1.protobuf, "), 400, "Protocol"},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer, body := srv.Get("/ws/subscribe", c.lines...)
			p := wantProblem(t, answer, body, c.status)
			if !strings.Contains(p.Detail, c.detail) {
				t.Errorf("%s", body)
			}
			if c.status == 426 && answer.Header.Get("Upgrade") == "" && answer.Header.Get("Sec-WebSocket-Version") != "13" {
				t.Errorf("the response doesn't name the supported version: %v", answer.Header)
			}
			if answer.Header.Get("Upgrade") != "" && !slices.Contains(answer.Header["Connection"], "Upgrade") { // RFC 9110 §7.8
				t.Errorf("Upgrade without its token in Connection: %v", answer.Header)
			}
			asked := slices.ContainsFunc(c.lines, func(line string) bool { return strings.HasPrefix(line, "Upgrade:") })
			if closes := slices.Contains(answer.Header["Connection"], "close"); closes != asked { // a proxy may have made a tunnel of it
				t.Errorf("the connection is closed: %v, want %v", closes, asked)
			}
		})
	}
	for _, method := range []string{"HEAD", "POST"} {
		c := srv.Dial()
		c.Request(method, "/ws/subscribe", append(append([]string{}, testserver.Upgrade...), "Content-Length: 0")...)
		if c.Status == 101 || c.Status >= 500 {
			t.Errorf("%s: %d", method, c.Status)
		}
	}
	opened := 0
	for _, c := range []struct{ line, subprotocol string }{
		{"X-No-Origin: 1", ""}, {"Origin: http://" + srv.Addr, ""}, {"Origin: https://desk.example.com", ""}, {"Origin: HTTPS://DESK.EXAMPLE.COM", ""},
		{"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits", ""},
		// The first supported one counts.
		{"Sec-WebSocket-Protocol: ticklane.v1.json", "ticklane.v1.json"},
		{"Sec-WebSocket-Protocol: chat, ticklane.v1.json", "ticklane.v1.json"},
		{"Sec-WebSocket-Protocol: ticklane.v1.protobuf", protobuf},
		{"Sec-WebSocket-Protocol: chat,ticklane.v1.protobuf , ticklane.v1.json", protobuf},
		{"Sec-WebSocket-Protocol: ticklane.v1.json, ticklane.v1.protobuf", "ticklane.v1.json"},
		{"Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: ticklane.v1.protobuf\r\nSec-WebSocket-Protocol: ticklane.v1.json", protobuf},
	} {
		w := srv.WS("", c.line)
		opened++
		if got := w.Header.Get("Sec-Websocket-Protocol"); got != c.subprotocol || (w.Format == wire.WSProto) != (got == protobuf) {
			t.Errorf("%s: subprotocol %q", c.line, got)
		}
		if w.Header.Get("Sec-Websocket-Extensions") != "" || w.Header.Get("Content-Length") != "" {
			t.Errorf("%s: %v", c.line, w.Header)
		}
		w.Cut(true)
	}
	if n := srv.TickLog.Lane(wire.WS).Opened; n != uint64(opened) {
		t.Errorf("%d streams were opened", n)
	}
}

func TestWebSocketCommands(t *testing.T) {
	onWebSockets(t, testserver.Options{}, func(t *testing.T, srv *testserver.Server) {
		srv.Publish(40)
		c := srv.WS("topics=S1")
		c.Want("snapshot")
		c.SendText(`{"action":"subscribe","topics":["S2","sector:odd"],"id":5}`)
		m := c.Want("subscription")
		if m.I != 40 || *m.ID != 5 || strings.Join(m.Topics, " ") != "S1 S2 sector:odd" {
			t.Errorf("%s", m.Text)
		}
		if snap := c.Want("snapshot"); snap.I != 40 || len(snap.Quotes) != 10 {
			t.Errorf("%d quotes", len(snap.Quotes))
		}
		before := time.Now().UnixMicro()
		c.SendText(`{"action":"time","id":6}`)
		if m := c.Want("time"); *m.ID != 6 || m.Received < before || m.Sent < m.Received {
			t.Errorf("%s", m.Text)
		}
		for _, e := range []struct{ send, code, msg string }{
			{`nonsense`, "bad_json", "JSON"},
			{``, "bad_json", "JSON"},
			{`{"action":"dance"}`, "unknown_action", "dance"},
			{`{"action":"subscribe","topics":["NOPE"]}`, "unknown_topic", "NOPE"},
			{`{"action":"subscribe","topics":["S3","S4","S5","S6","S7","S8"]}`, "too_many_topics", "at most 8"},
		} {
			c.SendText(e.send)
			if m := c.Want("error"); m.Code != e.code || !strings.Contains(m.Msg, e.msg) {
				t.Errorf("%s: %s", e.send, m.Text)
			}
		}
		c.SendText(`{"action":"unsubscribe","topics":["S1","S2","sector:odd"]}`)
		if m := c.Want("subscription"); len(m.Topics) != 0 || !strings.Contains(m.Text, `"topics":[]`) {
			t.Errorf("%s", m.Text)
		}
		srv.Publish(100)
		c.SendText(`{"action":"subscribe","topics":["S3"]}`)
		if m := c.Want("subscription"); m.I != 140 {
			t.Errorf("%s", m.Text)
		}
		c.Want("snapshot")
		srv.Publish(19)
		if m := c.Want("q"); m.S != "S3" || m.I <= 140 {
			t.Errorf("%s", m.Text)
		}
		c.WriteFrame(ws.OpClose, true, string(ws.NewCloseFrameBody(1000, "done")))
		c.WantClose(1000)
		testkit.Eventually(t, func() bool { return liveStreams(srv) == 0 }, "the stream's end")
	})
}

// TestWebSocketViolations checks that close codes reach a client with much unread input; package websocket has the codes.
func TestWebSocketViolations(t *testing.T) {
	onWebSockets(t, testserver.Options{}, func(t *testing.T, srv *testserver.Server) {
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
				cl := srv.WS("topics=S1")
				cl.Want("snapshot")
				if send := c.bytes; strings.HasPrefix(c.name, "close") {
					cl.Send(send)
				} else {
					cl.Send(send + strings.Repeat(masked(text("{}")), 100))
				}
				got, err := cl.ReadAll()
				if len(got) > 0 {
					t.Errorf("%d messages: %s", len(got), got[0].Text)
				}
				var how wiretest.CloseError
				if !errors.As(err, &how) || how.Code != c.code {
					t.Errorf("%v, want close %d", err, c.code)
				}
				cl.Cut(false)
			})
		}
		testkit.Eventually(t, func() bool { return liveStreams(srv) == 0 }, "the streams' end")
	})
}

// TestCloseReachesABusyClient checks that a client that sends more than all buffers hold still reads the close frame.
func TestCloseReachesABusyClient(t *testing.T) { onEngines(t, testCloseReachesABusyClient) }

func testCloseReachesABusyClient(t *testing.T, engine string) {
	srv := newTestServer(t, testserver.Options{Engine: engine})
	c := srv.WS("topics=S1")
	c.Want("snapshot")
	const size = 16 << 20
	head := binary.BigEndian.AppendUint64([]byte{0x81, 0xff}, size)
	c.Send(string(head) + "\x00\x00\x00\x00" + strings.Repeat("x", size)) // a mask of zeros masks nothing
	if _, err := c.ReadAll(); !errors.Is(err, wiretest.CloseError{Code: 1009, Reason: "a message is larger than limits.message_size"}) {
		t.Errorf("%v", err)
	}
	c.Cut(false)
}

func TestFragmentsWithPingBetween(t *testing.T) {
	onWebSockets(t, testserver.Options{}, func(t *testing.T, srv *testserver.Server) {
		c := srv.WS("topics=S1")
		c.Want("snapshot")
		text := `{"action":"time","id":1}`
		c.WriteFrame(ws.OpText, false, text[:5])
		c.WriteFrame(ws.OpPing, true, "between")
		c.WriteFrame(ws.OpContinuation, false, "")
		c.WriteFrame(ws.OpContinuation, false, text[5:9])
		c.WriteFrame(ws.OpPong, true, "unasked")
		c.WriteFrame(ws.OpContinuation, true, text[9:])
		if m := c.Want("time"); *m.ID != 1 || len(c.Frames.Pongs) != 1 || c.Frames.Pongs[0] != "between" {
			t.Errorf("%s, pongs %q", m.Text, c.Frames.Pongs)
		}
	})
}

// TestPong checks that pongs have the pings' payload and are never within another frame.
func TestPong(t *testing.T) {
	onWebSockets(t, testserver.Options{Symbols: 4000, Settings: func(s *handlers.Settings) { s.MessageRate, s.MessageBurst, s.WriteBuffer = 1e5, 1e5, 4096 }}, func(t *testing.T, srv *testserver.Server) {
		srv.Publish(4000)
		c := srv.SmallStream(wire.WS, "") // the snapshot of some 700 KB fills the socket's buffers
		var want []string
		for i := range 50 {
			p := strings.Repeat("p", i) + fmt.Sprint(i)
			want = append(want, p)
			c.WriteFrame(ws.OpPing, true, p)
		}
		srv.Publish(500)
		c.WriteFrame(ws.OpPing, true, "last")
		want = append(want, "last")
		quotes := 0
		for last := false; !last; {
			part := c.Want("snapshot")
			quotes += len(part.Quotes)
			last = part.Part == part.Parts
		}
		if quotes != 3999 {
			t.Errorf("%d quotes", quotes)
		}
		for len(c.Frames.Pongs) < len(want) {
			srv.Publish(1)
			c.Want("q")
		}
		if strings.Join(c.Frames.Pongs, ",") != strings.Join(want, ",") {
			t.Errorf("pongs %q", c.Frames.Pongs)
		}
	})
}

// TestMessageRate checks that messages over the rate are refused by an error first, and then by a close frame.
func TestMessageRate(t *testing.T) {
	onWebSockets(t, testserver.Options{Settings: func(s *handlers.Settings) { s.MessageRate, s.MessageBurst = 1e-6, 5 }}, func(t *testing.T, srv *testserver.Server) {
		c := srv.WS("topics=S1")
		c.Want("snapshot")
		for i := range 11 {
			c.SendText(fmt.Sprintf(`{"action":"time","id":%d}`, i))
			switch {
			case i < 5:
				c.Want("time")
			case i < 10:
				if m := c.Want("error"); m.Code != "rate" {
					t.Errorf("%s", m.Text)
				}
			}
		}
		c.WantClose(1008)

		for name, send := range map[string]func(*testserver.Client, int){
			"pings": func(c *testserver.Client, _ int) { c.WriteFrame(ws.OpPing, true, "x") },
			"empty pieces": func(c *testserver.Client, i int) {
				c.WriteFrame([]ws.OpCode{ws.OpText, ws.OpContinuation}[min(i, 1)], false, "")
			},
			"commands": func(c *testserver.Client, _ int) { c.SendText(`{"action":"subscribe","topics":["S2"]}`) },
		} {
			c := srv.WS("topics=S1")
			c.Want("snapshot")
			for i := range 11 {
				send(c, i)
			}
			if _, err := c.ReadAll(); !errors.Is(err, wiretest.CloseError{Code: 1008, Reason: "too many messages"}) {
				t.Errorf("%s: %v", name, err)
			}
			c.Cut(false)
		}
	})
}
