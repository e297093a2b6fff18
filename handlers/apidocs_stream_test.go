package handlers_test

import (
	"bufio"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"ticklane/handlers"
	"ticklane/internal/stream"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
	"ticklane/internal/wire/wiretest"
)

// eventSchema is the pointer of what one event must be.
const eventSchema = "/paths/~1sse~1subscribe/get/responses/200/content/text~1event-stream/itemSchema"

// heard checks one wiretest.Message of either lane against its description, and notes its type.
func (d *described) heard(c *testserver.Client, m wiretest.Message) {
	d.Helper()
	if c.Format.Lane() == wire.SSE {
		if err := d.check(eventSchema, asEvent(m)); err != nil {
			d.Errorf("sse: %v\n%+v", err, m)
		}
		d.meet("sse " + m.T)
		return
	}
	v, err := value(m.Text)
	if err == nil {
		err = d.check("/components/messages/"+m.T+"/payload", v)
	}
	if err != nil {
		d.Errorf("ws: %v\n%.300s", err, m.Text)
	}
	d.meet("ws " + m.T)
}

// listen reads so many messages, or to the end of the stream for 0.
func (d *described) listen(c *testserver.Client, n int) (got []wiretest.Message, err error) {
	d.Helper()
	for n == 0 || len(got) < n {
		m, err := c.Read()
		if err != nil {
			return got, err
		}
		d.heard(c, m)
		got = append(got, m)
	}
	return got, nil
}

// until hears messages up to one of type t.
func (d *described) until(c *testserver.Client, t string) {
	d.Helper()
	for {
		m := c.Next()
		d.heard(c, m)
		if m.T == t {
			return
		}
	}
}

// greeted opens a stream without help, so that its hello is heard, too.
func (d *described) greeted(srv *testserver.Server, lane wire.Lane, query string) *testserver.Client {
	d.Helper()
	c := srv.Dial()
	if lane == wire.SSE {
		c.RequestSSE(query)
		all := d.operations()
		d.asked(all["subscribeSSE"], "/sse/subscribe?"+query)
		if at := d.answered(all["subscribeSSE"], c.Status, c.Header, ""); at+"/itemSchema" != eventSchema {
			d.Errorf("events are described at %s", at)
		}
	} else {
		c.RequestWS(query)
	}
	c.Hello = c.Next()
	d.heard(c, c.Hello)
	return c
}

// everyMessage brings about each type of wiretest.Message on a lane.
func (d *described) everyMessage(lane wire.Lane, offer string) {
	d.Helper()
	srv := newTestServer(d, testserver.Options{Subprotocol: offer, Log: stream.Config{Size: 256, Heartbeat: 30 * time.Millisecond}, Settings: func(s *handlers.Settings) { s.MaxStreams = 3 }})
	srv.Publish(1000)
	c := d.greeted(srv, lane, "topics=S1,S2&user=me")
	d.until(c, "snapshot")
	d.until(c, "hb")
	srv.Publish(40)
	d.until(c, "q")
	d.command(srv, c, `{"action":"subscribe","topics":["sector:odd"],"id":1}`, true)
	d.until(c, "subscription")
	d.until(c, "snapshot")
	gap := d.greeted(srv, lane, fmt.Sprintf("from=%s-3&mode=all", c.Hello.Epoch))
	d.until(gap, "gap")
	d.until(gap, "snapshot")
	// Each way of resuming, and each end.
	for query, want := range map[string]string{
		fmt.Sprintf("from=%s-1030&limit=2", c.Hello.Epoch): wire.ResumeComplete, "from=1-1&limit=2": wire.ResumeReset, "from=oldest&limit=2&mode=latest": wire.ResumeNone,
	} {
		e := d.greeted(srv, lane, query)
		if e.Hello.Resume != want {
			d.Errorf("%s: %s", query, e.Hello.Text)
		}
		srv.Publish(40)
		d.until(e, "bye")
		e.NetConn.Close()
		testkit.Eventually(d, func() bool { return liveStreams(srv) == 2 }, "its end")
	}
	third := srv.Stream(lane, "")
	full := srv.Dial()
	if lane == wire.SSE {
		full.RequestSSE("")
	} else {
		full.RequestWS("")
	}
	if got, err := d.listen(full, 0); len(got) != 1 || got[0].Reason != wire.ByeOverload {
		d.Errorf("%v %v", got, err)
	}
	third.Cut(true)
	go srv.Stop(testserver.Timeout)
	d.until(c, "bye")
}

// command says something to a stream as its lane does, and checks it and the answer; good tells whether the
// description allows it.
func (d *described) command(srv *testserver.Server, c *testserver.Client, text string, good bool) {
	d.Helper()
	v, err := value(text)
	if err == nil {
		err = d.check("/components/schemas/Command", v)
	}
	if good != (err == nil) {
		d.Errorf("%s is described as good: %v", text, err)
	}
	if c.Format.Lane() == wire.WS {
		c.SendText(text)
		return
	}
	status := 200
	if !good {
		status = 400
	}
	d.try(srv, d.operations(), try{id: "commandSSE", path: "/sse/connections/" + c.Hello.Conn, status: status, body: text})
}

func TestEventsAreAsDescribed(t *testing.T) { onEngines(t, testEventsAreAsDescribed) }

func testEventsAreAsDescribed(t *testing.T, engine string) {
	d := describedBy(t, "openapi")
	d.everyMessage(wire.SSE, "")
	for _, name := range []string{"q", "hello", "snapshot", "gap", "hb", "bye", "subscription"} {
		if !d.seen["sse "+name] {
			t.Errorf("no %s came", name)
		}
	}
	events, _ := d.at("/components/schemas/Event")
	if n := len(events["oneOf"].([]any)); n != 7 {
		t.Errorf("%d events are described", n)
	}
	// The example of a stream is one.
	media, _ := d.at("/paths/~1sse~1subscribe/get/responses/200/content/text~1event-stream")
	for name, v := range media["examples"].(map[string]any) {
		text := v.(map[string]any)["serializedValue"].(string)
		c := &testserver.Client{Server: &testserver.Server{TB: t}, Format: wire.SSEJSON, Body: bufio.NewReader(strings.NewReader(strings.TrimRight(text, "\n") + "\n\n"))}
		if got, _ := d.listen(c, 0); len(got) != 3 {
			t.Errorf("%s: %d events", name, len(got))
		}
	}
	// What no event is must be refused.
	for _, bad := range []map[string]any{
		{"event": "q", "id": "a-1", "data": `{"T":"hb","t":1,"head":1}`}, {"event": "hb", "id": "a-1", "data": `{"T":"hb","t":1}`},
		{"event": "hb", "data": `{"T":"hb","t":1,"head":1}`}, {"event": "hb", "id": "a-1", "data": `{"T":"hb","t":1,"head":1,"x":1}`},
		{"event": "hb", "id": "a-1", "data": `{"T":"hb","t":1,"head":1}`, "x": 1}, {"event": "bye", "id": "a-1", "data": `{"T":"bye","reason":"limit","retry":0}`},
	} {
		if d.check(eventSchema, bad) == nil {
			t.Errorf("%v passes as an event", bad)
		}
	}
}

func TestSocketIsAsDescribed(t *testing.T) { onEngines(t, testSocketIsAsDescribed) }

func testSocketIsAsDescribed(t *testing.T, engine string) {
	d := describedBy(t, "asyncapi")
	d.everyMessage(wire.WS, "")
	d.everyMessage(wire.WS, protobuf) // read by the schema, it tells the same JSON
	srv := newTestServer(t, testserver.Options{Engine: engine, Settings: func(s *handlers.Settings) { s.MessageRate, s.MessageBurst = 1000, 1000 }})
	c := d.greeted(srv, wire.WS, "snapshot=false")
	for text, want := range map[string]string{
		`{"action":"time"}`: "time", `{"action":"time","id":4,"more":1}`: "time", `{"action":"subscribe","topics":["S1"]}`: "subscription",
		`{"action":"unsubscribe","topics":["S1","*"],"id":-5}`: "subscription",
	} {
		if strings.Contains(text, "more") { // our descriptions are shut here; the contract isn't
			c.SendText(text)
		} else {
			d.command(srv, c, text, true)
		}
		d.until(c, want)
	}
	codes := map[string]bool{}
	for _, text := range []string{`[]`, `{}`, `{"action":1}`, `{"action":"shout"}`, `{"action":"subscribe"}`, `{"action":"subscribe","topics":[]}`, `{"action":"time","id":"x"}`} {
		d.command(srv, c, text, false)
		m := c.Want("error")
		d.heard(c, m)
		codes[m.Code] = true
	}
	for _, text := range []string{`{"action":"subscribe","topics":["NONE"],"id":6}`, `{"action":"subscribe","topics":["S1","S2","S3","S4","S5","S6","S7","S8","S9"]}`} {
		d.command(srv, c, text, true)
		m := c.Want("error")
		d.heard(c, m)
		codes[m.Code] = true
	}
	fast := newTestServer(t, testserver.Options{Engine: engine, Settings: func(s *handlers.Settings) { s.MessageRate, s.MessageBurst = 1e-6, 1 }})
	c = d.greeted(fast, wire.WS, "snapshot=false")
	c.SendText(`{"action":"time"}`)
	c.SendText(`{"action":"time","id":1}`)
	d.until(c, "error")
	codes[wire.CodeRate] = true
	schema, _ := d.at("/components/schemas/ErrorCode")
	for _, code := range schema["enum"].([]any) {
		if !codes[code.(string)] {
			t.Errorf("no error came with %s", code)
		}
	}

	// Every wiretest.Message is described, and every description is a wiretest.Message that came, in the direction that is told.
	channel, _ := d.at("/channels/subscribe")
	sent := map[string]bool{}
	for _, list := range []string{"/operations/receive/messages", "/operations/command/reply/messages"} {
		for i := 0; ; i++ {
			m, _ := d.at(fmt.Sprintf("%s/%d", list, i))
			if m == nil {
				break
			}
			sent[m["name"].(string)] = true
		}
	}
	for name := range channel["messages"].(map[string]any) {
		if name != "command" && (!sent[name] || !d.seen["ws "+name]) {
			t.Errorf("%s: sent %v, came %v", name, sent[name], d.seen["ws "+name])
		}
	}
	if at, _ := d.at("/operations/command/messages/0"); at["name"] != "command" {
		t.Errorf("a client may send %v", at)
	}
}

// TestSocketQueryIsTheSame: both descriptions have one query.
func TestSocketQueryIsTheSame(t *testing.T) {
	async, open := describedBy(t, "asyncapi"), describedBy(t, "openapi")
	bindings, _ := async.at("/channels/subscribe/bindings/ws/query")
	var have []string
	for _, p := range open.operations()["subscribeWS"].params {
		if p.in == "query" && !slices.Contains([]string{"delay", "engine", "compress"}, p.name) { // the lab's
			have = append(have, p.name)
		}
	}
	if got := slices.Sorted(maps.Keys(bindings["properties"].(map[string]any))); !slices.Equal(got, slices.Sorted(slices.Values(have))) {
		t.Errorf("%v and %v", got, have)
	}
	srv := newLabServer(t)
	protocols, _ := async.at("/channels/subscribe/bindings/ws/headers/properties/Sec-WebSocket-Protocol")
	if len(protocols["enum"].([]any)) != 2 {
		t.Errorf("%v", protocols)
	}
	for _, p := range protocols["enum"].([]any) {
		if c := openWS(srv, "", "Sec-WebSocket-Protocol: "+p.(string)); c.Header.Get("Sec-WebSocket-Protocol") != p {
			t.Errorf("%s: %v", p, c.Header)
		}
	}
}

// TestCloseCodesAreAsDescribed brings about each that isn't reserved.
func TestCloseCodesAreAsDescribed(t *testing.T) { onEngines(t, testCloseCodesAreAsDescribed) }

func testCloseCodesAreAsDescribed(t *testing.T, engine string) {
	d := describedBy(t, "asyncapi")
	channel, _ := d.at("/channels/subscribe")
	srv := newTestServer(t, testserver.Options{Engine: engine, Settings: func(s *handlers.Settings) { s.MessageRate, s.MessageBurst, s.MaxStreams = 1e-6, 2, 2 }})
	ends := map[string]wiretest.CloseError{}
	note := func(name string, c *testserver.Client) {
		t.Helper()
		_, err := d.listen(c, 0)
		var how wiretest.CloseError
		if !errors.As(err, &how) {
			t.Fatalf("%s: %v", name, err)
		}
		ends[fmt.Sprint(how.Code)] = how
		c.NetConn.Close()
		testkit.Eventually(t, func() bool { return liveStreams(srv) == 0 }, "its end")
	}
	srv.Publish(5)
	note("limit", srv.WS("limit=1&from=oldest"))
	for name, f := range map[string]ws.Frame{
		"protocol": ws.NewFrame(3, true, nil), "binary": ws.NewBinaryFrame([]byte("x")), "text": ws.NewTextFrame([]byte("\xff")),
		"big": ws.NewTextFrame([]byte(strings.Repeat("x", 5000))),
	} {
		c := srv.WS("snapshot=false")
		if err := ws.WriteFrame(c.NetConn, ws.MaskFrame(f)); err != nil {
			t.Fatal(err)
		}
		note(name, c)
	}
	c := srv.WS("snapshot=false")
	for range 6 {
		c.SendText(`{"action":"time"}`)
	}
	note("rate", c)
	first, second := srv.WS("snapshot=false"), srv.WS("snapshot=false")
	full := openWS(srv, "")
	_, err := d.listen(full, 0)
	var how wiretest.CloseError
	errors.As(err, &how)
	ends[fmt.Sprint(how.Code)] = how
	second.Cut(true)
	go srv.Stop(testserver.Timeout)
	_, err = d.listen(first, 0)
	errors.As(err, &how)
	ends[fmt.Sprint(how.Code)] = how

	for _, v := range channel["x-close-codes"].([]any) {
		told := v.(map[string]any)
		code, reason := fmt.Sprint(told["code"]), told["reason"].(string)
		got, came := ends[code]
		delete(ends, code)
		switch {
		case strings.HasPrefix(told["description"].(string), "Reserved"):
			came = !came
		case code == "1002": // whatever is wrong with the frame
			reason = got.Reason
		}
		if !came || reason != got.Reason && code != "4008" {
			t.Errorf("%s is described with %q: %v %q", code, reason, came, got.Reason)
		}
	}
	for code := range ends {
		t.Errorf("%s isn't described", code)
	}
}
