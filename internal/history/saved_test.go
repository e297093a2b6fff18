package history

import (
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/testkit"
)

// forever keeps all bars.
var forever = map[Interval]time.Duration{
	TenSeconds: math.MaxInt64, Minute: math.MaxInt64, FiveMinutes: math.MaxInt64, FifteenMinutes: math.MaxInt64, Hour: math.MaxInt64, Day: math.MaxInt64,
}

// options returns options for a directory, with a log that fails the test.
func options(t testing.TB, u *quote.Universe, dir string) Options {
	return Options{
		Universe: u, Dir: dir, Feed: "test", Keep: forever, Logger: slog.New(slog.NewTextHandler(unexpected{t}, nil)),
		saveEvery: time.Hour, lockTimeout: 10 * time.Millisecond, noSync: true,
	}
}

// unexpected is a log that must remain empty.
type unexpected struct{ t testing.TB }

func (u unexpected) Write(b []byte) (int, error) {
	u.t.Errorf("logged: %s", b)
	return len(b), nil
}

func open(t testing.TB, o Options) *Store {
	t.Helper()
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func shut(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Close(nil); err != nil {
		t.Fatal(err)
	}
}

// kill ends a store without saving.
func kill(t testing.TB, s *Store) {
	t.Helper()
	close(s.saved.quit)
	<-s.saved.done
	if err := s.saved.close(); err != nil {
		t.Fatal(err)
	}
}

// randomTicks returns ticks of a symbol with gaps, over several days.
func randomTicks(r *rand.Rand, n int) []quote.Tick {
	var ticks []quote.Tick
	at, last, volume := 86400*0.9, quote.Price(10000), quote.Size(0)
	for range n {
		at += r.ExpFloat64() * []float64{0.1, 5, 300}[r.IntN(3)]
		last += quote.Price(r.IntN(21) - 10)
		volume += quote.Size(r.IntN(500))
		k := tick(at, last, volume)
		if n := len(ticks); n > 0 && k.Day != ticks[n-1].Day {
			volume = quote.Size(r.IntN(500))
			k.Volume = volume
		}
		ticks = append(ticks, k)
	}
	return ticks
}

// TestRestarts: after any number of restarts all bars of every interval are those of the ticks, by pages and by ranges.
func TestRestarts(t *testing.T) {
	r := testkit.Rand(t)
	for range testkit.Rounds(3, 100) {
		ticks := randomTicks(r, 6000)
		o := options(t, symbols(t, 3), t.TempDir())
		s := open(t, o)
		unsaved := 0
		for rest := ticks; len(rest) > 0; {
			n := min(len(rest), 1+r.IntN(60))
			s.Add(rest[:n])
			rest = rest[n:]
			switch unsaved += n; {
			case r.IntN(20) == 0:
				shut(t, s)
				s = open(t, o)
			case unsaved > 600 || r.IntN(10) == 0: // within what memory keeps
				unsaved = 0
				if err := s.saved.save(s, nil); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, interval := range Intervals() {
			want := direct(ticks, interval.Duration().Microseconds())
			all, err := s.Bars(0, interval, Latest, math.MaxInt32)
			if err != nil || all.More || !slices.Equal(all.Bars, want) {
				t.Fatalf("%s: %d bars, more %v, %v; want %d; the first difference: %s", interval, len(all.Bars), all.More, err, len(want), difference(all.Bars, want))
			}
			checkPages(t, s, interval, 1+len(want)/7)
			for range 20 {
				from, to := want[r.IntN(len(want))].T+int64(r.IntN(3)-1), want[r.IntN(len(want))].T+int64(r.IntN(3)-1)
				limit := 1 + r.IntN(len(want))
				checkRange(t, s, interval, want, from, to, limit)
			}
		}
		if p, err := s.Bars(1, Minute, Latest, 10); err != nil || len(p.Bars) > 0 {
			t.Fatalf("another symbol has %v, %v", p.Bars, err)
		}
		shut(t, s)
	}
}

// difference describes where two lists of bars differ first.
func difference(got, want []Bar) string {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return fmt.Sprintf("bar %d is %v, want %v", i, got[i], want[i])
		}
	}
	return fmt.Sprintf("%d and %d bars", len(got), len(want))
}

func checkRange(t *testing.T, s *Store, interval Interval, all []Bar, from, to int64, limit int) {
	t.Helper()
	var want []Bar
	for _, b := range all {
		if b.T >= from && b.T < to {
			want = append(want, b)
		}
	}
	more := len(want) > limit
	want = want[max(0, len(want)-limit):]
	p, err := s.Range(0, interval, from, to, limit)
	if err != nil || p.More != more || !slices.Equal(p.Bars, want) {
		t.Fatalf("%s from %d to %d, limit %d: %d bars, more %v, %v; want %d, %v; the first difference: %s", interval, from, to, limit, len(p.Bars), p.More, err, len(want), more, difference(p.Bars, want))
	}
}

// TestKeep: bars that are older than an interval is kept are neither returned nor left in the file.
func TestKeep(t *testing.T) {
	keep := map[Interval]time.Duration{
		TenSeconds: time.Hour, Minute: 2 * time.Hour, FiveMinutes: 100 * time.Hour, FifteenMinutes: time.Hour, Hour: time.Hour, Day: 48 * time.Hour,
	}
	o := options(t, symbols(t, 2), t.TempDir())
	o.Keep = keep
	s := open(t, o)
	var ticks []quote.Tick
	for at := 0.0; at < 6*86400; at += 10 {
		ticks = append(ticks, tick(at, quote.Price(at), 0))
	}
	for rest := ticks; len(rest) > 0; rest = rest[min(len(rest), 500):] {
		s.Add(rest[:min(len(rest), 500)])
		if err := s.saved.save(s, nil); err != nil {
			t.Fatal(err)
		}
	}
	newest := ticks[len(ticks)-1].Due
	check := func() {
		t.Helper()
		for _, i := range Intervals() {
			p, err := s.Bars(0, i, Latest, math.MaxInt32)
			oldest := newest - keep[i].Microseconds()
			if err != nil || p.More || len(p.Bars) == 0 || p.Bars[0].T < oldest || p.Bars[0].T > oldest+i.Duration().Microseconds() {
				t.Errorf("%s: %d bars, more %v, %v; the first starts %ds after the oldest kept", i, len(p.Bars), p.More, err, (p.Bars[0].T-oldest)/1e6)
			}
		}
	}
	check()
	before := s.saved.blocks(t)
	if err := s.saved.trim(s); err != nil {
		t.Fatal(err)
	}
	check()
	after := s.saved.blocks(t)
	for k, span := range spans {
		kept := []time.Duration{time.Hour, 100 * time.Hour, time.Hour, 48 * time.Hour}[k].Microseconds()
		if most := int(kept/(blockBars*span)) + 2; after[k] > most || after[k] < most-2 || before[k] < after[k] {
			t.Errorf("length %d s: %d blocks of %d are left, want at most %d", span/1e6, after[k], before[k], most)
		}
	}
	shut(t, s)
}

// blocks returns the number of blocks of each length.
func (f *file) blocks(t *testing.T) (n [len(spans)]int) {
	t.Helper()
	if err := f.update(func(c *changes) error {
		return c.bars.ForEach(func(key, _ []byte) error {
			n[key[0]]++
			return nil
		})
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestTwoStores: a second one on the same directory is refused until the first is closed.
func TestTwoStores(t *testing.T) {
	o := options(t, symbols(t, 1), t.TempDir())
	s := open(t, o)
	_, err := Open(o)
	want := filepath.Join(o.Dir, fileName) + " is in use by another process: stop that, or choose another directory"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	shut(t, s)
	shut(t, open(t, o))
}

// TestDirectories: a directory that can't be used is an error that says what to do.
func TestDirectories(t *testing.T) {
	dir := t.TempDir()
	o := options(t, symbols(t, 1), filepath.Join(dir, "a", "b"))
	shut(t, open(t, o)) // is created
	plain := filepath.Join(dir, "file")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{plain, filepath.Join(plain, "below")} {
		o.Dir = name
		if _, err := Open(o); err == nil || !strings.HasSuffix(err.Error(), "not a directory: choose a directory") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// TestOtherFeed: bars of one source aren't continued with those of another.
func TestOtherFeed(t *testing.T) {
	o := options(t, symbols(t, 1), t.TempDir())
	s := open(t, o)
	s.Add([]quote.Tick{tick(0, 1, 0)})
	shut(t, s)
	o.Feed = "other"
	want := "has bars of feed.source test, which must not be mixed with those of other: choose another directory"
	if _, err := Open(o); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
	o.Feed = "test"
	s = open(t, o)
	if newest, ok := s.Restored(); !ok || newest != midnight {
		t.Errorf("restored %v up to %d", ok, newest)
	}
	shut(t, s)
}

// TestFutureBars: bars that a wrong clock has made are reported, since those of now can't follow them.
func TestFutureBars(t *testing.T) {
	o := options(t, symbols(t, 1), t.TempDir())
	s := open(t, o)
	s.Add([]quote.Tick{{Due: time.Now().Add(time.Hour).UnixMicro(), Last: 1}})
	shut(t, s)
	var logged strings.Builder
	o.Logger = slog.New(slog.NewTextHandler(&logged, nil))
	shut(t, open(t, o))
	if text := logged.String(); !strings.Contains(text, "was the clock wrong? move the file away") || !strings.Contains(text, fileName) {
		t.Errorf("logged %q", text)
	}
}

// TestPastIsSettled: a past that comes faster than real time is stored as a whole, also of symbols of which memory keeps little.
func TestPastIsSettled(t *testing.T) {
	o := options(t, symbols(t, 5000), t.TempDir())
	s := open(t, o)
	batch := make([]quote.Tick, 100)
	for i := range 400 { // memory keeps 139
		for id := range batch {
			batch[id] = tick(float64(10*i), quote.Price(i), 0)
			batch[id].Symbol = quote.ID(id)
		}
		s.Add(batch)
		s.SaveIfNeeded()
	}
	if p, err := s.Bars(99, TenSeconds, Latest, 1000); err != nil || len(p.Bars) != 400 {
		t.Errorf("%d bars, %v; want 400", len(p.Bars), err)
	}
	shut(t, s)
}

// TestBatchOfThePast: the past that a live feed sends in one piece is stored as a whole.
func TestBatchOfThePast(t *testing.T) {
	s := open(t, options(t, symbols(t, 1), t.TempDir()))
	batch := make([]quote.Tick, 3*DefaultKeep)
	for i := range batch {
		batch[i] = tick(float64(i*24*3600), quote.Price(1+i), 0)
	}
	s.AddPaced(batch)
	for _, interval := range []Interval{TenSeconds, Day} {
		if p, err := s.Bars(0, interval, Latest, 10*DefaultKeep); err != nil || len(p.Bars) != len(batch) {
			t.Errorf("%s: %d bars, %v; want %d", interval, len(p.Bars), err, len(batch))
		}
	}
	shut(t, s)
}

// TestBarsThatComeFast are saved before memory drops them, without waiting for the next save.
func TestBarsThatComeFast(t *testing.T) {
	s := open(t, options(t, symbols(t, 1), t.TempDir())) // saves every hour
	for i := range DefaultKeep/2 + 2 {
		s.Add([]quote.Tick{tick(float64(10*i), 1, 0)})
	}
	testkit.Eventually(t, func() bool {
		bars, err := s.saved.read(1, 0, Earliest, Latest, 1000)
		return err == nil && len(bars) >= DefaultKeep/2 // one more, if the last tick came before the save
	}, "not saved")
	shut(t, s)
}

// TestDecimals: stored bars follow the decimals of their symbol while that loses nothing. Otherwise the symbol is in memory only, and
// its stored bars are kept.
func TestDecimals(t *testing.T) {
	dir := t.TempDir()
	var logged strings.Builder
	with := func(decimals, sizeDecimals uint8) *Store {
		u, err := quote.NewUniverse([]quote.Instrument{
			{Symbol: "A", Sector: "test", Decimals: decimals, SizeDecimals: sizeDecimals}, {Symbol: "B", Sector: "test"},
		})
		if err != nil {
			t.Fatal(err)
		}
		o := options(t, u, dir)
		o.Logger = slog.New(slog.NewTextHandler(&logged, nil))
		return open(t, o)
	}
	check := func(s *Store, scale quote.Price, sizes quote.Size, n int) {
		t.Helper()
		p, err := s.Bars(0, TenSeconds, Latest, 1000)
		if err != nil || len(p.Bars) != n {
			t.Fatalf("%d bars, %v; want %d", len(p.Bars), err, n)
		}
		for i, b := range p.Bars {
			if want := quote.Price(120+10*i) * scale; b.C != want || b.V != quote.Size(min(i, 1))*7*sizes {
				t.Fatalf("bar %d: %+v, want a close of %d", i, b, want)
			}
		}
	}
	s := with(2, 0)
	for i := range 300 {
		s.Add([]quote.Tick{tick(float64(10*i), quote.Price(120+10*i), quote.Size(7*i))})
	}
	shut(t, s)
	for _, c := range []struct {
		decimals, sizeDecimals uint8
		scale                  quote.Price
		sizes                  quote.Size
	}{{5, 3, 1000, 1000}, {2, 0, 1, 1}, {3, 0, 10, 1}, {2, 0, 1, 1}} {
		s = with(c.decimals, c.sizeDecimals)
		check(s, c.scale, c.sizes, 300)
		shut(t, s)
	}
	if logged.Len() > 0 {
		t.Errorf("logged %s", logged.String())
	}
	s = with(0, 0) // 1.30 would become 1
	if !strings.Contains(logged.String(), "give it those again, or choose another data.dir") || !strings.Contains(logged.String(), "symbol=A") {
		t.Errorf("logged %q", logged.String())
	}
	b := tick(0, 5, 0)
	b.Symbol = 1
	s.Add([]quote.Tick{tick(5000, 9, 0), b})
	if p, err := s.Bars(0, TenSeconds, Latest, 1000); err != nil || len(p.Bars) != 1 || p.Bars[0].C != 9 {
		t.Errorf("%v, %v; want the new bar alone", p.Bars, err)
	}
	shut(t, s)
	s = with(2, 0)
	check(s, 1, 1, 300)
	if p, _ := s.Bars(1, Minute, Latest, 10); len(p.Bars) != 1 {
		t.Errorf("the other symbol has %v", p.Bars)
	}
	shut(t, s)
}

// TestPrevious: a log may be continued after an orderly end only, once, soon, and with the same instruments.
func TestPrevious(t *testing.T) {
	end := &LogState{Position: quote.Position{Epoch: 0xabc, Seq: 77}, N: []uint64{70, 7}}
	dir := t.TempDir()
	restart := func(u *quote.Universe, want bool) *Store {
		t.Helper()
		s := open(t, options(t, u, dir))
		got, ok := s.Previous()
		if ok != want || ok && (got.Position != end.Position || !slices.Equal(got.N, end.N)) {
			t.Errorf("%+v, %v; want %v", got, ok, want)
		}
		if p, _ := s.Bars(0, Minute, Latest, 1); want && p.Seq != 77 {
			t.Errorf("bars at seq %d, want 77", p.Seq)
		}
		return s
	}
	ended := func(s *Store) {
		t.Helper()
		if err := s.Close(end); err != nil {
			t.Fatal(err)
		}
	}
	two := symbols(t, 2)
	ended(restart(two, false))
	ended(restart(two, true))
	shut(t, restart(two, true)) // as after a kill
	ended(restart(two, false))
	s := restart(symbols(t, 1), false)
	kill(t, s)
	s = restart(two, false)
	ended(s)

	f, err := openFile(dir, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	for passed, want := range map[time.Duration]bool{0: true, maxPause: true, maxPause + time.Second: false, -time.Second: false} {
		now := time.Now()
		if err := f.update(func(c *changes) error {
			if err := c.put("position", end.append(nil, two, now)); err != nil {
				return err
			}
			l, err := c.position(two, now.Truncate(time.Microsecond).Add(passed))
			if (l != nil) != want {
				t.Errorf("%v later: %v, want %v", passed, l, want)
			}
			return err
		}); err != nil {
			t.Error(err)
		}
	}
}

// TestUnsavedBars: while saving fails, bars are in memory, and are saved once it succeeds again.
func TestUnsavedBars(t *testing.T) {
	o := options(t, symbols(t, 1), t.TempDir())
	s := open(t, o)
	s.Add([]quote.Tick{tick(0, 1, 0)})
	if err := s.saved.save(s, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.saved.db.Close(); err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		s.Add([]quote.Tick{tick(float64(10*i), quote.Price(i), 0)})
		if err := s.saved.save(s, nil); err == nil {
			t.Fatal("saving into a closed file succeeded")
		}
	}
	f, err := openFile(o.Dir, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	s.saved.file = f
	shut(t, s)
	s = open(t, o)
	if p, err := s.Bars(0, TenSeconds, Latest, 100); err != nil || len(p.Bars) != 30 {
		t.Errorf("%d bars, %v; want 30", len(p.Bars), err)
	}
	shut(t, s)
}

// TestFailuresAreReportedOnce a minute, and their end.
func TestFailuresAreReportedOnce(t *testing.T) {
	var logged strings.Builder
	log := slog.New(slog.NewTextHandler(&logged, nil))
	var f failures
	for _, err := range []error{nil, fmt.Errorf("full"), fmt.Errorf("full"), nil, nil} {
		f.report(log, "x", err)
	}
	if text := logged.String(); strings.Count(text, "can't be saved") != 1 || strings.Count(text, "saved again") != 1 {
		t.Errorf("logged %s", text)
	}
	f.report(log, "x", fmt.Errorf("full"))
	f.reported = f.reported.Add(-time.Minute)
	f.report(log, "x", fmt.Errorf("full"))
	if n := strings.Count(logged.String(), "can't be saved"); n != 3 {
		t.Errorf("reported %d times, want 3", n)
	}
}
