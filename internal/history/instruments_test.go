package history

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"ticklane/internal/quote"
)

// TestInstrumentsThatComeLater: a symbol that joins a running store has its stored bars before its first tick, and goes on with them.
func TestInstrumentsThatComeLater(t *testing.T) {
	dir := t.TempDir()
	growing := func() *quote.Universe {
		u, err := quote.NewGrowingUniverse(nil, 10)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	join := func(u *quote.Universe, names ...string) {
		for _, name := range names {
			if err := u.Grow([]quote.Instrument{{Symbol: name, Sector: "test", Decimals: 2}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	u := growing()
	s := open(t, options(t, u, dir))
	join(u, "A", "B")
	for i := range 1000 {
		a, b := tick(float64(10*i), 100, 0), tick(float64(10*i), 200, 0)
		b.Symbol = 1
		s.Add([]quote.Tick{a, b})
		if i%500 == 0 {
			if err := s.saved.save(s, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	shut(t, s)

	u = growing()
	s = open(t, options(t, u, dir))
	join(u, "C", "B")
	if p, err := s.Bars(1, TenSeconds, Latest, 5000); err != nil || len(p.Bars) != 1000 || p.Bars[999].C != 200 {
		t.Fatalf("before a tick: %d bars, %v", len(p.Bars), err)
	}
	if p, err := s.Bars(0, TenSeconds, Latest, 5000); err != nil || len(p.Bars) != 0 {
		t.Errorf("a new symbol has %d bars, %v", len(p.Bars), err)
	}
	join(u, "A")
	b := tick(9995, 205, 0)
	b.Symbol = 1
	a := tick(9995, 95, 0)
	a.Symbol = 2
	s.Add([]quote.Tick{a, b})
	for id, want := range map[quote.ID]Bar{
		1: {T: midnight + 9990e6, O: 200, H: 205, L: 200, C: 205}, 2: {T: midnight + 9990e6, O: 100, H: 100, L: 95, C: 95},
	} {
		if p, err := s.Bars(id, TenSeconds, Latest, 5000); err != nil || len(p.Bars) != 1000 || p.Bars[999] != want {
			t.Errorf("symbol %d: %d bars, the last %v, %v; want %v", id, len(p.Bars), p.Bars[len(p.Bars)-1], err, want)
		}
	}
	shut(t, s)
}

// TestReadersWhileInstrumentsCome: reading, adding, saving and trimming may happen at the same time.
func TestReadersWhileInstrumentsCome(t *testing.T) {
	u, err := quote.NewGrowingUniverse(nil, 50)
	if err != nil {
		t.Fatal(err)
	}
	o := options(t, u, t.TempDir())
	o.saveEvery = time.Millisecond
	s := open(t, o)
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				if n := u.Len(); n > 0 {
					if _, err := s.Bars(quote.ID(i%n), Intervals()[i%6], Latest, 2000); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	for id := range 50 {
		if err := u.Grow([]quote.Instrument{{Symbol: fmt.Sprintf("S%d", id), Sector: "test"}}); err != nil {
			t.Fatal(err)
		}
		for i := range 200 {
			k := tick(float64(id*2000+10*i), 1, 0)
			k.Symbol = quote.ID(i % (id + 1))
			s.Add([]quote.Tick{k})
			s.SaveIfNeeded()
		}
	}
	close(done)
	readers.Wait()
	shut(t, s)
}

// TestDaysOfSessions: daily bars are those of the instrument's trading day, also when the clocks change, and across a restart.
func TestDaysOfSessions(t *testing.T) {
	session, err := quote.NewSession("America/New_York", "18:00", "17:00")
	if err != nil {
		t.Fatal(err)
	}
	u, err := quote.NewUniverse([]quote.Instrument{{Symbol: "ES", Sector: "futures", Decimals: 2, Session: session}})
	if err != nil {
		t.Fatal(err)
	}
	o := options(t, u, t.TempDir())
	s := open(t, o)
	first := time.Date(2026, 3, 6, 23, 0, 0, 0, time.UTC) // 18:00 in New York; on the 8th clocks are set forward
	var want []Bar
	volume := quote.Size(0)
	for hour := range 96 {
		at := first.Add(time.Duration(hour)*time.Hour + time.Minute).UnixMicro()
		d, price := session.Day(at), quote.Price(hour)
		if n := len(want); n == 0 || want[n-1].T != d.Start {
			want, volume = append(want, Bar{T: d.Start, O: price, H: price, L: price}), 0
		}
		volume += 5
		last := &want[len(want)-1]
		last.H, last.C = price, price
		if hour > 0 { // it is unknown how much of the first volume is new
			last.V += 5
		}
		s.Add([]quote.Tick{{Day: d.Number, Due: at, Last: price, Volume: volume}})
		if hour%10 == 9 {
			shut(t, s)
			s = open(t, o)
		}
	}
	p, err := s.Bars(0, Day, Latest, 10)
	if err != nil || !slices.Equal(p.Bars, want) {
		t.Errorf("%v, %v; want\n%v", p.Bars, err, want)
	}
	var hours []time.Duration
	for i := 1; i < len(want); i++ {
		hours = append(hours, time.Duration(want[i].T-want[i-1].T)*time.Microsecond/time.Hour)
	}
	if !slices.Equal(hours, []time.Duration{24, 23, 24}) && !slices.Equal(hours, []time.Duration{24, 23, 24, 24}) {
		t.Errorf("days of %d hours", hours)
	}
	for i, b := range want { // by range
		p, err := s.Range(0, Day, b.T, b.T+1, 10)
		if err != nil || len(p.Bars) != 1 || p.Bars[0] != b {
			t.Errorf("day %d: %v, %v", i, p.Bars, err)
		}
	}
	shut(t, s)
}
