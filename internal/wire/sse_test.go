package wire

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"ticklane/internal/quote"
)

// event is an event as an EventSource dispatches it, with the retry field of its block.
type event struct {
	typ, data, lastID string
	retry             string
}

// parseEvents parses a stream by the WHATWG rules ("Interpreting an event stream"): lines end in CR, LF or CRLF, an event
// without data is not dispatched, an id with a NUL is ignored, the last id remains in effect.
func parseEvents(stream string) (events []event, rest string) {
	stream = strings.TrimPrefix(stream, "\ufeff")
	stream = strings.ReplaceAll(stream, "\r\n", "\n")
	stream = strings.ReplaceAll(stream, "\r", "\n")
	var e event
	var data strings.Builder
	lines := strings.Split(stream, "\n")
	for _, line := range lines[:len(lines)-1] {
		if line == "" {
			if data.Len() > 0 {
				e.data = strings.TrimSuffix(data.String(), "\n")
				if e.typ == "" {
					e.typ = "message"
				}
				events = append(events, e)
			}
			e.typ, e.data, e.retry = "", "", ""
			data.Reset()
			continue
		}
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "event":
			e.typ = value
		case "data":
			data.WriteString(value + "\n")
		case "id":
			if !strings.Contains(value, "\x00") {
				e.lastID = value
			}
		case "retry":
			if value != "" && strings.Trim(value, "0123456789") == "" {
				e.retry = value
			}
		}
	}
	return events, lines[len(lines)-1]
}

func TestParseEvents(t *testing.T) {
	got, rest := parseEvents("\ufeff: comment\nretry: 10\nretry: x\nevent: a\nid: 1\ndata: x\r\ndata:y\rid\n\n" +
		"event: dropped\n\nid: 2\n\ndata\n\ndata: left")
	want := []event{{"a", "x\ny", "", "10"}, {"message", "", "2", ""}}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] || rest != "data: left" {
		t.Errorf("got %q, rest %q", got, rest)
	}
}

// messages returns one message of every kind, with s wherever a text may come from a client.
func messages(s string, n int64) []Message {
	at := quote.Position{Epoch: 0xab, Seq: uint64(n)}
	now := time.UnixMicro(n)
	return []Message{
		Hello{
			Conn: s, Engine: s, Epoch: 0xab, Head: 7, Oldest: 1, Resume: s, Mode: s, Topics: []string{s, s},
			Heartbeat: time.Second, Now: now, Start: at, Retry: time.Second, Expires: now, Delay: time.Duration(n), Narrowed: n > 0,
		}.Message(),
		Gap{Epoch: 0xab, From: 1, To: uint64(n), Reason: s}.Message(),
		Bye(s, time.Duration(n)),
		Subscription{At: at, Topics: []string{s}, ID: &n, Narrowed: n > 0}.Message(),
		Auth(AuthRenewed, now, &n),
		Time(now, now, &n),
		FeedStale(now, now),
		FeedLive(now),
		FeedGrown(int(n), now),
		Heartbeat(at, now),
		Snapshot{At: at}.Message(),
		(&CommandError{Code: CodeBadJSON, Msg: s, ID: &n}).Message(),
		TopicError(&quote.UnknownTopicError{Names: []string{s, s}}, &n).Message(),
		rejected([]byte(s)),
	}
}

// eventMessages returns the messages that need a channel, with s wherever a text may be.
func eventMessages(s string, n int64) []Message {
	return []Message{
		tradeMessage(instrument("AAPL"), eventTick(n), eventOf(s, n).Trade),
		statusMessage(instrument("AAPL"), eventTick(n), eventOf(s, n).Status),
		barMessage(instrument("AAPL"), eventTick(n), eventOf(s, n).Bar),
	}
}

// eventTick returns a tick that an event may belong to.
func eventTick(n int64) *quote.Tick {
	k := plain
	k.N, k.Seq = uint64(max(1, n)), uint64(max(1, n))
	return &k
}

// eventOf returns a bar, and a trade and a change of status whose texts are s.
func eventOf(s string, n int64) quote.Event {
	return quote.Event{
		Trade:  &quote.Trade{Price: quote.Price(n), Size: quote.Size(n), ID: s, Conditions: []string{s, "@"}, Venue: s, Corrects: s, Cancels: s},
		Status: &quote.Status{State: s, Reason: s},
		Bar:    &quote.Bar{Start: n, Open: quote.Price(n), High: quote.Price(n), Low: quote.Price(-n), Close: quote.Price(n >> 1), Volume: quote.Size(n), Complete: n != 0},
	}
}

// rejected returns the error message for a command.
func rejected(b []byte) Message {
	_, err := ParseCommand(b)
	if e, ok := err.(*CommandError); ok {
		return e.Message()
	}
	return (&CommandError{Code: CodeRate, Msg: "fine"}).Message()
}

// checkEvents frames messages for SSE and checks that they parse as exactly these events.
func checkEvents(t *testing.T, sent []Message) {
	t.Helper()
	var b []byte
	for _, m := range sent {
		b, _ = SSEJSON.Append(b, m)
	}
	if !utf8.Valid(b) {
		t.Errorf("not UTF-8: %q", b)
	}
	got, rest := parseEvents(string(b))
	if len(got) != len(sent) || rest != "" {
		t.Fatalf("%d messages became %d events and %q:\n%q", len(sent), len(got), rest, b)
	}
	id := ""
	for i, m := range sent {
		if m.ID != "" {
			id = m.ID
		}
		if got[i].typ != m.Name || got[i].data != string(m.JSON()) || got[i].lastID != id {
			t.Errorf("message %+v became %+v", m, got[i])
		}
		if (got[i].retry != "") != (m.Retry > 0) {
			t.Errorf("message %+v has retry %q", m, got[i].retry)
		}
		if !json.Valid(m.JSON()) {
			t.Errorf("not JSON: %s", m.JSON())
		}
	}
}

var hostile = []string{
	"", "\n", "\r", "\r\n", "\n\n", "\ndata: x\n\n", "\rid: 9\r\r", "\u2028\u2029\u0085", "\x00", "\ufeff", "\xff\xfe",
	"event: bye", `"},{"T":"bye"`, "</script>", `{"action":"x\ndata: y"}`, "{\"action\":\"\n\"}", `{"id":"\r\n"}`, `{"topics":1}`,
}

func TestClientTextCannotEndAnEvent(t *testing.T) {
	for _, s := range hostile {
		checkEvents(t, append(messages(s, 1), eventMessages(s, 1)...))
	}
}

func FuzzEvent(f *testing.F) {
	for _, s := range hostile {
		f.Add(s, int64(1))
	}
	f.Fuzz(func(t *testing.T, s string, n int64) {
		checkEvents(t, append(messages(s, max(1, n)), eventMessages(s, n)...))
	})
}

// TestTickEvents: the event of a tick has no name, its id is the position, and its data is the text sent on WebSocket.
func TestTickEvents(t *testing.T) {
	var text []byte
	var want [][]byte
	for _, k := range extremes() {
		json := AppendQuote(nil, instrument("AAPL"), &k)
		want = append(want, json)
		text = SSEJSON.AppendTick(text, 0xab, k.Seq, json)
	}
	got, rest := parseEvents(string(text))
	if len(got) != len(want) || rest != "" {
		t.Fatalf("%d ticks became %d events and %q", len(want), len(got), rest)
	}
	for i, k := range extremes() {
		id := quote.Position{Epoch: 0xab, Seq: k.Seq}.String()
		if got[i].typ != "message" || got[i].lastID != id || got[i].data != string(want[i]) {
			t.Errorf("tick %+v became %+v", k, got[i])
		}
		if ws := WSJSON.AppendTick(nil, 0xab, k.Seq, want[i]); !bytes.HasSuffix(ws, want[i]) {
			t.Errorf("WebSocket carries %q", ws)
		}
	}
}
