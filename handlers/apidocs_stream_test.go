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
	"ticklane/internal/quote"
	"ticklane/internal/stream"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
	"ticklane/internal/wire/wiretest"
)

// eventSchema is the pointer of the schema of an SSE event.
const eventSchema = "/paths/~1sse~1subscribe/get/responses/200/content/text~1event-stream/itemSchema"

// checkMessage checks a message of either lane and marks its type as seen.
func (d *apiChecker) checkMessage(c *testserver.Client, m wiretest.Message) {
	d.Helper()
	if c.Format.Lane() == wire.SSE {
		if err := d.check(eventSchema, asEvent(m)); err != nil {
			d.Errorf("sse: %v\n%+v", err, m)
		}
		d.mark("sse " + m.T)
		return
	}
	v, err := value(m.Text)
	if err == nil {
		err = d.check("/components/messages/"+m.T+"/payload", v)
	}
	if err != nil {
		d.Errorf("ws: %v\n%.300s", err, m.Text)
	}
	d.mark("ws " + m.T)
}

// readMessages reads and checks n messages, or all up to the end of the stream if n is 0.
func (d *apiChecker) readMessages(c *testserver.Client, n int) (got []wiretest.Message, err error) {
	d.Helper()
	for n == 0 || len(got) < n {
		m, err := c.Read()
		if err != nil {
			return got, err
		}
		d.checkMessage(c, m)
		got = append(got, m)
	}
	return got, nil
}

// readUntil reads and checks messages up to one of type t.
func (d *apiChecker) readUntil(c *testserver.Client, t string) {
	d.Helper()
	for {
		m := c.Next()
		d.checkMessage(c, m)
		if m.T == t {
			return
		}
	}
}

// open opens a stream and checks its answer and its hello.
func (d *apiChecker) open(srv *testserver.Server, lane wire.Lane, query string) *testserver.Client {
	d.Helper()
	c := srv.Dial()
	if lane == wire.SSE {
		c.RequestSSE(query)
		all := d.operations()
		d.checkRequest(all["subscribeSSE"], "/sse/subscribe?"+query)
		if at := d.checkAnswer(all["subscribeSSE"], c.Status, c.Header, ""); at+"/itemSchema" != eventSchema {
			d.Errorf("events are described at %s", at)
		}
	} else {
		c.RequestWS(query)
	}
	c.Hello = c.Next()
	d.checkMessage(c, c.Hello)
	return c
}

// checkAllMessages makes a lane send each type of message.
func (d *apiChecker) checkAllMessages(lane wire.Lane, offer string) {
	d.Helper()
	events := quote.NewEvents(256)
	srv := newTestServer(d, testserver.Options{Subprotocol: offer, Log: stream.Config{Events: events, Size: 256, Heartbeat: 30 * time.Millisecond}, Settings: func(s *handlers.Settings) { s.MaxStreams = 3 }})
	srv.Publish(1000)
	c := d.open(srv, lane, "topics=S1,S2&user=me")
	d.readUntil(c, "snapshot")
	d.readUntil(c, "hb")
	srv.Publish(40)
	d.readUntil(c, "q")
	d.command(srv, c, `{"action":"subscribe","topics":["sector:odd"],"id":1}`, true)
	d.readUntil(c, "subscription")
	d.readUntil(c, "snapshot")
	srv.TickLog.FeedStale(time.Now())
	d.readUntil(c, "status")
	srv.TickLog.FeedStale(time.Time{})
	d.readUntil(c, "status")
	gap := d.open(srv, lane, fmt.Sprintf("from=%s-3&mode=all", c.Hello.Epoch))
	d.readUntil(gap, "gap")
	d.readUntil(gap, "snapshot")
	// Each result of resuming.
	for query, want := range map[string]string{
		fmt.Sprintf("from=%s-1030&limit=2", c.Hello.Epoch): wire.ResumeComplete, "from=1-1&limit=2": wire.ResumeReset, "from=oldest&limit=2&mode=latest": wire.ResumeNone,
	} {
		e := d.open(srv, lane, query)
		if e.Hello.Resume != want {
			d.Errorf("%s: %s", query, e.Hello.Text)
		}
		srv.Publish(40)
		d.readUntil(e, "bye")
		e.NetConn.Close()
		testkit.Eventually(d, func() bool { return liveStreams(srv) == 2 }, "its end")
	}
	e := d.open(srv, lane, "channels=quotes,trades,bars,status&topics=S1&limit=1")
	d.readUntil(e, "snapshot")
	srv.Bus.Publish([]quote.Tick{{
		Symbol: 1, Bid: 1, Ask: 2, Last: 1, Due: time.Now().Add(time.Minute).UnixMicro(), Received: time.Now().UnixMicro(),
		Halted: true, Event: events.Put(quote.Event{
			Trade:  &quote.Trade{Price: 1, Size: 5, ID: "7", Conditions: []string{"@"}, Venue: "V", Corrects: "6"},
			Status: &quote.Status{State: quote.StateHalted, Reason: "news"},
		}),
	}})
	d.readUntil(e, "bar")
	d.readUntil(e, "status")
	d.readUntil(e, "trade")
	d.readUntil(e, "bye")
	e.NetConn.Close()
	testkit.Eventually(d, func() bool { return liveStreams(srv) == 2 }, "its end")
	halted := d.open(srv, lane, "topics=S1")
	d.readUntil(halted, "snapshot")
	halted.NetConn.Close()
	testkit.Eventually(d, func() bool { return liveStreams(srv) == 2 }, "its end")
	third := srv.Stream(lane, "")
	full := srv.Dial()
	if lane == wire.SSE {
		full.RequestSSE("")
	} else {
		full.RequestWS("")
	}
	if got, err := d.readMessages(full, 0); len(got) != 1 || got[0].Reason != wire.ByeOverload {
		d.Errorf("%v %v", got, err)
	}
	third.Cut(true)
	go srv.Stop(testserver.Timeout)
	d.readUntil(c, "bye")
}

// command sends a command over its lane and checks command and answer. valid reports whether the command conforms to the
// description.
func (d *apiChecker) command(srv *testserver.Server, c *testserver.Client, text string, valid bool) {
	d.Helper()
	v, err := value(text)
	if err == nil {
		err = d.check("/components/schemas/Command", v)
	}
	if valid != (err == nil) {
		d.Errorf("%s conforms to the description: %v", text, err)
	}
	if c.Format.Lane() == wire.WS {
		c.SendText(text)
		return
	}
	status := 200
	if !valid {
		status = 400
	}
	d.try(srv, d.operations(), attempt{id: "commandSSE", path: "/sse/connections/" + c.Hello.Conn, status: status, body: text})
}

func TestEventsAreAsDescribed(t *testing.T) { onEngines(t, testEventsAreAsDescribed) }

func testEventsAreAsDescribed(t *testing.T, engine string) {
	d := newAPIChecker(t, "openapi")
	d.checkAllMessages(wire.SSE, "")
	d.checkCredentials(engine, wire.SSE, "")
	for _, name := range []string{"q", "hello", "snapshot", "gap", "hb", "bye", "subscription", "auth", "trade", "bar", "status"} {
		if !d.seen["sse "+name] {
			t.Errorf("no %s was received", name)
		}
	}
	events, _ := d.at("/components/schemas/Event")
	if n := len(events["oneOf"].([]any)); n != 11 {
		t.Errorf("%d events are described", n)
	}
	// The example is a valid stream.
	media, _ := d.at("/paths/~1sse~1subscribe/get/responses/200/content/text~1event-stream")
	for name, v := range media["examples"].(map[string]any) {
		text := v.(map[string]any)["serializedValue"].(string)
		c := &testserver.Client{Server: &testserver.Server{TB: t}, Format: wire.SSEJSON, Body: bufio.NewReader(strings.NewReader(strings.TrimRight(text, "\n") + "\n\n"))}
		if got, _ := d.readMessages(c, 0); len(got) != 3 {
			t.Errorf("%s: %d events", name, len(got))
		}
	}
	// Invalid events don't conform.
	for _, bad := range []map[string]any{
		{"event": "q", "id": "a-1", "data": `{"T":"hb","t":1,"head":1}`}, {"event": "hb", "id": "a-1", "data": `{"T":"hb","head":1}`},
		{"id": "a-1", "data": `{"T":"hb","t":1,"head":1}`}, {"event": "hb", "id": "a-1", "data": `{"T":"hb","t":1,"head":1,"x":1}`},
		{"event": "hb", "id": "a-1", "data": `{"T":"hb","t":1,"head":1}`, "x": 1}, {"event": "bye", "id": "a-1", "data": `{"T":"bye","reason":"limit","retry":0}`},
	} {
		if d.check(eventSchema, bad) == nil {
			t.Errorf("%v conforms as an event", bad)
		}
	}
}

func TestSocketIsAsDescribed(t *testing.T) { onEngines(t, testSocketIsAsDescribed) }

func testSocketIsAsDescribed(t *testing.T, engine string) {
	d := newAPIChecker(t, "asyncapi")
	d.checkAllMessages(wire.WS, "")
	d.checkAllMessages(wire.WS, protobuf) // decoded by the schema, it has the same JSON
	srv := newTestServer(t, testserver.Options{Engine: engine, Settings: func(s *handlers.Settings) { s.MessageRate, s.MessageBurst = 1000, 1000 }})
	c := d.open(srv, wire.WS, "snapshot=false")
	for text, want := range map[string]string{
		`{"action":"time"}`: "time", `{"action":"time","id":4,"_more":1}`: "time", `{"action":"subscribe","topics":["S1"]}`: "subscription",
		`{"action":"unsubscribe","topics":["S1","*"],"id":-5}`: "subscription",
	} {
		if strings.Contains(text, "_more") { // allowed by the contract, but an error of the checker
			c.SendText(text)
		} else {
			d.command(srv, c, text, true)
		}
		d.readUntil(c, want)
	}
	codes := map[string]bool{}
	for _, text := range []string{`[]`, `{}`, `{"action":1}`, `{"action":"unknown"}`, `{"action":"subscribe"}`, `{"action":"subscribe","topics":[]}`, `{"action":"time","id":"x"}`} {
		d.command(srv, c, text, false)
		m := c.Want("error")
		d.checkMessage(c, m)
		codes[m.Code] = true
	}
	for _, text := range []string{`{"action":"subscribe","topics":["NONE"],"id":6}`, `{"action":"subscribe","topics":["S1","S2","S3","S4","S5","S6","S7","S8","S9"]}`} {
		d.command(srv, c, text, true)
		m := c.Want("error")
		d.checkMessage(c, m)
		codes[m.Code] = true
	}
	fast := newTestServer(t, testserver.Options{Engine: engine, Settings: func(s *handlers.Settings) { s.MessageRate, s.MessageBurst = 1e-6, 1 }})
	c = d.open(fast, wire.WS, "snapshot=false")
	c.SendText(`{"action":"time"}`)
	c.SendText(`{"action":"time","id":1}`)
	d.readUntil(c, "error")
	codes[wire.CodeRate] = true
	for _, code := range append(d.checkCredentials(engine, wire.WS, ""), d.checkCredentials(engine, wire.WS, protobuf)...) {
		codes[code] = true
	}
	schema, _ := d.at("/components/schemas/ErrorCode")
	for _, code := range schema["enum"].([]any) {
		if !codes[code.(string)] {
			t.Errorf("no error has the code %s", code)
		}
	}

	// Every described message was received, in the described direction.
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
			t.Errorf("%s: described as sent: %v, received: %v", name, sent[name], d.seen["ws "+name])
		}
	}
	if at, _ := d.at("/operations/command/messages/0"); at["name"] != "command" {
		t.Errorf("a client may send %v", at)
	}
}

// TestSocketQueryIsTheSame checks that both documents describe the same query.
func TestSocketQueryIsTheSame(t *testing.T) {
	async, open := newAPIChecker(t, "asyncapi"), newAPIChecker(t, "openapi")
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

// TestCloseCodesAreAsDescribed makes the server close with every code that isn't reserved.
func TestCloseCodesAreAsDescribed(t *testing.T) { onEngines(t, testCloseCodesAreAsDescribed) }

func testCloseCodesAreAsDescribed(t *testing.T, engine string) {
	d := newAPIChecker(t, "asyncapi")
	channel, _ := d.at("/channels/subscribe")
	srv := newTestServer(t, testserver.Options{Engine: engine, Settings: func(s *handlers.Settings) { s.MessageRate, s.MessageBurst, s.MaxStreams = 1e-6, 2, 2 }})
	ends := map[string]wiretest.CloseError{}
	note := func(name string, c *testserver.Client) {
		t.Helper()
		_, err := d.readMessages(c, 0)
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
	_, err := d.readMessages(full, 0)
	var how wiretest.CloseError
	errors.As(err, &how)
	ends[fmt.Sprint(how.Code)] = how
	second.Cut(true)
	go srv.Stop(testserver.Timeout)
	_, err = d.readMessages(first, 0)
	errors.As(err, &how)
	ends[fmt.Sprint(how.Code)] = how

	for _, end := range d.closesOfCredentials(engine) {
		ends[fmt.Sprint(end.Code)] = end
	}

	for _, v := range channel["x-close-codes"].([]any) {
		described := v.(map[string]any)
		code, reason := fmt.Sprint(described["code"]), described["reason"].(string)
		got, received := ends[code]
		delete(ends, code)
		switch {
		case strings.HasPrefix(described["description"].(string), "Reserved"):
			received = !received
		case code == "1002": // the reason depends on the frame
			reason = got.Reason
		}
		if !received || reason != got.Reason && code != "4008" {
			t.Errorf("%s is described with the reason %q; received: %v %q", code, reason, received, got.Reason)
		}
	}
	for code := range ends {
		t.Errorf("%s isn't described", code)
	}
}
