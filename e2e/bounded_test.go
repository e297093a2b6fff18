package e2e

import (
	"fmt"
	"testing"
)

// bounded is what a simple client received of a bounded stream (limit=10).
type bounded struct {
	Ticks  int
	Order  []string // names of the events; consecutive ticks count once
	Bye    string
	Code   int // WebSocket's close code
	State  int // readyState at the end
	Errors int
}

const boundedSSE = `new Promise((done) => {
	const source = new EventSource('/sse/subscribe?limit=10');
	const saw = { Ticks: 0, Order: [], Errors: 0 };
	const note = (name) => saw.Order.at(-1) !== name && saw.Order.push(name);
	source.onmessage = () => { saw.Ticks++; note('message'); };
	for (const name of ['hello', 'snapshot', 'hb', 'bye']) source.addEventListener(name, (e) => {
		if (name !== 'hb') note(name);
		if (name === 'bye') saw.Bye = JSON.parse(e.data).reason;
	});
	source.onerror = () => {
		saw.Errors++;
		saw.State = source.readyState;
		setTimeout(() => done(saw), 2500); // twice stream.retry and more
	};
})`

const boundedWS = `new Promise((done) => {
	const socket = new WebSocket(location.origin.replace('http', 'ws') + '/ws/subscribe?limit=10');
	const saw = { Ticks: 0, Order: [], Errors: 0 };
	socket.onmessage = (e) => {
		const m = JSON.parse(e.data);
		const name = m.T === 'q' ? 'message' : m.T;
		if (m.T === 'q') saw.Ticks++;
		if (m.T === 'bye') saw.Bye = m.reason;
		if (m.T !== 'hb' && saw.Order.at(-1) !== name) saw.Order.push(name);
	};
	socket.onerror = () => saw.Errors++;
	socket.onclose = (e) => done({ ...saw, Code: e.code, State: socket.readyState });
})`

func checkBounded(t *testing.T, have bounded, errors, code, state int) {
	t.Helper()
	if have.Ticks != 10 {
		t.Errorf("%d ticks, want exactly 10", have.Ticks)
	}
	if got, want := have.Order, []string{"hello", "snapshot", "message", "bye"}; len(got) != len(want) || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] || got[3] != want[3] {
		t.Errorf("order %q, want %q", got, want)
	}
	if have.Bye != "limit" || have.Errors != errors || have.Code != code || have.State != state {
		t.Errorf("bye %q, %d errors, close code %d, state %d; want \"limit\", %d, %d, %d", have.Bye, have.Errors, have.Code, have.State, errors, code, state)
	}
}

// TestBoundedEventSourceStops: after the bye the browser doesn't reconnect, because its retry is a day.
func TestBoundedEventSourceStops(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openTab(t)
	b.visit(s.url + "/healthz")
	checkBounded(t, eval[bounded](b, boundedSSE), 1, 0, 0)
	streams := b.requestsTo("/sse/subscribe")
	if len(streams) != 1 || streams[0].status != 200 {
		t.Errorf("%d requests (%+v), want one: 200", len(streams), streams)
	}
	s.waitEnded(func(s stats) lane { return s.Lanes.SSE })
	b.clean()
}

// waitEnded waits until the server counts one stream of 10 ticks, which has ended.
func (s *server) waitEnded(of func(stats) lane) {
	s.t.Helper()
	until(s.t, "one stream opened, none left, 10 ticks", func() (bool, string) {
		l := of(s.stats())
		return l.Opened == 1 && l.Connections == 0 && l.Ticks == 10, fmt.Sprintf("%+v", l)
	})
}

// TestBoundedWebSocketCloses: after the bye the server closes with 1000.
func TestBoundedWebSocketCloses(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openTab(t)
	b.visit(s.url + "/healthz")
	checkBounded(t, eval[bounded](b, boundedWS), 0, 1000, 3)
	s.waitEnded(func(s stats) lane { return s.Lanes.WS })
	b.clean()
}
