package history

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/testkit"
)

// question is a range of bars that is requested of a live store, and of a delayed one once that has the same ticks.
type question struct {
	interval Interval
	from, to int64
	limit    int
}

func randomQuestion(r *rand.Rand, newest int64) question {
	q := question{Intervals()[r.IntN(len(Intervals()))], Earliest, Latest, 1 + r.IntN(3000)}
	if r.IntN(2) == 0 {
		q.from = midnight + r.Int64N(newest-midnight)
	}
	if r.IntN(2) == 0 {
		q.to = midnight + r.Int64N(newest-midnight)
	}
	return q
}

// TestDelayedStoreIsTheEarlierLiveOne: it answers each question as the live store did when that had the same ticks, in memory and with
// a file, from the file too, after restarts as well.
func TestDelayedStoreIsTheEarlierLiveOne(t *testing.T) {
	r := testkit.Rand(t)
	for round := range testkit.Rounds(4, 60) {
		ticks := randomTicks(r, 9000)
		u := symbols(t, 1)
		var s *Store
		if o := options(t, u, t.TempDir()); round%2 == 0 {
			s = open(t, o)
			n := r.IntN(6000)
			s.AddPaced(ticks[:n])
			ticks = ticks[n:]
			shut(t, s)
			s = open(t, o)
			defer shut(t, s)
		} else {
			s = newStore(t, 1, 500)
			s.Add([]quote.Tick{tick(0, 100, 0)})
		}
		d := s.Delayed(0)
		type answer struct {
			question
			page Page
		}
		var waiting []quote.Tick
		var answers [][]answer // of the live store after each batch that d lacks
		var sizes []int
		for rest := ticks; len(rest) > 0 || len(answers) > 0; {
			if len(rest) > 0 && (len(answers) == 0 || r.IntN(len(answers)+1) < 20) {
				n := min(len(rest), 1+r.IntN(90))
				s.AddPaced(rest[:n])
				waiting, sizes, rest = append(waiting, rest[:n]...), append(sizes, n), rest[n:]
				list := make([]answer, 3)
				for i := range list {
					list[i].question = randomQuestion(r, waiting[len(waiting)-1].Due)
					list[i].page = page(t, s, 0, list[i].question)
				}
				answers = append(answers, list)
				continue
			}
			d.AddPaced(waiting[:sizes[0]])
			for _, a := range answers[0] {
				if got := page(t, d, 0, a.question); !reflect.DeepEqual(got, a.page) {
					t.Fatalf("%+v: more %t, i %d, %d bars; want %t, %d, %d; the first difference: %s", a.question, got.More, got.Seq, len(got.Bars),
						a.page.More, a.page.Seq, len(a.page.Bars), difference(got.Bars, a.page.Bars))
				}
			}
			waiting, sizes, answers = waiting[sizes[0]:], sizes[1:], answers[1:]
		}
	}
}

func page(t *testing.T, s *Store, id quote.ID, q question) Page {
	t.Helper()
	p, err := s.Range(id, q.interval, q.from, q.to, q.limit)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestInheritedBarsAreHidden: of the bars that were stored before the start, none is visible that may have a tick younger than the
// delay; once that has passed all are. A symbol that comes later is treated alike.
func TestInheritedBarsAreHidden(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(1000*24*time.Hour + 9*time.Hour)
		const delay = 15 * time.Minute
		dir := t.TempDir()
		growing := func() *quote.Universe {
			u, err := quote.NewGrowingUniverse([]quote.Instrument{{Symbol: "A", Decimals: 2, Sector: "x"}}, 10)
			if err != nil {
				t.Fatal(err)
			}
			return u
		}
		o := options(t, growing(), dir)
		s := open(t, o)
		now := time.Now()
		var ticks []quote.Tick
		for at := now.Add(-30 * time.Hour); at.Before(now); at = at.Add(3 * time.Second) {
			due := at.UnixMicro()
			ticks = append(ticks, quote.Tick{Day: (*quote.Session)(nil).Day(due).Number, Due: due, Last: 100, Volume: 5})
		}
		s.AddPaced(ticks)
		shut(t, s)

		time.Sleep(time.Minute)
		restarted := time.Now()
		o.Universe = growing()
		s = open(t, o)
		defer func() { shut(t, s) }()
		d := s.Delayed(delay)
		all := map[Interval]Page{}
		for _, interval := range Intervals() {
			all[interval] = page(t, s, 0, question{interval, Earliest, Latest, math.MaxInt32})
		}
		for minute := 0; minute <= 16; minute++ {
			time.Sleep(time.Until(restarted.Add(time.Duration(minute) * time.Minute)))
			limit := time.Now().Add(-delay).UnixMicro()
			for _, interval := range Intervals() {
				p := page(t, d, 0, question{interval, Earliest, Latest, math.MaxInt32})
				want := all[interval].Bars
				for len(want) > 0 && minute < 15 && want[len(want)-1].T+spans[base(interval)] > limit {
					want = want[:len(want)-1]
				}
				if interval == FiveMinutes || interval == Hour { // the newest is made of those of its parts that are visible
					want, p.Bars = want[:max(0, len(want)-1)], p.Bars[:min(len(p.Bars), max(0, len(want)-1))]
				}
				if len(p.Bars) != len(want) || difference(p.Bars, want) != difference(want, want) {
					t.Fatalf("after %d min: %s: %s", minute, interval, difference(p.Bars, want))
				}
				if p.Known != (minute >= 15) {
					t.Fatalf("after %d min: the volume is known: %t", minute, p.Known)
				}
			}
		}
		// Its ticks continue the bars.
		next := quote.Tick{Day: (*quote.Session)(nil).Day(restarted.UnixMicro()).Number, Due: restarted.UnixMicro(), Last: 200, Volume: 9, Seq: 1}
		d.Add([]quote.Tick{next})
		s.Add([]quote.Tick{next})
		for _, interval := range Intervals() {
			q := question{interval, Earliest, Latest, math.MaxInt32}
			if got, want := page(t, d, 0, q), page(t, s, 0, q); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %s", interval, difference(got.Bars, want.Bars))
			}
		}
	})
}

// TestDelayedInstrumentsThatComeLater: the stored bars of an instrument that comes later are there when they are old enough, whether
// the first to need them is the delayed store or a tick of the live one.
func TestDelayedInstrumentsThatComeLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const delay = time.Minute
		dir := t.TempDir()
		universe := func(names ...string) *quote.Universe {
			u, err := quote.NewGrowingUniverse(nil, 10)
			for _, name := range names {
				if err == nil {
					err = u.Grow([]quote.Instrument{{Symbol: name, Decimals: 2, Sector: "x"}})
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			return u
		}
		tickNow := func(id quote.ID) quote.Tick {
			now := time.Now().UnixMicro()
			return quote.Tick{Symbol: id, Day: (*quote.Session)(nil).Day(now).Number, Due: now, Last: 100, Seq: 1}
		}
		o := options(t, universe("A", "B"), dir)
		s := open(t, o)
		for range 100 {
			s.Add([]quote.Tick{tickNow(0), tickNow(1)})
			time.Sleep(2 * time.Second)
		}
		shut(t, s)

		o.Universe = universe()
		s = open(t, o)
		defer func() { shut(t, s) }()
		d := s.Delayed(delay)
		for _, name := range []string{"B", "A"} {
			if err := o.Universe.Grow([]quote.Instrument{{Symbol: name, Decimals: 2, Sector: "x"}}); err != nil {
				t.Fatal(err)
			}
		}
		s.Add([]quote.Tick{tickNow(1)})
		bars := func(id quote.ID) int {
			return len(page(t, d, id, question{TenSeconds, Earliest, Latest, 1000}).Bars)
		}
		for id := range quote.ID(2) {
			if n := bars(id); n < 13 || n > 15 { // of 20
				t.Errorf("symbol %d has %d bars at first", id, n)
			}
		}
		time.Sleep(delay)
		for id := range quote.ID(2) {
			if n := bars(id); n < 20 || n > 21 {
				t.Errorf("symbol %d has %d bars in the end", id, n)
			}
		}
	})
}

// TestDelayedDays: days of the simulated past are visible once they are old enough.
func TestDelayedDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(10*24*time.Hour + 5*time.Minute - time.Duration(time.Now().UnixNano()%int64(24*time.Hour)))
		s := newStore(t, 1, 100)
		d := s.Delayed(15 * time.Minute)
		var list []quote.Tick
		for n := int64(3); n > 0; n-- {
			due := (time.Now().UnixMicro()/day - n) * day
			list = append(list, quote.Tick{Day: int32(due / day), Due: due, Last: 100, Open: 100, High: 100, Low: 100})
		}
		s.AddDays(list)
		d.AddDays(list)
		for _, want := range []int{2, 3} {
			if n := len(page(t, d, 0, question{Day, Earliest, Latest, 10}).Bars); n != want {
				t.Errorf("%d days, want %d", n, want)
			}
			time.Sleep(10 * time.Minute)
		}
	})
}
