package wire

import (
	"strings"
	"testing"

	"ticklane/internal/quote"
)

func TestEventsGolden(t *testing.T) {
	in := &quote.Instrument{Symbol: "BTC/USD", Decimals: 1, SizeDecimals: 4}
	k := quote.Tick{Due: 7, N: 3, Seq: 9}
	for _, c := range []struct {
		m    Message
		want string
	}{
		{tradeMessage(in, &k, &quote.Trade{Price: 671234, Size: 1}), `{"T":"trade","S":"BTC/USD","p":67123.4,"s":0.0001,"t":7,"n":3,"i":9}`},
		{tradeMessage(in, &k, &quote.Trade{Price: -5, Size: 12500, ID: "a1", Conditions: []string{"@", "T"}, Venue: "V", Corrects: "a0"}), `{"T":"trade","S":"BTC/USD","p":-0.5,"s":1.2500,"id":"a1","c":["@","T"],"x":"V","corrects":"a0","t":7,"n":3,"i":9}`},
		{tradeMessage(in, &k, &quote.Trade{Price: 671234, Size: 1, Cancels: "a1"}), `{"T":"trade","S":"BTC/USD","p":67123.4,"s":0.0001,"cancels":"a1","t":7,"n":3,"i":9}`},
		{statusMessage(in, &k, &quote.Status{State: quote.StateHalted}), `{"T":"status","status":"halted","t":7,"S":"BTC/USD","n":3,"i":9}`},
		{statusMessage(in, &k, &quote.Status{State: "auction", Reason: `"news" – pending`}), `{"T":"status","status":"auction","t":7,"S":"BTC/USD","reason":"\"news\" – pending","n":3,"i":9}`},
		{barMessage(in, &k, &quote.Bar{Start: 60, Open: 5, High: 12, Low: -5, Close: -1, Volume: 12500, Complete: true}), `{"T":"bar","S":"BTC/USD","interval":"1m","t":60,"o":0.5,"h":1.2,"l":-0.5,"c":-0.1,"v":1.2500,"complete":true,"i":9}`},
		{barMessage(in, &k, &quote.Bar{}), `{"T":"bar","S":"BTC/USD","interval":"1m","t":0,"o":0.0,"h":0.0,"l":0.0,"c":0.0,"v":0.0000,"complete":false,"i":9}`},
	} {
		if got := string(c.m.JSON()); got != c.want || c.m.ID != "" {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

// TestEventsGoBeforeTheirTick: only for the channels of the format, and the tick alone has an id.
func TestEventsGoBeforeTheirTick(t *testing.T) {
	in, k := instrument("A"), eventTick(5)
	body := AppendQuote(nil, in, k)
	for c, want := range map[Channels]string{0: "q", Trades: "trade q", Statuses: "status q", Trades | Statuses: "status trade q", Bars: "bar q", allChannels: "bar status trade q"} {
		f := SSEJSON.With(c)
		b, payload := f.AppendEvents(nil, in, k, eventOf("x", 5))
		b = f.AppendTick(b, 0xab, k.Seq, body)
		events, rest := parseEvents(string(b))
		names, size := []string{}, 0
		for i, e := range events {
			name := e.typ
			if name == "message" {
				name = "q"
			}
			names = append(names, name)
			if last := i == len(events)-1; (e.lastID != "") != last {
				t.Errorf("%s: id %q", name, e.lastID)
			} else if !last {
				size += len(e.data)
			}
		}
		if got := strings.Join(names, " "); got != want || rest != "" || payload != size {
			t.Errorf("channels %b: %s, want %s; payload %d of %d", c, got, want, payload, size)
		}
	}
}

// TestFormatsWithChannels: a format with channels is its own, with the same lane and encoding.
func TestFormatsWithChannels(t *testing.T) {
	seen := map[Format]bool{}
	for _, f := range []Format{SSEJSON, WSJSON, WSProto} {
		for c := range allChannels + 1 {
			g := f.With(c)
			if seen[g] || g >= AllFormats || g.Lane() != f.Lane() || g.Encoding() != f.Encoding() || g.Has(Trades) != (c&Trades != 0) || g.Has(Statuses) != (c&Statuses != 0) || g.Has(Bars) != (c&Bars != 0) {
				t.Errorf("%v with %b: %d", f, c, g)
			}
			seen[g] = true
		}
	}
	if len(seen) != int(AllFormats) {
		t.Errorf("%d formats of %d", len(seen), AllFormats)
	}
}

// TestMaxEventsBounds: a bar, and a trade and a status with the longest texts that they may have fit.
func TestMaxEventsBounds(t *testing.T) {
	long := func(n int) string { return strings.Repeat("<", n) } // JSON escapes it with 6 bytes
	k := extremes()[2]
	event := quote.Event{
		Trade:  &quote.Trade{Price: k.Bid, Size: k.BidSize, ID: long(64), Venue: long(32), Corrects: long(64), Cancels: long(64)},
		Status: &quote.Status{State: strings.Repeat("x", 32), Reason: long(128)},
		Bar:    &quote.Bar{Start: k.Due, Open: k.Bid, High: k.Bid, Low: k.Bid, Close: k.Bid, Volume: k.BidSize},
	}
	for range 8 {
		event.Trade.Conditions = append(event.Trade.Conditions, long(16))
	}
	if err := event.Trade.Check(); err != nil {
		t.Fatal(err)
	}
	if err := event.Status.Check(); err != nil {
		t.Fatal(err)
	}
	in := &quote.Instrument{Symbol: strings.Repeat("W", quote.MaxSymbol), Decimals: 9, SizeDecimals: 9}
	for f := range AllFormats {
		if b, _ := f.AppendEvents(nil, in, &k, event); len(b) > MaxEvents {
			t.Errorf("%v: %d bytes", f, len(b))
		}
	}
}
