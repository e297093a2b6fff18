package wire

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"google.golang.org/protobuf/reflect/protoreflect"

	"ticklane/internal/quote"
	"ticklane/internal/wire/wiretest"
)

// checkTwin checks that a message's protobuf and JSON have the same content, by the published schema and an independent
// decoder, and that the protobuf is as short as possible.
func checkTwin(t *testing.T, text, binary []byte) {
	t.Helper()
	checkTwinAt(t, text, binary, wiretest.Scale{Price: 2})
}

// checkTick is checkTwin for a tick of an instrument.
func checkTick(t *testing.T, in *quote.Instrument, k *quote.Tick) {
	t.Helper()
	checkTwinAt(t, AppendQuote(nil, in, k), appendProtoTick(nil, in, k), wiretest.Scale{Price: int(in.Decimals), Size: int(in.SizeDecimals)})
}

func checkTwinAt(t *testing.T, text, binary []byte, scale wiretest.Scale) {
	t.Helper()
	got, err := wiretest.TextAt(binary, scale)
	if err != nil {
		t.Fatalf("%v, for %s", err, text)
	}
	if got != string(text) && !equalJSON(got, text) {
		t.Fatalf("got  %s\nwant %s\nfrom %x", got, text, binary)
	}
	if err := wiretest.Shortest(binary); err != nil {
		t.Fatalf("%v, for %s", err, text)
	}
}

// equalJSON compares messages with replacement characters, which encoding/json escapes and wiretest does not.
func equalJSON(got string, text []byte) bool {
	if !bytes.Contains(text, []byte(`\ufffd`)) {
		return false
	}
	var a, b map[string]any
	return json.Unmarshal([]byte(got), &a) == nil && json.Unmarshal(text, &b) == nil && reflect.DeepEqual(a, b)
}

// TestProtoGolden fixes the bytes of every message, on which clients depend.
func TestProtoGolden(t *testing.T) {
	at := quote.Position{Epoch: 0x9f3c1a, Seq: 482913}
	now := time.UnixMicro(1753100000123456)
	id := int64(0)
	day := []DayQuote{{instrument("BRK.B"), &plain}}
	first, coin := plain, instrument("BRK.B")
	first.N, coin.Decimals, coin.SizeDecimals = 1, 5, 4
	for _, c := range []struct {
		name string
		got  []byte
		want string
	}{
		{"tick", appendProtoTick(nil, instrument("BRK.B"), &plain), "0a29" +
			"0a0542524b2e42" + "10fa8f01" + "18ac02" + "2004" + "2864" + "3002" + "38e4bb8317" + "40c0b48db6f6cd8e03" + "48ba4b" + "50e1bc1d"},
		{"first tick", appendProtoTick(nil, coin, &first), "0a2d" +
			"0a0542524b2e42" + "10fa8f01" + "18ac02" + "2004" + "2864" + "3002" + "38e4bb8317" + "40c0b48db6f6cd8e03" + "4801" + "50e1bc1d" + "7805" + "800104"},
		{"tick of zeros", appendProtoTick(nil, instrument(""), &quote.Tick{}), "0a00"},
		{"hello", Hello{
			Conn: "c0ffee", Lane: WS, Engine: "stream", Epoch: 0x9f3c1a, Head: 482913, Oldest: 417378, Resume: ResumeNone,
			Mode: "all", Topics: []string{"AAPL", "*"}, Heartbeat: 15 * time.Second, Now: now, Start: at,
		}.Message().body.appendProto(nil), "1244" + "0a06633066666565" + "12027773" + "1a0673747265616d" + "2206396633633161" + "28e1bc1d" +
			"30e2bc19" + "3a046e6f6e65" + "4203616c6c" + "4a044141504c" + "4a012a" + "509875" + "58c0b48db6f6cd8e03"},
		{"snapshot", Snapshot{At: at, Quotes: day}.Message().body.appendProto(nil), "1a3b" + "08e1bc1d" + "1235" +
			"0a0542524b2e42" + "10fa8f01" + "18ac02" + "2004" + "2864" + "3002" + "38e4bb8317" + "40c0b48db6f6cd8e03" + "48ba4b" + "50e1bc1d" +
			"58fb01" + "60a801" + "68df02" + "708502"},
		{"snapshot of nothing", Snapshot{}.Message().body.appendProto(nil), "1a00"},
		{"gap", Gap{Epoch: 1, From: 100, To: 482913, Reason: GapLag}.Message().body.appendProto(nil), "220f" + "0864" + "10e1bc1d" + "18febb1d" + "22036c6167"},
		{"heartbeat", Heartbeat(at, now).body.appendProto(nil), "2a0d" + "08c0b48db6f6cd8e03" + "10e1bc1d"},
		{"bye", Bye(ByeShutdown, 2345*time.Millisecond).body.appendProto(nil), "320d" + "0a0873687574646f776e" + "10a912"},
		{"subscription", Subscription{At: at, Topics: []string{"AAPL"}, ID: &id}.Message().body.appendProto(nil), "3a0c" + "0a044141504c" + "10e1bc1d" + "1800"},
		{"auth", Auth(AuthRenewed, now, &id).body.appendProto(nil), "6a14" + "0a0772656e65776564" + "10c0b48db6f6cd8e03" + "1800"},
		{"time", Time(now, now, nil).body.appendProto(nil), "4212" + "10c0b48db6f6cd8e03" + "18c0b48db6f6cd8e03"},
		{"error", (&CommandError{Code: CodeRate, Msg: "slow", ID: &id}).Message().body.appendProto(nil), "4a0e" + "0a0472617465" + "1204736c6f77" + "1800"},
	} {
		if got := hex.EncodeToString(c.got); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

// TestProtoEqualsJSON covers random ticks and every message, with hostile client texts.
func TestProtoEqualsJSON(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	ticks := extremes()
	for range 3000 {
		v := func() int64 { return int64(r.Uint64()) >> r.IntN(65) }
		ticks = append(ticks, quote.Tick{
			Bid: quote.Price(v()), Ask: quote.Price(v()), Last: quote.Price(v()), Volume: quote.Size(v()), Due: v(), Open: quote.Price(v()),
			High: quote.Price(v()), Low: quote.Price(v()), PrevClose: quote.Price(v()), BidSize: quote.Size(v()), AskSize: quote.Size(v()), Received: v() * int64(r.IntN(2)),
			N: uint64(v()), Seq: uint64(v()),
		})
	}
	snap := Snapshot{At: quote.Position{Epoch: 1, Seq: 7}}
	for i := range ticks {
		in := instrument([]string{"A", "BRK.B", strings.Repeat("W", quote.MaxSymbol)}[i%3])
		if i%2 == 1 {
			in.Decimals, in.SizeDecimals = uint8(r.IntN(quote.MaxDecimals+1)), uint8(r.IntN(quote.MaxDecimals+1))
		}
		checkTick(t, in, &ticks[i])
		snap.Quotes = append(snap.Quotes, DayQuote{in, &ticks[i]})
	}
	for _, n := range []int{0, 1, 2, 3, 50, 400, len(ticks)} {
		m := Snapshot{At: snap.At, Quotes: snap.Quotes[:n]}.Message()
		checkTwin(t, m.JSON(), m.body.appendProto([]byte{})) // lengths of one, two and three bytes
	}
	for _, s := range append(hostile, "", "AAPL", strings.Repeat("é", 9000)) {
		for _, m := range slices.Concat(messages(s, 1<<40), messages(s, 0), eventMessages(s, 1<<40), eventMessages(s, 0)) {
			checkTwin(t, m.JSON(), m.body.appendProto(nil))
		}
	}
}

// TestEveryKindOfTheSchemaIsSent: the schema has no unused kind, and TestProtoEqualsJSON covers each.
func TestEveryKindOfTheSchemaIsSent(t *testing.T) {
	schema, err := wiretest.Schema()
	if err != nil {
		t.Fatal(err)
	}
	sent := map[string]bool{"q": true}
	for _, m := range append(messages("x", 1), eventMessages("x", 1)...) {
		sent[m.Name] = true
	}
	kinds := schema.Oneofs().Get(0).Fields()
	for i := range kinds.Len() {
		k := kinds.Get(i)
		if !sent[k.JSONName()] {
			t.Errorf("%s is never sent", k.Name())
		}
		fields := k.Message().Fields()
		for j := range fields.Len() {
			if f := fields.Get(j); f.Number() > 19 || f.Kind() == protoreflect.EnumKind {
				t.Errorf("%s.%s: number %d", k.Name(), f.Name(), f.Number())
			}
		}
	}
	if kinds.Len() != len(sent) {
		t.Errorf("%d kinds in the schema, %d are sent", kinds.Len(), len(sent))
	}
}

// TestProtoFrames: each message is one binary frame, and payload is the size of the message alone.
func TestProtoFrames(t *testing.T) {
	var b []byte
	var want [][]byte
	for i := range 40 {
		m := Bye(strings.Repeat("x", i*i*50), time.Second)
		var payload int
		b, payload = WSProto.Append(b, m)
		want = append(want, m.body.appendProto(nil))
		if payload != len(want[len(want)-1]) {
			t.Fatalf("payload %d, want %d", payload, len(want[len(want)-1]))
		}
		body := appendProtoTick(nil, instrument("AAPL"), &plain)
		b = WSProto.AppendTick(b, 1, plain.Seq, body)
		want = append(want, body)
	}
	r := bytes.NewReader(b)
	for i, w := range want {
		f, err := readFrame(r)
		if err != nil || f.Header.OpCode != ws.OpBinary || !f.Header.Fin || f.Header.Masked || !bytes.Equal(f.Payload, w) {
			t.Fatalf("frame %d: %v, %+v", i, err, f.Header)
		}
	}
	if r.Len() != 0 {
		t.Errorf("%d bytes left", r.Len())
	}
}

func FuzzProto(f *testing.F) {
	for _, s := range hostile {
		f.Add(s, int64(1), uint64(2), int32(3))
	}
	f.Add("AAPL", int64(-1<<63), uint64(1<<64-1), int32(-1))
	f.Fuzz(func(t *testing.T, s string, n int64, u uint64, size int32) {
		for _, m := range append(messages(s, n), eventMessages(s, n)...) {
			checkTwin(t, m.JSON(), m.body.appendProto(nil))
		}
		in := instrument("A")
		if quote.ValidSymbol(s) {
			in.Symbol = s
		}
		in.Decimals, in.SizeDecimals = uint8(u%(quote.MaxDecimals+1)), uint8(u>>8%(quote.MaxDecimals+1))
		k := quote.Tick{Bid: quote.Price(n), Ask: quote.Price(u), Last: quote.Price(size), BidSize: quote.Size(size), AskSize: quote.Size(-size), Volume: quote.Size(n), Due: int64(u),
			Received: int64(u >> 3), N: u, Seq: uint64(n), Open: quote.Price(-n), High: quote.Price(u), Low: quote.Price(u >> 1), PrevClose: quote.Price(n >> 1)}
		checkTick(t, in, &k)
		m := Snapshot{At: quote.Position{Seq: u}, Quotes: []DayQuote{{in, &k}, {instrument("B"), &plain}}}.Message()
		checkTwin(t, m.JSON(), m.body.appendProto(nil))
	})
}
