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
	day := []DayQuote{{instrument("A"), &quote.Tick{Bid: 1, Ask: 2, Last: 1, N: 1, Seq: 5}}}
	for _, c := range []struct {
		name string
		m    Message
		head string // the SSE fields before data
		id   string
		json string
	}{
		{"hello", Hello{
			Conn: "c0ffee", Lane: WS, Engine: "stream", Epoch: 0x9f3c1a, Head: 482913, Oldest: 417378, Resume: ResumeNone,
			Mode: "all", Topics: []string{"AAPL", "sector:tech"}, Heartbeat: 15 * time.Second, Now: now, Start: at,
			Retry: time.Second,
		}.Message(), "retry: 1000\nevent: hello\n", "id: 9f3c1a-482913\n",
			`{"T":"hello","conn":"c0ffee","lane":"ws","engine":"stream","epoch":"9f3c1a","head":482913,"oldest":417378,` +
				`"resume":"none","mode":"all","topics":["AAPL","sector:tech"],"hb":15000,"t":1753100000123456}`},
		{"hello of a token", Hello{Lane: SSE, Engine: "stream", Epoch: 1, Resume: ResumeNone, Mode: "all", Now: now, Start: at, Expires: now.Add(time.Second),
			Delay: 15 * time.Minute, Narrowed: true}.Message(), "event: hello\n", "id: 9f3c1a-482913\n",
			`{"T":"hello","conn":"","lane":"sse","engine":"stream","epoch":"1","head":0,"oldest":0,"resume":"none","mode":"all",` +
				`"topics":[],"hb":0,"t":1753100000123456,"expires":1753100001123456,"delay":900000,"narrowed":true}`},
		{"snapshot", Snapshot{At: at, Quotes: day}.Message(), "event: snapshot\n", "id: 9f3c1a-482913\n",
			`{"T":"snapshot","i":482913,"quotes":[{"T":"q","S":"A","bp":0.01,"bs":0,"ap":0.02,"as":0,"p":0.01,"v":0,"t":0,` +
				`"n":1,"i":5,"o":0.00,"h":0.00,"l":0.00,"c":0.00}]}`},
		{"hello before a snapshot", Hello{Lane: SSE, Engine: "stream", Epoch: 1, Resume: ResumeNone, Mode: "all", Now: now, Start: at, Snapshot: true}.Message(),
			"event: hello\n", "", `{"T":"hello","conn":"","lane":"sse","engine":"stream","epoch":"1","head":0,"oldest":0,"resume":"none","mode":"all",` +
				`"topics":[],"hb":0,"t":1753100000123456,"snapshot":true}`},
		{"part of a snapshot", Snapshot{At: at, Part: 1, Parts: 2}.Message(), "event: snapshot\n", "",
			`{"T":"snapshot","i":482913,"part":1,"parts":2,"quotes":[]}`},
		{"last part of a snapshot", Snapshot{At: at, Part: 2, Parts: 2}.Message(), "event: snapshot\n", "id: 9f3c1a-482913\n",
			`{"T":"snapshot","i":482913,"part":2,"parts":2,"quotes":[]}`},
		{"gap before a snapshot", Gap{Epoch: 1, From: 2, To: 3, Reason: GapLag, Snapshot: true}.Message(), "event: gap\n", "",
			`{"T":"gap","from":2,"to":3,"missed":2,"reason":"lag","snapshot":true}`},
		{"heartbeat before a snapshot", HeartbeatBeforeSnapshot(now), "event: hb\n", "", `{"T":"hb","t":1753100000123456}`},
		{"heartbeat of an empty log", Heartbeat(quote.Position{Epoch: 1}, now), "event: hb\n", "id: 1-0\n", `{"T":"hb","t":1753100000123456,"head":0}`},
		{"subscription before a snapshot", Subscription{At: at, Snapshot: true}.Message(), "event: subscription\n", "",
			`{"T":"subscription","topics":[],"i":482913,"snapshot":true}`},
		{"snapshot of nothing", Snapshot{At: quote.Position{Epoch: 1}}.Message(), "event: snapshot\n", "id: 1-0\n",
			`{"T":"snapshot","i":0,"quotes":[]}`},
		{"gap", Gap{Epoch: 0x9f3c1a, From: 100, To: 482913, Reason: GapLag}.Message(), "event: gap\n", "id: 9f3c1a-482913\n",
			`{"T":"gap","from":100,"to":482913,"missed":482814,"reason":"lag"}`},
		{"heartbeat", Heartbeat(at, now), "event: hb\n", "id: 9f3c1a-482913\n",
			`{"T":"hb","t":1753100000123456,"head":482913}`},
		{"bye of a finished stream", Bye(ByeLimit, 0), "retry: 86400000\nevent: bye\n", "id: end\n", `{"T":"bye","reason":"limit","retry":0}`},
		{"bye by duration", Bye(ByeDuration, 0), "retry: 86400000\nevent: bye\n", "id: end\n", `{"T":"bye","reason":"duration","retry":0}`},
		{"bye at shutdown", Bye(ByeShutdown, 2345*time.Millisecond), "retry: 2345\nevent: bye\n", "",
			`{"T":"bye","reason":"shutdown","retry":2345}`},
		{"subscription", Subscription{At: at, Topics: []string{"AAPL"}, ID: &id}.Message(), "event: subscription\n", "id: 9f3c1a-482913\n",
			`{"T":"subscription","topics":["AAPL"],"i":482913,"id":7}`},
		{"stale feed", FeedStale(now.Add(-time.Second), now), "event: status\n", "",
			`{"T":"status","status":"stale","since":1753099999123456,"t":1753100000123456}`},
		{"live feed", FeedLive(now), "event: status\n", "", `{"T":"status","status":"live","t":1753100000123456}`},
		{"grown feed", FeedGrown(57, now), "event: status\n", "", `{"T":"status","status":"symbols","symbols":57,"t":1753100000123456}`},
		{"narrowed subscription", Subscription{At: at, Topics: []string{"*"}, Narrowed: true}.Message(), "event: subscription\n", "id: 9f3c1a-482913\n",
			`{"T":"subscription","topics":["*"],"i":482913,"narrowed":true}`},
		{"expiring", Auth(AuthExpiring, now, nil), "event: auth\n", "", `{"T":"auth","status":"expiring","expires":1753100000123456}`},
		{"renewed", Auth(AuthRenewed, now, &id), "event: auth\n", "", `{"T":"auth","status":"renewed","expires":1753100000123456,"id":7}`},
		{"renewed for good", Auth(AuthRenewed, time.Time{}, nil), "event: auth\n", "", `{"T":"auth","status":"renewed"}`},
		{"bye of a revoked token", Bye(ByeRevoked, 0), "retry: 86400000\nevent: bye\n", "", `{"T":"bye","reason":"revoked","retry":0}`},
		{"bye of an expired token", Bye(ByeExpired, time.Second), "retry: 1000\nevent: bye\n", "", `{"T":"bye","reason":"expired","retry":1000}`},
		{"subscription to nothing", Subscription{At: at}.Message(), "event: subscription\n", "id: 9f3c1a-482913\n",
			`{"T":"subscription","topics":[],"i":482913}`},
		{"time", Time(now, now.Add(3*time.Microsecond), &id), "event: time\n", "",
			`{"T":"time","id":7,"received":1753100000123456,"sent":1753100000123459}`},
		{"error", (&CommandError{Code: CodeRate, Msg: "slow down", ID: &id}).Message(), "event: error\n", "",
			`{"T":"error","code":"rate","msg":"slow down","id":7}`},
		{"error without id", (&CommandError{Code: CodeRate, Msg: "slow down"}).Message(), "event: error\n", "",
			`{"T":"error","code":"rate","msg":"slow down"}`},
	} {
		for format, want := range map[Format]string{
			SSEJSON: c.head + "data: " + c.json + "\n" + c.id + "\n",
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
		ByeExpired: false, ByeRevoked: false, ByeUnauthorized: false,
	} {
		if IsFinished(reason) != want {
			t.Errorf("IsFinished(%s) = %v", reason, !want)
		}
		if m := Bye(reason, time.Second); (m.ID == EndID) != want {
			t.Errorf("bye %s has id %q", reason, m.ID)
		}
	}
}

func TestIsFinal(t *testing.T) {
	for reason, want := range map[string]bool{
		ByeLimit: true, ByeDuration: true, ByeRevoked: true, ByeExpired: false, ByeShutdown: false, ByeSlow: false, ByeOverload: false, ByeUnauthorized: false,
	} {
		if IsFinal(reason) != want {
			t.Errorf("IsFinal(%s) = %v", reason, !want)
		}
	}
}
