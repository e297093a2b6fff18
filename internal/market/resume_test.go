package market

import (
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ticklane/internal/quote"
)

// newestOf returns the newest tick of each symbol, and numbers the ticks as the bus does.
func newestOf(ticks []quote.Tick) (newest []quote.Tick) {
	of := map[quote.ID]quote.Tick{}
	for i, k := range ticks {
		k.Seq, k.N = uint64(i+1), of[k.Symbol].N+1
		of[k.Symbol] = k
	}
	for _, k := range of {
		newest = append(newest, k)
	}
	slices.SortFunc(newest, func(a, b quote.Tick) int { return int(a.Symbol - b.Symbol) })
	return newest
}

// TestResume: where one market ends another goes on: a symbol's next tick is a step from its newest, with the figures of its day; there
// are no opening quotes. The same input gives the same market; random numbers don't repeat.
func TestResume(t *testing.T) {
	for _, arrivals := range []string{Hawkes, Steady} {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(12 * time.Hour)
			options := func(o *Options) { o.Arrivals, o.Rate, o.DayShape = arrivals, 500, true }
			first := newSimulator(t, options)
			before := firstTicks(t, first, 5000)
			newest := newestOf(before)
			time.Sleep(3 * time.Second)
			start := time.Now().UnixMicro()
			var after [2][]quote.Tick
			for i := range after {
				s := newSimulator(t, options)
				if err := s.Resume(newest); err != nil {
					t.Fatal(err)
				}
				if i == 0 {
					after[i] = firstTicks(t, s, 3000)
					continue
				}
				for len(after[i]) < len(after[0]) { // at the same times
					var k quote.Tick
					if len(after[i]) == 0 {
						s.model.place(start)
						s.model.restart(0, s.Rate(), s.steady())
					}
					s.model.next(&k)
					after[i] = append(after[i], k)
				}
			}
			if !slices.Equal(after[0], after[1]) {
				t.Error("two markets differ that were resumed from the same ticks")
			}
			of, changed := map[quote.ID]quote.Tick{}, 0
			for _, k := range newest {
				of[k.Symbol] = k
			}
			for i, k := range after[0] {
				checkTick(t, &k)
				b := of[k.Symbol]
				of[k.Symbol] = k
				if k.Day != b.Day || k.Open != b.Open || k.PrevClose != b.PrevClose || k.CountStarts || k.Due < start {
					t.Fatalf("tick %d, %+v, after %+v", i, k, b)
				}
				if k.Last == b.Last && (k.Volume-b.Volume)%lot == 0 && k.Volume >= b.Volume && k.High == b.High && k.Low == b.Low {
					changed++ // nothing: no trade
				} else if k.Last != k.Bid && k.Last != k.Ask || k.Volume <= b.Volume || k.High != max(b.High, k.Last) || k.Low != min(b.Low, k.Last) {
					t.Fatalf("tick %d, %+v, is no trade after %+v", i, k, b)
				}
				if move := math.Abs(float64(k.Bid+k.Ask)/float64(b.Bid+b.Ask) - 1); move > 0.004 {
					t.Fatalf("tick %d, %+v, is a jump of %.4f after %+v", i, k, move, b)
				}
			}
			if share := float64(changed) / float64(len(after[0])); share < 0.75 {
				t.Errorf("%.2f of the ticks are no trades", share)
			}
			newest[3].Seq += 5000 // as if the second market ended, too
			third := newSimulator(t, options)
			if err := third.Resume(newest); err != nil {
				t.Fatal(err)
			}
			same := 0
			for i, k := range firstTicks(t, third, 100)[:100] {
				if k.BidSize == after[0][i].BidSize && k.AskSize == after[0][i].AskSize {
					same++
				}
			}
			if same > 20 {
				t.Errorf("%d of 100 quotes have the sizes of the market that was resumed before", same)
			}
		})
	}
}

// TestResumeNextDay: if the day ended meanwhile, the next one opens at the last price.
func TestResumeNextDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(23 * time.Hour)
		newest := newestOf(firstTicks(t, newSimulator(t, nil), 2000))
		time.Sleep(time.Hour)
		s := newSimulator(t, nil)
		if err := s.Resume(newest); err != nil {
			t.Fatal(err)
		}
		seen := map[quote.ID]bool{}
		for _, k := range firstTicks(t, s, 500) {
			b := newest[k.Symbol]
			if k.Day != b.Day+1 || k.Open != b.Last || k.PrevClose != b.Last || !seen[k.Symbol] && k.Volume > 0 && k.Last != k.Bid && k.Last != k.Ask {
				t.Fatalf("%+v after %+v", k, b)
			}
			seen[k.Symbol] = true
		}
	})
}

// TestResumeOpensTheRest: symbols without a tick get an opening quote, those of which a last price is known open at it. After another
// Resume, Run goes on once more.
func TestResumeOpensTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(12 * time.Hour)
		s := newSimulator(t, func(o *Options) { o.Rate = 2000 })
		all := newestOf(firstTicks(t, s, 100))
		from := make([]quote.Price, len(all))
		for id := range from {
			from[id] = s.Universe().Instrument(quote.ID(id)).Price * 3 / 2
			if id < 30 {
				all[id] = quote.Tick{Symbol: quote.ID(id), Last: from[id]}
			}
		}
		if err := s.Resume(all[:40]); err != nil {
			t.Fatal(err)
		}
		ticks := firstTicks(t, s, 3000)
		opened := map[quote.ID]bool{}
		for i, k := range ticks {
			switch {
			case i < 30 && (k.Last != from[k.Symbol] || k.Open != k.Last || k.PrevClose != k.Last || k.Volume != 0 || !k.CountStarts):
				t.Fatalf("opening quote %+v, want a last price of %d", k, from[k.Symbol])
			case i < 40:
				opened[k.Symbol] = true
			}
			if want := float64(from[k.Symbol]); k.Symbol < 30 && math.Abs(float64(k.Bid)/want-1) > 0.01 {
				t.Fatalf("%+v is far from %v", k, want)
			}
		}
		if len(opened) != 40 || opened[30] || opened[39] || !opened[40] || !opened[49] {
			t.Errorf("opened %v", opened)
		}
		all[0] = quote.Tick{Symbol: 50}
		if err := s.Resume(all); err == nil || !strings.Contains(err.Error(), "market.symbols is 50") {
			t.Error(err)
		}
	})
}

// TestResumeDay: a day goes on where the newest tick was, also if that came late, and on days in which the clock changes.
func TestResumeDay(t *testing.T) {
	session, err := quote.NewSession("America/New_York", "00:30", "16:00")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*quote.Session{nil, session} {
		for hour := 0; hour < 24*400; hour += 5 {
			at := time.Date(2025, 12, 1, hour, 29, 0, 0, time.UTC).UnixMicro()
			var d, resumed Day
			d.Start(s, 100, at)
			d.Trade(130, 7)
			var k, got quote.Tick
			d.Fill(&k)
			for _, late := range []time.Duration{0, time.Hour, 24 * time.Hour, 200 * time.Hour, -time.Hour, -30 * time.Hour, -200 * time.Hour} {
				k.Due = at - late.Microseconds()
				if newest := resumed.Resume(s, &k); !d.trading.Contains(newest) || late == 0 && newest != at {
					t.Fatalf("newest %v", time.UnixMicro(newest).UTC())
				}
				resumed.Roll(at)
				resumed.Fill(&got)
				want := k
				want.Due, want.CountStarts = 0, false
				if got != want || resumed.trading != d.trading {
					t.Fatalf("%v, %v late: %+v, want %+v", time.UnixMicro(at).UTC(), late, got, want)
				}
			}
		}
	}
}
