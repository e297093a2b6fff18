package history

import (
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"testing"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/testkit"
)

const followSymbols = 300 // more than are copied at a time

// followTicks returns the first n ticks of a log, always the same. A few symbols have most of them.
func followTicks(n int) []quote.Tick {
	r := rand.New(rand.NewPCG(3, 3))
	ticks := make([]quote.Tick, n)
	var last [followSymbols]quote.Price
	var volume [followSymbols]quote.Size
	at, day := 86400*0.99, int32(0)
	for i := range ticks {
		id := r.IntN(followSymbols)
		if r.IntN(3) > 0 {
			id = r.IntN(10) * 33
		}
		at += 0.3 * r.ExpFloat64()
		last[id] += quote.Price(r.IntN(21) - 10)
		volume[id] += quote.Size(r.IntN(500))
		ticks[i] = tick(at, last[id], volume[id])
		if ticks[i].Day != day {
			day = ticks[i].Day
			clear(volume[:])
		}
		ticks[i].Symbol, ticks[i].Volume, ticks[i].Seq = quote.ID(id), volume[id], uint64(i+1)
	}
	return ticks
}

// addAgain adds ticks of a log to a store that has some of them, from one at or before the first that it may lack.
func addAgain(s *Store, r *rand.Rand, epoch uint64, ticks []quote.Tick) {
	from := int(s.Follow(epoch))
	from -= min(from, r.IntN(300))
	for len(ticks) > from {
		n := min(len(ticks)-from, 1+r.IntN(40))
		s.AddPaced(slices.Clone(ticks[from : from+n]))
		from += n
	}
}

// checkSame compares all bars and day volumes of two stores.
func checkSame(t testing.TB, got, want *Store) {
	t.Helper()
	for id := range quote.ID(followSymbols) {
		for _, i := range Intervals() {
			a, err := got.Bars(id, i, Latest, math.MaxInt32)
			b, err2 := want.Bars(id, i, Latest, math.MaxInt32)
			if err != nil || err2 != nil {
				t.Fatal(err, err2)
			}
			if !slices.Equal(a.Bars, b.Bars) {
				t.Fatalf("symbol %d, %s: %s", id, i, difference(a.Bars, b.Bars))
			}
			if a.Bars, b.Bars = nil, nil; !reflect.DeepEqual(a, b) {
				t.Fatalf("symbol %d, %s: page %+v, want %+v", id, i, a, b)
			}
		}
	}
}

// undisturbed returns a store to which ticks were added once.
func undisturbed(t testing.TB, u *quote.Universe, ticks []quote.Tick) *Store {
	t.Helper()
	s := open(t, options(t, u, t.TempDir()))
	t.Cleanup(func() { shut(t, s) })
	s.AddPaced(slices.Clone(ticks))
	return s
}

// TestFollow: a store that ends without a save at any moment, while ticks are added and saved, takes each tick of the log once.
func TestFollow(t *testing.T) {
	r, u := testkit.Rand(t), symbols(t, followSymbols)
	ticks := followTicks(8000)
	o := options(t, u, t.TempDir())
	o.saveEvery = time.Millisecond
	saved := uint64(0)
	for end := range testkit.Rounds(12, 200) {
		s := open(t, o)
		complete := s.Follow(7)
		if complete < saved || complete > uint64(len(ticks)) {
			t.Fatalf("complete up to %d, after %d", complete, saved)
		}
		saved = complete
		addAgain(s, r, 7, ticks[:min(len(ticks), int(complete)+r.IntN(2000*(end+1)))])
		kill(t, s)
	}
	s := open(t, o)
	defer shut(t, s)
	addAgain(s, r, 7, ticks)
	checkSame(t, s, undisturbed(t, u, ticks))
	if saved == 0 {
		t.Error("nothing was saved")
	}
}

// TestFollowAnotherEpoch: all ticks of another log are taken, also after a restart.
func TestFollowAnotherEpoch(t *testing.T) {
	r, u := testkit.Rand(t), symbols(t, followSymbols)
	ticks := followTicks(3000)
	second := slices.Clone(ticks[2000:])
	for i := range second {
		second[i].Seq = uint64(i + 1)
	}
	o := options(t, u, t.TempDir())
	s := open(t, o)
	addAgain(s, r, 7, ticks[:2000])
	if seq := s.Follow(8); seq != 0 {
		t.Errorf("complete up to %d of a new epoch", seq)
	}
	addAgain(s, r, 8, second[:500])
	shut(t, s)
	s = open(t, o)
	if seq := s.Follow(8); seq != 500 {
		t.Errorf("complete up to %d, want 500", seq)
	}
	s.Add(slices.Clone(second[100:200]))
	if p, err := s.Bars(0, Minute, Latest, 1); err != nil || p.Seq != 500 {
		t.Errorf("bars up to %d, want 500, %v", p.Seq, err)
	}
	addAgain(s, r, 8, second)
	want := undisturbed(t, u, ticks)
	want.seq = 1000
	checkSame(t, s, want)
	shut(t, s)
	if s = open(t, o); s.Follow(9) != 0 {
		t.Error("a third epoch has ticks")
	}
	shut(t, s)
}

// TestNotFollowed: without Follow, a store takes all ticks, and an earlier version can read the file.
func TestNotFollowed(t *testing.T) {
	u, ticks := symbols(t, followSymbols), followTicks(1000)
	o := options(t, u, t.TempDir())
	format := func(s *Store) (format string) {
		if err := s.saved.update(func(c *changes) error {
			b, err := c.get("format")
			format = string(b)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return format
	}
	s := open(t, o)
	s.AddPaced(slices.Clone(ticks[:500]))
	if f := format(s); f != "1" {
		t.Errorf("format %s", f)
	}
	shut(t, s)
	s = open(t, o)
	for i := range ticks[500:] {
		ticks[500+i].Seq = uint64(i + 1) // of the log of this process
	}
	s.AddPaced(slices.Clone(ticks[500:]))
	want := undisturbed(t, u, ticks)
	checkSame(t, s, want)
	s.Follow(5)
	shut(t, s)
	s = open(t, o)
	if f := format(s); f != "2" {
		t.Errorf("format %s of a log that was followed", f)
	}
	shut(t, s)
}

// TestFollowReportsBars: ticks that are left out report the minutes that they ended, as they did before.
func TestFollowReportsBars(t *testing.T) {
	r, u := testkit.Rand(t), symbols(t, followSymbols)
	ticks := followTicks(4000)
	add := func(s *Store, ticks []quote.Tick) (bars []*quote.Bar) {
		events := quote.NewEvents(len(ticks))
		s.ReportBars(events)
		ticks = slices.Clone(ticks)
		s.AddPaced(ticks)
		for i := range ticks {
			bars = append(bars, events.Get(ticks[i].Event).Bar)
		}
		return bars
	}
	o := options(t, u, t.TempDir())
	s := open(t, o)
	s.Follow(7)
	want := add(s, ticks)
	kill(t, s)
	o.Dir = t.TempDir()
	s = open(t, o)
	s.Follow(7)
	add(s, ticks[:3000])
	shut(t, s)
	s = open(t, o)
	defer shut(t, s)
	s.Follow(7)
	from := 500 + r.IntN(1000)
	seen, reported := map[quote.ID]bool{}, 0
	for i, got := range add(s, ticks[from:]) {
		k := ticks[from+i]
		if w := want[from+i]; seen[k.Symbol] && !reflect.DeepEqual(got, w) {
			t.Fatalf("tick %d reports %+v, want %+v", k.Seq, got, w)
		}
		seen[k.Symbol] = true
		if got != nil && k.Seq <= 3000 {
			reported++
		}
	}
	if reported == 0 {
		t.Error("no tick that was left out has reported a minute")
	}
}

// TestFollowDelayed: a delayed store takes each tick once, too: it begins with the bars of the live store.
func TestFollowDelayed(t *testing.T) {
	u, ticks := symbols(t, followSymbols), followTicks(3000)
	for i := range ticks { // long ago, so that nothing is hidden
		ticks[i].Due -= 300 * 86400e6
		ticks[i].Day -= 300
	}
	o := options(t, u, t.TempDir())
	s := open(t, o)
	s.Follow(7)
	s.AddPaced(slices.Clone(ticks[:2000]))
	shut(t, s)
	s = open(t, o)
	defer shut(t, s)
	d := s.Delayed(time.Nanosecond)
	s.Follow(7)
	s.AddPaced(slices.Clone(ticks[1500:]))
	d.Add(slices.Clone(ticks[1500:]))
	checkSame(t, d, s)
	checkSame(t, s, undisturbed(t, u, ticks))
}

// TestFollowKilled is TestFollow with processes that are killed, also within a transaction.
func TestFollowKilled(t *testing.T) {
	r, dir := testkit.Rand(t), t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for range testkit.Rounds(8, 300) {
		p := exec.Command(self)
		p.Env, p.Stderr = append(os.Environ(), "TEST_FOLLOW="+dir, fmt.Sprint("TEST_SEED=", r.Uint64())), t.Output()
		out, err := p.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		_, _ = out.Read(make([]byte, 1)) // it has begun
		time.AfterFunc(time.Duration(r.Int64N(int64(40*time.Millisecond))), func() { _ = p.Process.Kill() })
		_ = p.Wait()
	}
	u := symbols(t, followSymbols)
	s := open(t, options(t, u, dir))
	defer shut(t, s)
	complete := s.Follow(7)
	t.Logf("%d ticks", complete)
	if complete == 0 {
		t.Fatal("the processes have saved nothing")
	}
	newest := complete // symbols that were copied late have more
	for i := range s.symbols {
		newest = max(newest, s.symbols[i].taken.Seq)
	}
	ticks := followTicks(int(newest) + 500)
	addAgain(s, r, 7, ticks)
	checkSame(t, s, undisturbed(t, u, ticks))
}

// followUntilKilled adds the ticks of the log that the store in a directory lacks, slowly.
func followUntilKilled(dir string) {
	var seed uint64
	_, _ = fmt.Sscan(os.Getenv("TEST_SEED"), &seed)
	r := rand.New(rand.NewPCG(seed, 1))
	list := make([]quote.Instrument, followSymbols)
	for i := range list {
		list[i] = quote.Instrument{Symbol: fmt.Sprintf("S%d", i), Decimals: 2, Sector: "test"}
	}
	u, err := quote.NewUniverse(list)
	if err != nil {
		panic(err)
	}
	s, err := Open(Options{Universe: u, Dir: dir, Feed: "test", Keep: forever, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)), saveEvery: time.Millisecond, noSync: true})
	if err != nil {
		panic(err)
	}
	ticks := followTicks(int(s.Follow(7)) + 20_000)
	fmt.Println("begun")
	addAgain(s, r, 7, ticks)
}
