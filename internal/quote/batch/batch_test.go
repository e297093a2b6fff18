package batch

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"ticklane/internal/quote"
	"ticklane/internal/testkit"
)

// fixture is an encoder and a decoder of a universe that grows to ten symbols, as on two machines.
type fixture struct {
	from, to *quote.Events
	universe *quote.Universe // of the decoder
	*Encoder
	*Decoder
}

func newFixture(t testing.TB, known ...quote.Instrument) *fixture {
	t.Helper()
	u, err := quote.NewGrowingUniverse(known, 10)
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{from: quote.NewEvents(10), to: quote.NewEvents(20), universe: u}
	f.Encoder, f.Decoder = NewEncoder(10, f.from), NewDecoder(u, f.to)
	return f
}

// instruments returns two, the second with all that one can have.
func instruments(t testing.TB) []quote.Instrument {
	t.Helper()
	session, err := quote.NewSession("America/New_York", "09:30", "24:00")
	if err != nil {
		t.Fatal(err)
	}
	return []quote.Instrument{
		{Symbol: "A", Sector: "x"},
		{
			Symbol: "EUR/USD", Name: "Euro ‑ dollar", Sector: "fx", Decimals: 5, SizeDecimals: 9, Currency: "USD", Venue: "EBS", TickSize: 3, Negative: true,
			Session: session, Price: -12, Volatility: 0.25, Value: 1e9,
		},
	}
}

// some returns ticks with consecutive numbers, of symbols below a number, some with an event.
func (f *fixture) some(r *rand.Rand, symbols, n int) []quote.Tick {
	ticks := make([]quote.Tick, n)
	seq := 1 + r.Uint64N(1<<40)
	value := func() int64 { return r.Int64N(quote.MaxUnits+1) >> r.IntN(53) }
	for i := range ticks {
		ticks[i] = quote.Tick{
			Symbol: quote.ID(r.IntN(symbols)), Day: r.Int32N(1 << 24), BidSize: quote.Size(value()), AskSize: quote.Size(value()), Bid: quote.Price(-value()),
			Ask: quote.Price(value()), Last: quote.Price(value()), Open: quote.Price(value()), High: quote.Price(value()), Low: quote.Price(value()),
			PrevClose: quote.Price(value()), Volume: quote.Size(value()), Due: value(), Received: -value(), N: 1 + r.Uint64N(99), Seq: seq + uint64(i),
			Halted: r.IntN(2) == 0, CountStarts: r.IntN(9) == 0,
		}
		switch r.IntN(5) {
		case 0:
			ticks[i].Event = f.from.Put(quote.Event{Trade: &quote.Trade{Price: 5, Size: 7, ID: "id", Conditions: []string{"a", "b"}, Venue: "X", Corrects: "c"}})
		case 1:
			ticks[i].Event = f.from.Put(quote.Event{Status: &quote.Status{State: "halted", Reason: "news"}, Bar: &quote.Bar{Start: 6e7, Open: 1, Complete: true}})
		}
	}
	return ticks
}

// checkTicks compares ticks with their events.
func (f *fixture) checkTicks(t testing.TB, got, want []quote.Tick) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d ticks, want %d", len(got), len(want))
	}
	for i := range got {
		g, w := got[i], want[i]
		if a, b := f.to.Get(g.Event), f.from.Get(w.Event); !reflect.DeepEqual(a, b) {
			t.Fatalf("tick %d has event %+v, want %+v", i, a, b)
		}
		if g.Event, w.Event = 0, 0; g != w {
			t.Fatalf("tick %d:\ngot  %+v\nwant %+v", i, g, w)
		}
	}
}

// full returns a batch with all that one can have, for a universe with one instrument.
func (f *fixture) full(t testing.TB, r *rand.Rand) *Batch {
	return &Batch{
		FirstID: 1, Instruments: instruments(t),
		Details: []Detail{{Symbol: 0, Quoted: true}, {Symbol: 2, Traded: true, Halted: true}},
		Progress: []Progress{
			{Source: "ticker", Subject: "ana", New: true, Ranges: []Range{{1, 5}, {9, 9}, {7, 8}}},
			{Source: "all", Ranges: []Range{{1, 1<<63 - 1}}},
		},
		Ticks: f.some(r, 3, 9),
	}
}

// TestBatch: a batch is decoded to what it was, whichever were decoded before, and by a decoder that has seen none.
func TestBatch(t *testing.T) {
	r := testkit.Rand(t)
	known := quote.Instrument{Symbol: "known", Sector: "x"}
	f := newFixture(t, known)
	var got Batch
	for range 50 {
		want := f.full(t, r)
		data := f.Append(nil, want)
		if r.IntN(3) == 0 {
			f.Decoder = NewDecoder(f.universe, f.to)
		}
		if err := f.Decode(data, &got); err != nil {
			t.Fatal(err)
		}
		f.checkTicks(t, got.Ticks, want.Ticks)
		if got.FirstID != 1 || !reflect.DeepEqual(got.Details, want.Details) || !reflect.DeepEqual(got.Progress, want.Progress) {
			t.Fatalf("got %+v, want %+v", got, want)
		}
		for i := range want.Instruments {
			g, w := got.Instruments[i], want.Instruments[i]
			if (g.Session == nil) != (w.Session == nil) || g.Session != nil && (g.Session.Zone.String() != w.Session.Zone.String() || g.Session.Open != w.Session.Open || g.Session.Close != w.Session.Close) {
				t.Fatalf("session %+v, want %+v", g.Session, w.Session)
			}
			if g.Session, w.Session = nil, nil; g != w {
				t.Fatalf("instrument %+v, want %+v", g, w)
			}
		}
	}
	if err := f.Decode(f.Append(nil, &Batch{}), &got); err != nil || !got.Empty() {
		t.Errorf("an empty batch: %+v, %v", got, err)
	}
}

func TestState(t *testing.T) {
	f := newFixture(t)
	want := f.full(t, testkit.Rand(t))
	want.FirstID, want.Details[1].Symbol = 0, 1
	want.Ticks = slices.DeleteFunc(f.some(testkit.Rand(t), 1, 3), func(t quote.Tick) bool { return t.N == 0 })[:2]
	want.Ticks[1].Symbol, want.Ticks[1].Seq = 1, 3
	data := f.AppendState(nil, want)
	var got Batch
	if err := f.DecodeState(data, &got); err != nil || len(got.Instruments) != 2 || !reflect.DeepEqual(got.Progress, want.Progress) {
		t.Fatalf("%+v, %v", got, err)
	}
	f.checkTicks(t, got.Ticks, want.Ticks)
	if err := f.Decode(data, &got); err == nil || err.Error() != "batch: kind 1: want 0, a message" {
		t.Errorf("a state as a message: %v", err)
	}
}

// TestLongestBatch: the largest batch with the longest texts fits in a message of NATS.
func TestLongestBatch(t *testing.T) {
	from, to := quote.NewEvents(MaxTicks), quote.NewEvents(MaxTicks)
	u, err := quote.NewGrowingUniverse(instruments(t), 10)
	if err != nil {
		t.Fatal(err)
	}
	text := func(n int) string { return strings.Repeat("é", n/2) }
	trade := &quote.Trade{Price: quote.MaxUnits, Size: quote.MaxUnits, ID: text(64), Venue: text(32), Corrects: text(64), Cancels: text(64), Conditions: slices.Repeat([]string{text(16)}, 8)}
	status := &quote.Status{State: strings.Repeat("a", 32), Reason: text(128)}
	bar := &quote.Bar{Start: 1 << 60, Open: -quote.MaxUnits, High: quote.MaxUnits, Low: quote.MaxUnits, Close: quote.MaxUnits, Volume: quote.MaxUnits}
	x := Batch{Ticks: make([]quote.Tick, MaxTicks)}
	for i := range x.Ticks {
		sign := quote.Price(1 - i%4/2*2)
		p := sign * quote.MaxUnits
		x.Ticks[i] = quote.Tick{
			Symbol: quote.ID(i % 2), Day: int32(sign) << 24, Bid: p, Ask: -p, Last: p, Open: p, High: p, Low: p, PrevClose: p, Volume: quote.MaxUnits * quote.Size(i%4/2),
			BidSize: quote.MaxUnits, AskSize: quote.MaxUnits, Due: int64(sign) << 60, Received: int64(sign) << 60, N: 1 << 62, Seq: 1<<62 + uint64(i),
			Event: from.Put(quote.Event{Trade: trade, Status: status, Bar: bar}),
		}
	}
	data := NewEncoder(10, from).Append(nil, &x)
	if len(data) > 1<<20-4096 {
		t.Errorf("%d bytes", len(data))
	}
	var got Batch
	if err := NewDecoder(u, to).Decode(data, &got); err != nil || len(got.Ticks) != MaxTicks {
		t.Errorf("%d ticks, %v", len(got.Ticks), err)
	}
}

// TestDecodeErrors: an error says what is wrong, and leaves an empty batch.
func TestDecodeErrors(t *testing.T) {
	f := newFixture(t, instruments(t)...)
	tick := func(change func(*quote.Tick)) *Batch {
		k := quote.Tick{Symbol: 1, N: 1, Seq: 7}
		change(&k)
		return &Batch{Ticks: []quote.Tick{k}}
	}
	event := func(e quote.Event) *Batch {
		return tick(func(k *quote.Tick) { k.Event = f.from.Put(e) })
	}
	instrument := func(first quote.ID, in ...quote.Instrument) *Batch { return &Batch{FirstID: first, Instruments: in} }
	encoded := func(b *Batch) []byte { return f.Append(nil, b) }
	good := encoded(tick(func(*quote.Tick) {}))
	for want, data := range map[string][]byte{
		"batch: 0 bytes": {},
		"batch: 1 bytes": {1},
		"batch: 2: unknown version: all nodes need the same":                             {2, 0, 0},
		"batch: kind 9: want 0, a message":                                               {1, 9, 0},
		"batch: instrument: invalid number: the end, or a number":                        {1, 0},
		"batch: instrument: there are 100, but bytes for at most 0":                      {1, 0, 100},
		"batch: instrument: ID 3 after 2: instruments before it are missing":             encoded(instrument(3, quote.Instrument{Symbol: "C", Sector: "x"})),
		`batch: instrument: ID 2: symbol: "": want 1 to 32`:                              encoded(instrument(2, quote.Instrument{Sector: "a long sector"})),
		"batch: instrument: 11 are more than feed.ingest.instruments of this server, 10": encoded(instrument(2, slices.Repeat([]quote.Instrument{{Symbol: "Z", Sector: "zzz"}}, 9)...)),
		"batch: detail: symbol 2: instruments before it are missing":                     encoded(&Batch{Details: []Detail{{Symbol: 2}}}),
		`batch: progress: "s": range 0 to 3`:                                             encoded(&Batch{Progress: []Progress{{Source: "s", Ranges: []Range{{0, 3}}}}}),
		`batch: progress: "s": range 5 to 4`:                                             encoded(&Batch{Progress: []Progress{{Source: "s", Ranges: []Range{{5, 4}}}}}),
		"batch: tick: there are 4, but bytes for at most 2":                              {1, 0, 0, 0, 0, 4, 1, 1, 1, 1, 1, 1},
		"batch: tick: 1 of 1: symbol 2: want less than 2":                                encoded(tick(func(k *quote.Tick) { k.Symbol = 2 })),
		"batch: tick: 1 of 1: price 9007199254740992 is out of range":                    encoded(tick(func(k *quote.Tick) { k.Last = quote.MaxUnits + 1 })),
		"batch: tick: 1 of 1: size -1 is out of range":                                   encoded(tick(func(k *quote.Tick) { k.Volume = -1 })),
		"batch: tick: 1 of 1: seq 0, n 1":                                                encoded(tick(func(k *quote.Tick) { k.Seq = 0 })),
		"batch: tick: 1 of 1: time 0, 6917529027641081856":                               encoded(tick(func(k *quote.Tick) { k.Received = 3 << 61 })),
		"batch: tick: 1 of 1: time 0, 0 or day -99999999":                                encoded(tick(func(k *quote.Tick) { k.Day = -99999999 })),
		"batch: tick: 2 of 2: seq 9 after 7":                                             encoded(&Batch{Ticks: []quote.Tick{{N: 1, Seq: 7}, {N: 2, Seq: 9}}}),
		"batch: tick: 1 of 1: id: ":                                                      encoded(event(quote.Event{Trade: &quote.Trade{ID: "\n"}})),
		"batch: tick: 1 of 1: status: ":                                                  encoded(event(quote.Event{Status: &quote.Status{}})),
		"batch: tick: 1 of 1: the end, or a number":                                      good[:len(good)-1],
		"batch: 1 bytes after the end":                                                   append(slices.Clone(good), 0),
	} {
		got := *tick(func(*quote.Tick) {})
		if err := f.Decode(data, &got); err == nil || !strings.HasPrefix(err.Error(), want) || !got.Empty() {
			t.Errorf("%v; want %s; %+v", err, want, got)
		}
		if err := f.Decode(good, &got); err != nil || got.Ticks[0] != (quote.Tick{Symbol: 1, N: 1, Seq: 7}) {
			t.Fatalf("a good batch after that: %+v, %v", got, err)
		}
	}
	var x Batch
	if err := f.Decode([]byte{2, 0}, &x); !errors.Is(err, ErrVersion) {
		t.Error(err)
	}
	states := map[string][]quote.Tick{"batch: tick: 2 of 2: symbol 1 after 1": {{Symbol: 1, N: 1, Seq: 3}, {Symbol: 1, N: 2, Seq: 4}}}
	for want, ticks := range states {
		if err := f.DecodeState(f.AppendState(nil, &Batch{Ticks: ticks}), &x); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// FuzzDecode: any bytes are an error, or a batch that is the same when it is encoded and decoded again.
func FuzzDecode(f *testing.F) {
	x := newFixture(f, quote.Instrument{Symbol: "known", Sector: "x"})
	r := rand.New(rand.NewPCG(1, 2))
	for range 3 {
		f.Add(x.Append(nil, x.full(f, r)), false)
	}
	f.Add(x.AppendState(nil, &Batch{Ticks: []quote.Tick{{N: 4, Seq: 9}}}), true)
	f.Add([]byte{1, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1}, false)
	f.Fuzz(func(t *testing.T, data []byte, isState bool) {
		x := newFixture(t, quote.Instrument{Symbol: "known", Sector: "x"})
		decode, encode := x.Decode, x.Append
		if isState {
			decode, encode = x.DecodeState, x.AppendState
		}
		var got, again Batch
		if decode(data, &got) != nil {
			return
		}
		x.from, x.Encoder.events = x.to, x.to
		if err := decode(encode(nil, &got), &again); err != nil {
			t.Fatalf("%+v: %v", got, err)
		}
		x.checkTicks(t, again.Ticks, got.Ticks)
		if len(again.Instruments) != len(got.Instruments) || len(again.Progress) != len(got.Progress) || !slices.Equal(again.Details, got.Details) {
			t.Fatalf("got %+v, want %+v", again, got)
		}
	})
}

// FuzzDecodeChanged changes bytes of a batch, which reaches deeper than any bytes do.
func FuzzDecodeChanged(f *testing.F) {
	f.Add(uint16(3), byte(255), uint16(20), byte(0))
	x := newFixture(f, quote.Instrument{Symbol: "known", Sector: "x"})
	whole := x.Append(nil, x.full(f, rand.New(rand.NewPCG(1, 2))))
	f.Fuzz(func(t *testing.T, at uint16, b byte, at2 uint16, b2 byte) {
		x, data := newFixture(t, quote.Instrument{Symbol: "known", Sector: "x"}), slices.Clone(whole)
		data[int(at)%len(data)], data[int(at2)%len(data)] = b, b2
		var got Batch
		if x.Decode(data, &got) != nil && !got.Empty() {
			t.Errorf("an error with %+v", got)
		}
	})
}
