// Package bustest has the tests that every kind of bus must pass.
package bustest

import (
	"slices"
	"sync"
	"testing"

	"ticklane/internal/bus"
	"ticklane/internal/quote"
	"ticklane/internal/testkit"
)

// Symbols is the number of symbols of the universe.
const Symbols = 20

// LogSize is the number of ticks that a bus must be able to deliver again.
const LogSize = 5000

// A Node is a bus that one source publishes to.
type Node interface {
	// Position returns where the log begins: before the first tick that the sinks get.
	Position() quote.Position
	// Attach adds a sink.
	Attach(bus.Sink)
	// Start starts the bus and returns a function that publishes.
	Start() func([]quote.Tick)
	// Stop ends the bus in order, after all that was published is delivered.
	Stop()
}

// Suite tests a kind of bus. open returns a new node on the log of the nodes before, which have stopped.
func Suite(t *testing.T, open func(t *testing.T, u *quote.Universe, events *quote.Events) Node) {
	t.Run("numbers", func(t *testing.T) { testNumbers(t, open) })
	t.Run("publishers", func(t *testing.T) { testPublishers(t, open) })
	t.Run("contents", func(t *testing.T) { testContents(t, open) })
	t.Run("continue", func(t *testing.T) { testContinue(t, open) })
}

type opener = func(t *testing.T, u *quote.Universe, events *quote.Events) Node

// Universe returns a universe of Symbols instruments.
func Universe(t testing.TB) *quote.Universe {
	t.Helper()
	all := make([]quote.Instrument, Symbols)
	for i := range all {
		all[i] = quote.Instrument{Symbol: "SYM" + string(rune('A'+i)), Name: "Test", Sector: "test", Decimals: 2}
	}
	u, err := quote.NewUniverse(all)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// Received is a sink that keeps the ticks.
type Received struct {
	mu    sync.Mutex
	ticks []quote.Tick
}

// Add is a bus.Sink.
func (r *Received) Add(ticks []quote.Tick) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ticks = append(r.ticks, ticks...)
}

// Ticks returns what was received.
func (r *Received) Ticks() []quote.Tick {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.ticks)
}

// Wait waits for a number of ticks.
func (r *Received) Wait(t testing.TB, n int) []quote.Tick {
	t.Helper()
	testkit.Eventually(t, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.ticks) >= n
	}, "ticks received")
	return r.Ticks()
}

func testNumbers(t *testing.T, open opener) {
	node := open(t, Universe(t), quote.NewEvents(LogSize))
	var order []string
	var first, second Received
	node.Attach(func(ticks []quote.Tick) { order = append(order, "first"); first.Add(ticks) })
	node.Attach(func(ticks []quote.Tick) { order = append(order, "second"); second.Add(ticks) })
	publish := node.Start()
	batch := []quote.Tick{{Symbol: 2}, {Symbol: 0}, {Symbol: 2}}
	publish(batch)
	publish([]quote.Tick{{Symbol: 2, Seq: 99, N: 99}, {Symbol: 1}})
	publish(nil)
	want := []quote.Tick{
		{Symbol: 2, N: 1, Seq: 1}, {Symbol: 0, N: 1, Seq: 2}, {Symbol: 2, N: 2, Seq: 3}, {Symbol: 2, N: 3, Seq: 4}, {Symbol: 1, N: 1, Seq: 5},
	}
	if !slices.Equal(batch, want[:3]) {
		t.Errorf("in place: %+v", batch)
	}
	second.Wait(t, len(want))
	node.Stop()
	if a, b := first.Ticks(), second.Ticks(); !slices.Equal(a, want) || !slices.Equal(b, want) {
		t.Errorf("got %+v and %+v", a, b)
	}
	if len(order) < 2 || !slices.Equal(order[:2], []string{"first", "second"}) {
		t.Errorf("sinks in order %v", order)
	}
}

// testPublishers publishes from several goroutines: a sink gets one sequence without gaps.
func testPublishers(t *testing.T, open opener) {
	const publishers, batches, size = 4, 50, 7
	node := open(t, Universe(t), quote.NewEvents(LogSize))
	var got Received
	node.Attach(got.Add)
	publish := node.Start()
	var all sync.WaitGroup
	for id := range quote.ID(publishers) {
		all.Go(func() {
			for range batches {
				ticks := make([]quote.Tick, size)
				for i := range ticks {
					ticks[i].Symbol = id
				}
				publish(ticks)
			}
		})
	}
	all.Wait()
	ticks := got.Wait(t, publishers*batches*size)
	node.Stop()
	n := make([]uint64, publishers)
	for i, k := range ticks {
		n[k.Symbol]++
		if k.Seq != uint64(i+1) || k.N != n[k.Symbol] {
			t.Fatalf("tick %d: %+v", i+1, k)
		}
	}
}

// testContents publishes a batch larger than any message, with all fields and events.
func testContents(t *testing.T, open opener) {
	events := quote.NewEvents(LogSize)
	node := open(t, Universe(t), events)
	var got Received
	node.Attach(got.Add)
	publish := node.Start()
	status := &quote.Status{State: quote.StateHalted, Reason: "news"}
	trade := &quote.Trade{Price: 1234, Size: 5, ID: "7", Conditions: []string{"@", "F"}, Venue: "XNAS"}
	ticks := make([]quote.Tick, 2500)
	for i := range ticks {
		k := int64(i)
		ticks[i] = quote.Tick{
			Symbol: quote.ID(i % Symbols), Day: 20000, BidSize: quote.Size(k), AskSize: quote.Size(k + 1), Bid: quote.Price(100 + k), Ask: quote.Price(102 + k), Last: quote.Price(101 + k),
			Open: 90, High: quote.Price(101 + k), Low: 80, PrevClose: 85, Volume: quote.Size(10 * k), Due: 1_700_000_000_000_000 + k, Received: 1_700_000_000_000_100 + k, CountStarts: i == 0,
		}
		if i%1000 == 10 {
			ticks[i].Halted, ticks[i].Event = true, events.Put(quote.Event{Trade: trade, Status: status})
		}
	}
	publish(ticks)
	received := got.Wait(t, len(ticks))
	node.Stop()
	for i, k := range received {
		event := events.Get(k.Event)
		want := ticks[i]
		want.Event, k.Event = 0, 0
		if k != want {
			t.Fatalf("tick %d: %+v, want %+v", i, k, want)
		}
		if i%1000 != 10 {
			if event != (quote.Event{}) {
				t.Errorf("tick %d has an event", i)
			}
		} else if event.Trade == nil || event.Status == nil || event.Trade.ID != "7" || !slices.Equal(event.Trade.Conditions, trade.Conditions) || *event.Status != *status {
			t.Errorf("event of tick %d: %+v", i, event)
		}
	}
}

// testContinue stops a node and continues its log with another.
func testContinue(t *testing.T, open opener) {
	var epoch uint64
	n, seq := make([]uint64, Symbols), uint64(0)
	for round := range 3 {
		node := open(t, Universe(t), quote.NewEvents(LogSize))
		at := node.Position()
		if epoch != 0 && at.Epoch != epoch {
			t.Fatalf("round %d: epoch %x, want %x", round, at.Epoch, epoch)
		}
		epoch = at.Epoch
		var got Received
		node.Attach(got.Add)
		publish := node.Start()
		for i := range 30 {
			publish([]quote.Tick{{Symbol: quote.ID((i * i) % Symbols)}, {Symbol: quote.ID(round)}})
		}
		seq += 60
		ticks := got.Wait(t, int(seq-at.Seq))
		node.Stop()
		for i, k := range ticks {
			if k.Seq != at.Seq+uint64(i)+1 {
				t.Fatalf("round %d: tick %d after position %d has seq %d", round, i, at.Seq, k.Seq)
			}
			if k.N <= n[k.Symbol] && k.Seq > seq-60 {
				t.Fatalf("round %d: symbol %d has N %d after %d", round, k.Symbol, k.N, n[k.Symbol])
			}
		}
		for _, k := range ticks {
			n[k.Symbol] = max(n[k.Symbol], k.N)
		}
	}
	total := uint64(0)
	for _, k := range n {
		total += k
	}
	if total != seq {
		t.Errorf("the symbols have %d ticks, want %d", total, seq)
	}
}
