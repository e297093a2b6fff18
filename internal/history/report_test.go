package history

import (
	"slices"
	"testing"

	"ticklane/internal/quote"
)

// TestReportBars: each minute is reported by the tick that ends it, and is final: it equals what Range returns then and later.
func TestReportBars(t *testing.T) {
	s := newStore(t, 1, 100)
	events := quote.NewEvents(100)
	s.ReportBars(events)
	trade := &quote.Trade{ID: "x"}
	ticks := []quote.Tick{
		tick(10, 100, 5), tick(70, 101, 7), tick(60, 99, 8), tick(50, 103, 9), // late, counted in the newest bar
		tick(130, 102, 10), tick(131, 98, 20), tick(600, 97, 21), tick(601, 96, 25),
	}
	ticks[4].Event = events.Put(quote.Event{Trade: trade})
	for i := range ticks {
		ticks[i].Seq = uint64(i + 1)
		s.Add(ticks[i : i+1])
	}
	page, err := s.Range(0, Minute, Earliest, Latest, 100)
	if err != nil {
		t.Fatal(err)
	}
	var reported []Bar
	for i, at := range []int{1, 4, 6} {
		e := events.Get(ticks[at].Event)
		if e.Bar == nil || (at == 4) != (e.Trade == trade) {
			t.Fatalf("tick %d reports %+v", at, e)
		}
		if b := e.Bar; b.Complete != (i > 0) {
			t.Errorf("bar %d: complete %t", i, b.Complete)
		} else {
			reported = append(reported, Bar{T: b.Start, O: b.Open, H: b.High, L: b.Low, C: b.Close, V: b.Volume})
		}
	}
	if want := page.Bars[:len(page.Bars)-1]; !slices.Equal(reported, want) {
		t.Errorf("reported %+v, stored %+v", reported, want)
	}
	for _, at := range []int{0, 2, 3, 5, 7} {
		if ticks[at].Event != 0 {
			t.Errorf("tick %d has an event", at)
		}
	}
}
