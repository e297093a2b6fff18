package market

import (
	"bytes"
	"cmp"
	"context"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ticklane/internal/quote"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func newSimulator(t testing.TB, change func(*Options)) *Simulator {
	t.Helper()
	o := Options{Seed: 1, Rate: 100, Symbols: 50, Arrivals: Hawkes, Warmup: 2 * time.Hour, Logger: quiet()}
	if change != nil {
		change(&o)
	}
	s, err := NewSimulator(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestUniverse(t *testing.T) {
	known := WellKnown()
	if len(known) != 50 {
		t.Fatalf("%d well-known symbols, want 50", len(known))
	}
	for _, s := range known {
		if s.Name == "" || s.Price < 1000 || s.Volatility < 0.012 || s.Volatility > 0.024 || s.Value <= 0 {
			t.Errorf("implausible symbol %+v", s)
		}
	}
	if first := newSimulator(t, func(o *Options) { o.Symbols = 11 }).Universe(); len(first.Sectors()) != 11 {
		t.Errorf("the first 11 symbols have the sectors %v, want 11 of them", first.Sectors())
	}
	large := newSimulator(t, func(o *Options) { o.Symbols = 5000 }).Universe()
	small := newSimulator(t, func(o *Options) { o.Symbols = 51 }).Universe()
	if large.Len() != 5000 || small.Len() != 51 {
		t.Fatalf("%d and %d symbols, want 5000 and 51", large.Len(), small.Len())
	}
	if !slices.Equal(large.Instruments()[:51], small.Instruments()) {
		t.Error("a symbol depends on how many there are")
	}
	if s := small.Instrument(50); s.Symbol != "SIM0051" || s.Name != "Simulated 51" {
		t.Errorf("the first made-up symbol is %+v", s)
	}
}

// checkTick fails the test if a tick is inconsistent.
func checkTick(t testing.TB, k *quote.Tick) {
	t.Helper()
	switch {
	case k.Bid < 1 || k.Ask < k.Bid, k.BidSize < 1 || k.AskSize < 1,
		k.Last < k.Low || k.Last > k.High, k.Open < k.Low || k.Open > k.High, k.Low < 1,
		k.PrevClose < 1, k.Volume < 0, k.Due == 0, k.N != 0, k.Seq != 0:
		t.Fatalf("inconsistent tick %+v", *k)
	}
}

func TestTicksAreWhole(t *testing.T) {
	for _, arrivals := range []string{Hawkes, Steady} {
		u, err := universe(60)
		if err != nil {
			t.Fatal(err)
		}
		m := newModel(u, 9, false)
		m.place(time.Date(2026, 3, 2, 23, 0, 0, 0, time.UTC).UnixMicro())
		m.restart(0, 20, arrivals == Steady)
		var k quote.Tick
		newest := make([]quote.Tick, u.Len())
		before, volumes := 0.0, 0
		for m.peek() < 2*3600 {
			at := m.next(&k)
			checkTick(t, &k)
			if at < before || k.Due != m.due(at) {
				t.Fatalf("tick due %d at %v s, after one at %v s", k.Due, at, before)
			}
			if k.BidSize%lot != 0 || k.AskSize%lot != 0 || k.Volume%lot != 0 {
				t.Fatalf("odd lots in %+v", k)
			}
			if last := newest[k.Symbol]; last.Due > 0 {
				midnight := dayNumber(last.Due) != dayNumber(k.Due)
				switch {
				case !midnight && (k.Volume < last.Volume || k.Open != last.Open || k.PrevClose != last.PrevClose):
					t.Fatalf("the day's figures changed from %+v to %+v", last, k)
				case midnight && (k.PrevClose != last.Last || k.Open != last.Last || k.Volume > last.Volume/2):
					t.Fatalf("the day began with %+v after %+v", k, last)
				}
				if midnight {
					volumes++
				}
				if k.Last != last.Last && k.Last != k.Bid && k.Last != k.Ask {
					t.Fatalf("a trade at neither bid nor ask: %+v", k)
				}
			}
			newest[k.Symbol] = k
			before = at
		}
		if volumes != u.Len() {
			t.Errorf("%s: %d symbols saw midnight, want %d", arrivals, volumes, u.Len())
		}
	}
}

func TestNextAllocatesNothing(t *testing.T) {
	u, err := universe(50)
	if err != nil {
		t.Fatal(err)
	}
	m := newModel(u, 1, true)
	m.restart(0, 1000, false)
	var k quote.Tick
	if n := testing.AllocsPerRun(10_000, func() { m.next(&k) }); n != 0 {
		t.Errorf("a tick allocates %v times", n)
	}
}

// firstTicks runs a source until it has published at least n ticks.
func firstTicks(t testing.TB, s Source, n int) []quote.Tick {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var all []quote.Tick
	if err := s.Run(ctx, func(batch []quote.Tick) {
		all = append(all, batch...)
		if len(all) >= n {
			cancel()
		}
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestRunKeepsTheSchedule(t *testing.T) {
	for _, arrivals := range []string{Hawkes, Steady} {
		synctest.Test(t, func(t *testing.T) {
			s := newSimulator(t, func(o *Options) { o.Arrivals = arrivals; o.Rate = 1000 })
			start := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			count := 0
			var newest int64
			err := s.Run(ctx, func(batch []quote.Tick) {
				if len(batch) == 0 {
					t.Fatal("an empty batch")
				}
				now := time.Now().UnixMicro()
				for i := range batch {
					k := &batch[i]
					checkTick(t, k)
					if k.Due > now || k.Due < newest || now-k.Due > 1 {
						t.Fatalf("a tick due %d µs after the one before came %d µs late", k.Due-newest, now-k.Due)
					}
					if count < 50 && (k.Symbol != quote.ID(count) || k.Due != start.UnixMicro()) {
						t.Fatalf("tick %d is %+v, want an opening quote", count, k)
					}
					newest = k.Due
					count++
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took != 20*time.Second {
				t.Errorf("ended after %v", took)
			}
			if rate := float64(count) / 20; math.Abs(rate/1000-1) > 0.1 {
				t.Errorf("%s: %.0f ticks/s, want 1000", arrivals, rate)
			}
			if s.Reanchored() != 0 {
				t.Errorf("moved its schedule %d times", s.Reanchored())
			}
		})
	}
}

// While publish is slow for less than a second, ticks are late and the schedule is kept.
func TestLateTicksKeepTheirDueTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSimulator(t, func(o *Options) { o.Arrivals = Steady; o.Rate = 100; o.Symbols = 1 })
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var due []int64
		if err := s.Run(ctx, func(batch []quote.Tick) {
			for _, k := range batch {
				due = append(due, k.Due-start.UnixMicro())
			}
			if len(due) == 200 {
				time.Sleep(900 * time.Millisecond)
			}
		}); err != nil {
			t.Fatal(err)
		}
		for i, d := range due[1:] {
			if d != int64(i)*10_000 {
				t.Fatalf("tick %d was due after %d µs, want %d", i, d, i*10_000)
			}
		}
		if len(due) < 999 || s.Reanchored() != 0 {
			t.Errorf("%d ticks, %d times moved", len(due), s.Reanchored())
		}
	})
}

func TestMoreThanASecondBehindMovesTheSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		s := newSimulator(t, func(o *Options) {
			o.Arrivals, o.Rate, o.Symbols = Steady, 100, 1
			o.Logger = slog.New(slog.NewTextHandler(&logged, nil))
		})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		count, slept := 0, false
		var newest int64
		if err := s.Run(ctx, func(batch []quote.Tick) {
			for _, k := range batch {
				if k.Due < newest {
					t.Fatalf("due time went back by %d µs", newest-k.Due)
				}
				newest = k.Due
			}
			if late := time.Now().UnixMicro() - batch[0].Due; late > 1 {
				t.Errorf("a tick was let go %d µs late", late)
			}
			if count += len(batch); count == 100 && !slept {
				slept = true
				time.Sleep(5 * time.Second)
			}
		}); err != nil {
			t.Fatal(err)
		}
		if s.Reanchored() != 1 {
			t.Errorf("moved %d times, want once", s.Reanchored())
		}
		if count < 490 || count > 510 {
			t.Errorf("%d ticks in ten seconds of which five were lost, want about 500", count)
		}
		if !strings.Contains(logged.String(), "schedule moved") {
			t.Errorf("the move is not logged: %s", logged.String())
		}
	})
}

// Due times follow the wall clock: when it is set back, the feed continues and doesn't wait for the old time.
func TestClockSetBackMovesTheSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSimulator(t, func(o *Options) { o.Arrivals, o.Rate, o.Symbols = Steady, 10, 1 })
		back := time.Duration(0)
		s.clock = func() time.Time { return time.Now().Add(-back) }
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		count := 0
		if err := s.Run(ctx, func(batch []quote.Tick) {
			if d := s.clock().UnixMicro() - batch[0].Due; d < 0 || d > 1 {
				t.Errorf("tick %d was let go %d µs after it was due", count, d)
			}
			if count += len(batch); count == 50 {
				back = time.Hour
			}
		}); err != nil {
			t.Fatal(err)
		}
		if count < 98 || s.Reanchored() != 1 {
			t.Errorf("%d ticks, %d times moved, want about 100 and once", count, s.Reanchored())
		}
	})
}

func TestSetRate(t *testing.T) {
	for _, arrivals := range []string{Hawkes, Steady} {
		synctest.Test(t, func(t *testing.T) {
			s := newSimulator(t, func(o *Options) { o.Arrivals = arrivals; o.Rate = MinRate })
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan struct{})
			var count atomic.Int64
			var newest int64
			go func() {
				defer close(ended)
				s.Run(ctx, func(batch []quote.Tick) {
					for _, k := range batch {
						if k.Due < newest {
							t.Errorf("due time went back by %d µs", newest-k.Due)
						}
						newest = k.Due
					}
					count.Add(int64(len(batch)))
				})
			}()
			synctest.Wait()
			for _, rate := range []float64{500, 2000, 50} {
				if err := s.SetRate(rate); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				before := count.Load()
				time.Sleep(20 * time.Second)
				synctest.Wait()
				if got := float64(count.Load()-before) / 20; math.Abs(got/rate-1) > 0.3 {
					t.Errorf("%s: %.0f ticks/s after SetRate(%.0f)", arrivals, got, rate)
				}
			}
			if err := s.SetRate(0); err == nil || s.Rate() != 50 {
				t.Errorf("SetRate(0): error %v, rate %v", err, s.Rate())
			}
			cancel()
			<-ended
		})
	}
}

// warm returns the number of ticks of a warm-up and the dollars traded.
func warm(t *testing.T, now time.Time, symbols int, rate float64, past time.Duration) (count int, traded float64) {
	t.Helper()
	s := newSimulator(t, func(o *Options) { o.Symbols, o.Rate, o.Warmup = symbols, rate, past })
	newest := make([]quote.Tick, symbols)
	due := now.Add(-past).UnixMicro()
	s.Warm(now, func(batch []quote.Tick) {
		if count == 0 && batch[0].Due != due {
			t.Errorf("begins at %v, want %v", time.UnixMicro(batch[0].Due), time.UnixMicro(due))
		}
		for i := range batch {
			checkTick(t, &batch[i])
			if batch[i].Due < due {
				t.Fatal("due time went back")
			}
			due = batch[i].Due
			newest[batch[i].Symbol] = batch[i]
		}
		count += len(batch)
	})
	if due >= now.UnixMicro() || due < now.Add(-time.Minute).UnixMicro() {
		t.Errorf("ends at %v, want it just before %v", time.UnixMicro(due), now)
	}
	for i, k := range newest {
		if k.Due == 0 {
			t.Fatalf("symbol %d has no past", i)
		}
		traded += float64(k.Volume) * k.Last.Float(2)
	}
	return count, traded
}

// The past of a busy market is simulated with fewer ticks than its rate, but with the same trading volume.
func TestWarm(t *testing.T) {
	noon := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	count, busy := warm(t, noon, 50, 50_000, 2*time.Hour)
	if count > warmTicks+100 || count < warmTicks-100 {
		t.Errorf("%d ticks, want the bound of %d", count, warmTicks)
	}
	_, calm := warm(t, noon, 50, 100, 10*time.Minute)
	if ratio := busy / calm; ratio < 6000*0.7 || ratio > 6000*1.4 {
		t.Errorf("500 times the rate and 12 times the time traded %.0f times as much, want about 6000", ratio)
	}
	if count, _ := warm(t, noon, 1000, 10, 10*time.Minute); count < 4000 || count > 12_000 {
		t.Errorf("%d ticks, want 7000 in ten minutes at 10/s and an opening quote of each of 1000 symbols", count)
	}
}

// A past that is simulated with fewer ticks, at evenly spaced times, has the volume that each symbol has at present.
func TestWarmVolumeOfEachSymbol(t *testing.T) {
	const symbols, rate, past = 5000, 20_000, time.Minute
	for _, arrivals := range []string{Hawkes, Steady} {
		s := newSimulator(t, func(o *Options) { o.Symbols, o.Rate, o.Warmup, o.Arrivals = symbols, rate, past, arrivals })
		m := s.model
		before, after := make([]float64, symbols), make([]float64, symbols) // dollars
		s.Warm(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC), func(batch []quote.Tick) {
			for _, k := range batch {
				before[k.Symbol] = float64(k.Volume) * m.stocks[k.Symbol].reference / 100
			}
		})
		const sample = 5 // of the present, one tick in five
		m.restart(m.time, rate/sample, arrivals == Steady)
		var k quote.Tick
		for end := m.time + past.Seconds(); m.peek() < end; {
			m.next(&k)
			after[k.Symbol] = sample * (float64(k.Volume)*m.stocks[k.Symbol].reference/100 - before[k.Symbol])
		}
		ids := make([]int, symbols)
		for i := range ids {
			ids[i] = i
		}
		slices.SortFunc(ids, func(a, b int) int { return cmp.Compare(m.stocks[b].weight, m.stocks[a].weight) })
		for i, group := range slices.Collect(slices.Chunk(ids, symbols/10)) {
			var past, present float64
			for _, id := range group {
				past += before[id]
				present += after[id]
			}
			if ratio := past / present; ratio < 0.8 || ratio > 1.25 {
				t.Errorf("%s: the busiest symbols from %d traded %.2f times as much before the start as in the same time after it", arrivals, i*len(group), ratio)
			}
		}
	}
}

// The market continues with the prices and the day's figures of the warm-up.
func TestRunGoesOnFromTheWarmUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the bubble's clock starts at midnight UTC
		time.Sleep(12 * time.Hour)
		s := newSimulator(t, func(o *Options) { o.Rate = 2000; o.Warmup = 5 * time.Minute })
		newest := make([]quote.Tick, 50)
		s.Warm(time.Now(), func(batch []quote.Tick) {
			for _, k := range batch {
				newest[k.Symbol] = k
			}
		})
		time.Sleep(3 * time.Second)
		start := time.Now().UnixMicro()
		for i, k := range firstTicks(t, s, 5000) {
			last := newest[k.Symbol]
			if math.Abs(float64(k.Bid)/float64(last.Bid)-1) > 0.005 || k.Volume < last.Volume || k.Open != last.Open {
				t.Fatalf("%+v after %+v", k, last)
			}
			if i < 50 && (k.Due != start || k.Last != last.Last || k.Volume != last.Volume) {
				t.Fatalf("opening quote %+v after %+v", k, last)
			}
			newest[k.Symbol] = k
		}
		if newest[0].Volume == 0 {
			t.Error("nothing was traded")
		}
	})
}
