package history

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/testkit"
)

// TestMain runs the writers of TestKill and TestFollowKilled instead of the tests in the processes that they start.
func TestMain(m *testing.M) {
	if dir := os.Getenv("TEST_WRITE"); dir != "" {
		writeUntilKilled(dir)
		return
	}
	if dir := os.Getenv("TEST_FOLLOW"); dir != "" {
		followUntilKilled(dir)
		return
	}
	testkit.Main(m)
}

// midnight is the start of a UTC day, in µs since 1970.
var midnight = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC).UnixMicro()

func symbols(t testing.TB, n int) *quote.Universe {
	t.Helper()
	list := make([]quote.Instrument, n)
	for i := range list {
		list[i] = quote.Instrument{Symbol: fmt.Sprintf("S%d", i), Decimals: 2, Sector: "test"}
	}
	u, err := quote.NewUniverse(list)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func newStore(t testing.TB, symbolCount, keep int) *Store {
	t.Helper()
	s, err := New(symbols(t, symbolCount), keep)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// tick returns a tick of symbol 0, due seconds after midnight.
func tick(seconds float64, last quote.Price, volume quote.Size) quote.Tick {
	due := midnight + int64(seconds*1e6)
	return quote.Tick{Day: (*quote.Session)(nil).Day(due).Number, Due: due, Last: last, Volume: volume}
}

// counted marks a tick whose source counts the volume from it.
func counted(k quote.Tick) quote.Tick {
	k.CountStarts = true
	return k
}

func TestBars(t *testing.T) {
	bar := func(seconds int64, o, h, l, c quote.Price, v quote.Size) Bar {
		return Bar{T: midnight + seconds*1e6, O: o, H: h, L: l, C: c, V: v}
	}
	day := float64(24 * 60 * 60)
	tests := []struct {
		name     string
		ticks    []quote.Tick
		interval Interval
		limit    int
		want     []Bar
	}{
		{"no tick", nil, Minute, 10, nil},
		{"one tick, its volume unknown", []quote.Tick{tick(3, 100, 500)}, TenSeconds, 10,
			[]Bar{bar(0, 100, 100, 100, 100, 0)}},
		{"one tick, all of its volume new", []quote.Tick{counted(tick(3, 100, 500))}, TenSeconds, 10,
			[]Bar{bar(0, 100, 100, 100, 100, 500)}},
		{"a source that counts from 0 again, past the volume before", []quote.Tick{tick(1, 100, 5), counted(tick(2, 100, 10)), tick(3, 100, 11)}, TenSeconds, 10,
			[]Bar{bar(0, 100, 100, 100, 100, 11)}},
		{"open, high, low, close and growth", []quote.Tick{tick(0, 100, 500), tick(1, 104, 600), tick(2, 97, 650), tick(9.999999, 99, 650)},
			TenSeconds, 10, []Bar{bar(0, 100, 104, 97, 99, 150)}},
		{"a tick at the boundary starts the next bar", []quote.Tick{tick(9.999999, 100, 0), tick(10, 101, 7)},
			TenSeconds, 10, []Bar{bar(0, 100, 100, 100, 100, 0), bar(10, 101, 101, 101, 101, 7)}},
		{"no bar without a tick", []quote.Tick{tick(0, 100, 0), tick(65, 90, 1)},
			TenSeconds, 10, []Bar{bar(0, 100, 100, 100, 100, 0), bar(60, 90, 90, 90, 90, 1)}},
		{"bars merged from shorter ones", []quote.Tick{tick(0, 100, 0), tick(61, 90, 1), tick(290, 95, 4), tick(300, 96, 5)},
			FiveMinutes, 10, []Bar{bar(0, 100, 100, 90, 95, 4), bar(300, 96, 96, 96, 96, 1)}},
		{"an hour", []quote.Tick{tick(100, 5, 0), tick(1000, 9, 1), tick(3599, 7, 2), tick(3600, 8, 4)},
			Hour, 10, []Bar{bar(0, 5, 9, 5, 7, 2), bar(3600, 8, 8, 8, 8, 2)}},
		{"days", []quote.Tick{tick(100, 5, 0), tick(86399, 9, 3), tick(86400, 8, 2), tick(3*86400, 7, 6)},
			Day, 10, []Bar{bar(0, 5, 9, 5, 9, 3), bar(86400, 8, 8, 8, 8, 2), bar(3*86400, 7, 7, 7, 7, 6)}},
		{"the newest bars", []quote.Tick{tick(0, 1, 0), tick(10, 2, 0), tick(20, 3, 0)},
			TenSeconds, 2, []Bar{bar(10, 2, 2, 2, 2, 0), bar(20, 3, 3, 3, 3, 0)}},
		{"the volume restarts at midnight", []quote.Tick{tick(day-1, 1, 900), tick(day-0.5, 1, 1000), tick(day, 1, 50)},
			TenSeconds, 10, []Bar{bar(86390, 1, 1, 1, 1, 100), bar(86400, 1, 1, 1, 1, 50)}},
		{"the volume restarts although it is higher than before", []quote.Tick{tick(day-1, 1, 10), tick(day, 1, 5000)},
			TenSeconds, 10, []Bar{bar(86390, 1, 1, 1, 1, 0), bar(86400, 1, 1, 1, 1, 5000)}},
		{"the volume restarts within a day", []quote.Tick{tick(0, 1, 900), tick(1, 1, 50), tick(2, 1, 60)},
			TenSeconds, 10, []Bar{bar(0, 1, 1, 1, 1, 60)}},
		{"a late tick is added to the newest bar", []quote.Tick{tick(15, 10, 0), tick(9, 12, 3)},
			TenSeconds, 10, []Bar{bar(10, 10, 12, 10, 12, 3)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStore(t, 2, 100)
			s.Add(tt.ticks)
			page, err := s.Bars(0, tt.interval, Latest, tt.limit)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(page.Bars, tt.want) {
				t.Errorf("bars\n%v, want\n%v", page.Bars, tt.want)
			}
			if other, _ := s.Bars(1, tt.interval, Latest, tt.limit); len(other.Bars) > 0 {
				t.Errorf("the other symbol has bars: %v", other)
			}
		})
	}
}

// TestAddDays: days before the first tick are older daily bars, and no others; the newest are kept.
func TestAddDays(t *testing.T) {
	s := newStore(t, 2, 3)
	var days []quote.Tick
	for n := range 4 {
		k := tick(float64(n-4)*86400+5, 20, quote.Size(n))
		k.Symbol, k.Open, k.High, k.Low = 1, 10, 30, quote.Price(n)
		days = append(days, k)
	}
	s.AddDays(days)
	k := tick(50, 21, 900)
	k.Symbol = 1
	s.Add([]quote.Tick{k})
	want := []Bar{
		{T: midnight - 2*day, O: 10, H: 30, L: 2, C: 20, V: 2},
		{T: midnight - day, O: 10, H: 30, L: 3, C: 20, V: 3},
		{T: midnight, O: 21, H: 21, L: 21, C: 21},
	}
	if p, err := s.Bars(1, Day, Latest, 10); err != nil || !slices.Equal(p.Bars, want) || p.Volume != 900 {
		t.Errorf("%+v, %v, want %v", p, err, want)
	}
	if p, _ := s.Bars(1, Hour, Latest, 10); len(p.Bars) != 1 {
		t.Errorf("hours: %v, want that of the tick", p.Bars)
	}
	if p, _ := s.Bars(0, Day, Latest, 10); len(p.Bars) != 0 {
		t.Errorf("the other symbol has %v", p.Bars)
	}
}

func TestPageHasPositionAndVolume(t *testing.T) {
	s := newStore(t, 2, 10)
	if p, _ := s.Bars(0, Minute, Latest, 1); p.Known {
		t.Errorf("%+v before the first tick, want Known false", p)
	}
	s.Add([]quote.Tick{tick(0, 1, 40)})
	if p, _ := s.Bars(0, Minute, Latest, 1); p.Seq != 0 || p.Volume != 40 || !p.Known {
		t.Errorf("%+v before the log, want seq 0 and a day volume of 40", p)
	}
	a, b := tick(1, 1, 55), tick(2, 1, 7000)
	a.Seq, b.Seq, b.Symbol = 7, 8, 1
	s.Add([]quote.Tick{a, b})
	s.Add(nil)
	if p, _ := s.Bars(0, Minute, Latest, 1); p.Seq != 8 || p.Volume != 55 {
		t.Errorf("%+v, want seq 8, that of the newest tick of all symbols, and volume 55, that of the symbol", p)
	}
}

func TestEverySymbolHasItsBars(t *testing.T) {
	s := newStore(t, 3, 2)
	for i := range 3 {
		for id := range quote.ID(3) {
			k := tick(float64(10*i), quote.Price(100*int(id)+i), 0)
			k.Symbol = id
			s.Add([]quote.Tick{k})
		}
	}
	for id := range quote.ID(3) {
		p, err := s.Bars(id, TenSeconds, Latest, 10)
		first := quote.Price(100 * id)
		if err != nil || len(p.Bars) != 2 || p.Bars[0].O != first+1 || p.Bars[1].O != first+2 {
			t.Errorf("symbol %d: %+v, %v; want the newest two bars", id, p.Bars, err)
		}
	}
}

// TestMore: a page reports older bars only if there are any.
func TestMore(t *testing.T) {
	s := newStore(t, 1, 10)
	s.Add([]quote.Tick{tick(0, 1, 0), tick(10, 2, 0), tick(20, 3, 0)})
	for limit, want := range map[int]bool{1: true, 2: true, 3: false, 4: false, math.MaxInt: false} {
		if p, err := s.Bars(0, TenSeconds, Latest, limit); err != nil || p.More != want || len(p.Bars) != min(limit, 3) {
			t.Errorf("limit %d: %d bars, more %v, %v", limit, len(p.Bars), p.More, err)
		}
	}
}

// TestExtremeTimes: bars start at multiples of their length before 1970, too, and before includes its bar at any time.
func TestExtremeTimes(t *testing.T) {
	const length = 60_000_000
	for due, start := range map[int64]int64{
		-1: -length, -length: -length, -length - 1: -2 * length,
		math.MaxInt64 - length - 1: (math.MaxInt64 - length) / length * length,
	} {
		s := newStore(t, 1, 10)
		s.Add([]quote.Tick{{Due: due, Last: 1}})
		for _, before := range []int64{Latest, due + 1} {
			if p, err := s.Bars(0, Minute, before, 1); err != nil || len(p.Bars) != 1 || p.Bars[0].T != start {
				t.Errorf("a tick due at %d, before %d: %+v, %v; want a bar at %d", due, before, p.Bars, err, start)
			}
		}
	}
}

// TestBeforeWithinTheLastBar: a merged bar is complete if before is within it, up to the largest time.
func TestBeforeWithinTheLastBar(t *testing.T) {
	const length = 300_000_000
	for _, before := range []int64{midnight + 120_000_000, math.MaxInt64 - length} {
		s := newStore(t, 1, 10)
		s.Add([]quote.Tick{{Due: before - 1, Last: 1}, {Due: before + 60_000_000, Last: 2}})
		if p, err := s.Bars(0, FiveMinutes, before, 1); err != nil || len(p.Bars) != 1 || p.Bars[0].C != 2 {
			t.Errorf("before %d: %+v, %v; want one bar that closes at 0.02", before, p.Bars, err)
		}
	}
}

func TestInvalidParameters(t *testing.T) {
	s := newStore(t, 2, 10)
	for _, tt := range []struct {
		id       quote.ID
		interval Interval
		limit    int
		want     string
	}{
		{2, Minute, 1, "id: 2"},
		{-1, Minute, 1, "id: -1"},
		{0, "2m", 1, `interval: "2m": want one of 10s, 1m, 5m, 15m, 1h, 1d`},
		{0, Minute, 0, "limit: 0"},
	} {
		if _, err := s.Bars(tt.id, tt.interval, Latest, tt.limit); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Bars(%d, %q, %d): error %v, want one with %q", tt.id, tt.interval, tt.limit, err, tt.want)
		}
	}
	if s := newStore(t, 1, 1); s.keep != [len(spans)]int{1, 1, 1, 1} {
		t.Errorf("New with keep 1 keeps %d bars", s.keep)
	}
	if _, err := New(symbols(t, 1), 0); err == nil || !strings.Contains(err.Error(), "keep") {
		t.Errorf("New with keep 0: error %v", err)
	}
}

func TestIntervals(t *testing.T) {
	for _, i := range Intervals() {
		got, err := ParseInterval(string(i))
		if err != nil || got != i {
			t.Errorf("ParseInterval(%q) = %q, %v", i, got, err)
		}
		length := strings.Replace(string(i), "1d", "24h", 1)
		if d, err := time.ParseDuration(length); err != nil || d != i.Duration() {
			t.Errorf("%q lasts %v", i, i.Duration())
		}
	}
	if _, err := ParseInterval(""); err == nil {
		t.Error("an empty interval was accepted")
	}
}

// The bars of every interval equal those computed directly from the ticks of a random walk with gaps and several days.
func TestIntervalsMatchTheTicks(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		keep := 20 + r.IntN(400)
		s := newStore(t, 1, keep)
		ticks := randomTicks(r, 5000)
		for rest := ticks; len(rest) > 0; {
			n := min(len(rest), 1+r.IntN(50))
			s.Add(rest[:n])
			rest = rest[n:]
		}
		for _, interval := range Intervals() {
			want := direct(ticks, interval.Duration().Microseconds())
			checkPages(t, s, interval, 1+r.IntN(90))
			for _, limit := range []int{1, 3, 50, 10_000} {
				page, err := s.Bars(0, interval, Latest, limit)
				if err != nil {
					t.Fatal(err)
				}
				got := page.Bars
				if len(got) == 0 || len(got) > limit || len(got) > len(want) {
					t.Fatalf("seed %d, %s, limit %d: %d bars of %d", seed, interval, limit, len(got), len(want))
				}
				if tail := want[len(want)-len(got):]; !slices.Equal(got, tail) {
					t.Fatalf("seed %d, keep %d, %s, limit %d: got\n%v, want\n%v", seed, keep, interval, limit, got, tail)
				}
				if limit <= 3 && len(got) < min(limit, len(want)) {
					t.Errorf("seed %d, %s: %d bars, want %d", seed, interval, len(got), limit)
				}
			}
		}
	}
}

// checkPages reads all bars page by page and compares them with one large page.
func checkPages(t *testing.T, s *Store, interval Interval, limit int) {
	t.Helper()
	all, err := s.Bars(0, interval, Latest, 1<<20)
	if err != nil || all.More {
		t.Fatalf("all at once: more %v, error %v", all.More, err)
	}
	var got []Bar
	for before := int64(Latest); ; before = got[0].T {
		p, err := s.Bars(0, interval, before, limit)
		if err != nil {
			t.Fatal(err)
		}
		if p.Seq != all.Seq || p.Volume != all.Volume || p.More && len(p.Bars) < limit {
			t.Fatalf("%s, limit %d: page %+v", interval, limit, p)
		}
		got = slices.Concat(p.Bars, got)
		if !p.More {
			break
		}
	}
	if !slices.Equal(got, all.Bars) {
		t.Fatalf("%s, limit %d: %d bars page by page, %d at once", interval, limit, len(got), len(all.Bars))
	}
	// A time within a bar includes that bar, its start excludes it, and before all bars there is nothing.
	last := all.Bars[len(all.Bars)-1]
	for before, want := range map[int64]Bar{last.T + 1: last, Latest: last} {
		if p, _ := s.Bars(0, interval, before, 1); len(p.Bars) != 1 || p.Bars[0] != want {
			t.Errorf("%s before %d: %+v, want %+v", interval, before, p.Bars, want)
		}
	}
	for _, before := range []int64{all.Bars[0].T, 0, -1, math.MinInt64 + 1} {
		if p, _ := s.Bars(0, interval, before, limit); len(p.Bars) != 0 || p.More {
			t.Errorf("%s before %d: %+v, want nothing", interval, before, p)
		}
	}
}

// direct returns the bars of a length, computed from all ticks.
func direct(ticks []quote.Tick, length int64) []Bar {
	var bars []Bar
	for i, k := range ticks {
		traded := quote.Size(0)
		if i > 0 {
			traded = k.Volume - ticks[i-1].Volume
			if k.Due/86400e6 != ticks[i-1].Due/86400e6 {
				traded = k.Volume
			}
		}
		start := k.Due - k.Due%length
		if n := len(bars); n == 0 || bars[n-1].T != start {
			bars = append(bars, Bar{T: start, O: k.Last, H: k.Last, L: k.Last})
		}
		b := &bars[len(bars)-1]
		b.H, b.L, b.C, b.V = max(b.H, k.Last), min(b.L, k.Last), k.Last, b.V+traded
	}
	return bars
}

func TestMemoryIsBounded(t *testing.T) {
	for _, n := range []int{1, 50, 1160, 1200, 5000, 10_000} {
		s := newStore(t, n, DefaultKeep)
		total := 0
		for _, keep := range s.keep {
			total += n * keep * barBytes
		}
		if total > maxBytes {
			t.Errorf("%d symbols take %d bytes", n, total)
		}
		if n <= 1160 && (s.keep[0] != DefaultKeep || s.Days() != MaxDays) || n == 5000 && (s.keep[0] != 139 || s.Days() != 139) {
			t.Errorf("%d symbols keep %d bars", n, s.keep)
		}
	}
}

func TestAddAllocatesNothing(t *testing.T) {
	s := newStore(t, 10, 5)
	batch := make([]quote.Tick, 10)
	at := 0.0
	if n := testing.AllocsPerRun(100, func() {
		for i := range batch {
			at += 3
			batch[i] = tick(at, 100, quote.Size(at))
			batch[i].Symbol = quote.ID(i)
		}
		s.Add(batch)
	}); n != 0 {
		t.Errorf("Add allocates %v times", n)
	}
}

// The volume grows by one with each tick, so a page from the middle of a batch would have a volume other than its seq.
func TestPagesContainWholeBatches(t *testing.T) {
	s := newStore(t, 1, 50)
	s.Add([]quote.Tick{tick(0, 1, 0)})
	var readers sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		readers.Go(func() {
			for {
				p, err := s.Bars(0, Hour, Latest, 1)
				if err != nil || len(p.Bars) != 1 || p.Bars[0].V != quote.Size(p.Seq) || p.Volume != quote.Size(p.Seq) {
					t.Errorf("%+v, error %v", p, err)
					return
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for i := uint64(1); i <= 2000; i += 2 {
		a, b := tick(float64(i)/10, 1, quote.Size(i)), tick(float64(i)/10, 1, quote.Size(i+1))
		a.Seq, b.Seq = i, i+1
		s.Add([]quote.Tick{a, b})
	}
	close(done)
	readers.Wait()
}

func BenchmarkAdd(b *testing.B) {
	s := newStore(b, 50, DefaultKeep)
	batch := make([]quote.Tick, 100)
	at := 0.0
	b.ReportAllocs()
	for b.Loop() {
		for i := range batch {
			at += 0.01
			batch[i] = tick(at, 100, quote.Size(at))
			batch[i].Symbol = quote.ID(i % 50)
		}
		s.Add(batch)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(batch)), "ns/tick")
}

func BenchmarkBars(b *testing.B) {
	s := newStore(b, 1, DefaultKeep)
	for i := range DefaultKeep * 90 {
		s.Add([]quote.Tick{tick(float64(i)*10, 100, 0)})
	}
	for _, interval := range Intervals() {
		b.Run(string(interval), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Bars(0, interval, Latest, 500); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
