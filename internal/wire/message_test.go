package wire

import (
	"testing"
	"time"

	"ticklane/internal/quote"
)

// TestMessagesGolden fixes the bytes of every message on both lanes, on which clients depend.
func TestMessagesGolden(t *testing.T) {
	at := quote.Position{Epoch: 0x9f3c1a, Seq: 482913}
	now := time.UnixMicro(1753100000123456)
	id := int64(7)
	day := []DayQuote{{"A", &quote.Tick{Bid: 1, Ask: 2, Last: 1, N: 1, Seq: 5}}}
	for _, c := range []struct {
		name string
		m    Message
		head string // the SSE fields before data
		json string
	}{
		{"hello", Hello{
			Conn: "c0ffee", Lane: WS, Engine: "stream", Epoch: 0x9f3c1a, Head: 482913, Oldest: 417378, Resume: ResumeNone,
			Mode: "all", Topics: []string{"AAPL", "sector:tech"}, Heartbeat: 15 * time.Second, Now: now, Start: at,
			Retry: time.Second,
		}.Message(), "retry: 1000\nevent: hello\nid: 9f3c1a-482913\n",
			`{"T":"hello","conn":"c0ffee","lane":"ws","engine":"stream","epoch":"9f3c1a","head":482913,"oldest":417378,` +
				`"resume":"none","mode":"all","topics":["AAPL","sector:tech"],"hb":15000,"t":1753100000123456}`},
		{"snapshot", Snapshot{At: at, Quotes: day}.Message(), "event: snapshot\nid: 9f3c1a-482913\n",
			`{"T":"snapshot","i":482913,"quotes":[{"T":"q","S":"A","bp":0.01,"bs":0,"ap":0.02,"as":0,"p":0.01,"v":0,"t":0,` +
				`"n":1,"i":5,"o":0.00,"h":0.00,"l":0.00,"c":0.00}]}`},
		{"snapshot of nothing", Snapshot{At: quote.Position{Epoch: 1}}.Message(), "event: snapshot\nid: 1-0\n",
			`{"T":"snapshot","i":0,"quotes":[]}`},
		{"gap", Gap{Epoch: 0x9f3c1a, From: 100, To: 482913, Reason: GapLag}.Message(), "event: gap\nid: 9f3c1a-482913\n",
			`{"T":"gap","from":100,"to":482913,"missed":482814,"reason":"lag"}`},
		{"heartbeat", Heartbeat(at, now), "event: hb\nid: 9f3c1a-482913\n",
			`{"T":"hb","t":1753100000123456,"head":482913}`},
		{"bye of a finished stream", Bye(ByeLimit, 0), "event: bye\nid: end\n", `{"T":"bye","reason":"limit","retry":0}`},
		{"bye by duration", Bye(ByeDuration, 0), "event: bye\nid: end\n", `{"T":"bye","reason":"duration","retry":0}`},
		{"bye at shutdown", Bye(ByeShutdown, 2345*time.Millisecond), "retry: 2345\nevent: bye\n",
			`{"T":"bye","reason":"shutdown","retry":2345}`},
		{"subscription", Subscription(at, []string{"AAPL"}, &id), "event: subscription\nid: 9f3c1a-482913\n",
			`{"T":"subscription","topics":["AAPL"],"i":482913,"id":7}`},
		{"subscription to nothing", Subscription(at, nil, nil), "event: subscription\nid: 9f3c1a-482913\n",
			`{"T":"subscription","topics":[],"i":482913}`},
		{"time", Time(now, now.Add(3*time.Microsecond), &id), "event: time\n",
			`{"T":"time","id":7,"received":1753100000123456,"sent":1753100000123459}`},
		{"error", (&CommandError{Code: CodeRate, Msg: "slow down", ID: &id}).Message(), "event: error\n",
			`{"T":"error","code":"rate","msg":"slow down","id":7}`},
		{"error without id", (&CommandError{Code: CodeRate, Msg: "slow down"}).Message(), "event: error\n",
			`{"T":"error","code":"rate","msg":"slow down"}`},
	} {
		for format, want := range map[Format]string{
			SSEJSON: c.head + "data: " + c.json + "\n\n",
			WSJSON:  string(AppendFrameHeader(nil, OpText, len(c.json))) + c.json,
		} {
			if got, payload := format.Append([]byte("before"), c.m); string(got) != "before"+want || payload != len(c.json) {
				t.Errorf("%s as %v, payload %d:\n got %q\nwant %q", c.name, format, payload, got, want)
			}
		}
	}
}

func TestIsFinished(t *testing.T) {
	for reason, want := range map[string]bool{
		ByeLimit: true, ByeDuration: true, ByeShutdown: false, ByeSlow: false, ByeOverload: false,
	} {
		if IsFinished(reason) != want {
			t.Errorf("IsFinished(%s) = %v", reason, !want)
		}
		if m := Bye(reason, time.Second); (m.ID == EndID) != want {
			t.Errorf("bye %s has id %q", reason, m.ID)
		}
	}
}
