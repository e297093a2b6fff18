package stream

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/testkit"
	"ticklane/internal/wire"
)

// growingFeed is a feed whose universe grows. S0, S2, … are in the sector even, the others in odd.
type growingFeed struct {
	t    testing.TB
	u    *quote.Universe
	log  *Log
	n    []uint64 // ticks so far of each symbol
	tick []quote.Tick
}

func newGrowingFeed(t testing.TB, limit, symbols int) *growingFeed {
	u, err := quote.NewGrowingUniverse(nil, limit)
	if err != nil {
		t.Fatal(err)
	}
	f := &growingFeed{t: t, u: u, n: make([]uint64, limit)}
	for range symbols {
		f.add()
	}
	f.log = fixtureOf(u).log(t, Config{Size: 1 << 14})
	return f
}

func (f *growingFeed) add() {
	i := f.u.Len()
	in := quote.Instrument{Symbol: fmt.Sprintf("S%d", i), Decimals: 2, Sector: []string{"even", "odd"}[i%2]}
	if err := f.u.Grow([]quote.Instrument{in}); err != nil {
		f.t.Fatal(err)
	}
	if f.log != nil {
		f.log.UniverseGrown()
	}
}

// append appends a tick of each of the symbols.
func (f *growingFeed) append(ids ...quote.ID) {
	seq := f.log.Head().Seq
	f.tick = f.tick[:0]
	for _, id := range ids {
		seq++
		f.n[id]++
		f.tick = append(f.tick, quote.Tick{Symbol: id, Bid: 100, Ask: 102, Last: 101, Due: 1753100000000000, N: f.n[id], Seq: seq})
	}
	f.log.Append(f.tick)
}

func (f *growingFeed) topics(names string) quote.Topics {
	topics, err := f.u.Topics(strings.Split(names, ","), 0)
	if err != nil {
		f.t.Fatal(err)
	}
	return topics
}

// covered reports whether topics of these tests cover a symbol.
func covered(topics, symbol string) bool {
	odd := symbol[len(symbol)-1]%2 == 1
	return strings.Contains(topics, "*") || strings.Contains(topics, "even") && !odd || strings.Contains(topics, "odd") && odd || slices.Contains(strings.Split(topics, ","), symbol)
}

// TestTopicsOfAStreamGrow: while symbols are added, a stream gets every tick of those that its topics cover, from the first on, and no
// others; in mode latest it ends with the newest of each.
func TestTopicsOfAStreamGrow(t *testing.T) {
	t.Parallel()
	steps := 100
	if testkit.Stress() {
		steps = 2000
	}
	forEachFormat(t, func(t *testing.T, format wire.Format) {
		for _, topics := range []string{"*", "sector:even", "S0", "S0,sector:odd"} {
			for _, mode := range []Mode{ModeAll, ModeLatest} {
				r := rand.New(rand.NewPCG(seeds(t).Uint64(), uint64(format)))
				f := newGrowingFeed(t, 40, 2)
				var streams []*growingStream
				open := func(from From) {
					opt := Options{Format: format, Topics: f.topics(topics), Mode: mode, From: from}
					streams = append(streams, &growingStream{client: subscribe(t, f.log, opt), topics: topics, n: map[string]uint64{}})
				}
				open(FromOldest)
				for range steps {
					switch k := r.IntN(12); {
					case k == 0 && f.u.Len() < f.u.Limit():
						f.add()
					case k == 1 && len(streams) < 6:
						open([]From{FromOldest, FromLatest}[r.IntN(2)])
					case k < 5:
						streams[r.IntN(len(streams))].read()
					default:
						ids := make([]quote.ID, 1+r.IntN(20))
						for i := range ids {
							ids[i] = quote.ID(r.IntN(f.u.Len()))
						}
						f.append(ids...)
					}
				}
				for _, s := range streams {
					s.read()
					for i := range f.u.Instruments() {
						want := f.n[i]
						symbol := f.u.Instrument(quote.ID(i)).Symbol
						if !covered(topics, symbol) {
							want = 0
						}
						if s.n[symbol] != want {
							t.Errorf("%s %v: %s ends with n %d, want %d", topics, mode, symbol, s.n[symbol], want)
						}
					}
				}
			}
		}
	})
}

// growingStream is a client of a growingFeed.
type growingStream struct {
	*client
	topics string
	n      map[string]uint64 // of the newest tick of each symbol
}

func (s *growingStream) read() {
	for _, m := range s.take(noon) {
		for _, q := range m.Quotes {
			s.n[q.S] = max(s.n[q.S], q.N)
		}
		if m.T != "q" {
			continue
		}
		if before := s.n[m.S]; m.N <= before || s.opt.Mode == ModeAll && m.N != before+1 || !covered(s.topics, m.S) {
			s.t.Fatalf("%s: n %d of %s after %d", s.topics, m.N, m.S, before)
		}
		s.n[m.S] = m.N
	}
}

// TestGrowthIsReported: every stream reports the number of symbols, whatever its topics, at most once in growthPause. A new stream
// doesn't.
func TestGrowthIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newGrowingFeed(t, 10, 1)
		time.Sleep(growthPause)
		one := subscribe(t, f.log, Options{Topics: f.topics("S0")})
		if got := one.take(noon); kinds(got) != "hello snapshot" {
			t.Fatalf("got %s", kinds(got))
		}
		report := func(c *client, want int) {
			t.Helper()
			synctest.Wait()
			if !wasNotified(c.Subscriber) {
				t.Error("not notified")
			}
			got := c.take(noon)
			text := fmt.Sprintf(`{"T":"status","status":"symbols","symbols":%d,"t":%d}`, want, noon.UnixMicro())
			if len(got) != 1 || got[0].text != text || got[0].id != "" {
				t.Errorf("got %v, want %s", got, text)
			}
		}
		f.add()
		report(one, 2)
		for range 5 {
			f.add()
		}
		synctest.Wait()
		if got := one.take(noon); len(got) > 0 {
			t.Errorf("reported at once: %v", got)
		}
		late := subscribe(t, f.log, Options{Topics: f.topics("*")})
		late.take(noon)
		time.Sleep(growthPause)
		report(one, 7)
		report(late, 7)
		if got := subscribe(t, f.log, Options{Topics: f.topics("*")}).take(noon); kinds(got) != "hello snapshot" {
			t.Errorf("a new stream gets %s", kinds(got))
		}
	})
}

// TestNewSymbolsNotify: a tick of a symbol that a stream's topics have got notifies it.
func TestNewSymbolsNotify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newGrowingFeed(t, 10, 2)
		c := subscribe(t, f.log, Options{Topics: f.topics("sector:even")})
		c.take(noon)
		f.add()
		synctest.Wait()
		time.Sleep(growthPause)
		c.take(noon)
		wasNotified(c.Subscriber)
		f.append(2)
		synctest.Wait()
		if got := c.take(noon); !wasNotified(c.Subscriber) || kinds(got) != "q×1" {
			t.Errorf("got %s", kinds(got))
		}
	})
}

// TestStaleFeed: streams report it once, also those that are opened while it is stale.
func TestStaleFeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newGrowingFeed(t, 10, 1)
		c := subscribe(t, f.log, Options{Topics: f.topics("*")})
		c.take(noon)
		f.log.FeedStale(noon.Add(-time.Minute))
		stale := fmt.Sprintf(`{"T":"status","status":"stale","since":%d,"t":%d}`, noon.Add(-time.Minute).UnixMicro(), noon.UnixMicro())
		if got := c.take(noon); !wasNotified(c.Subscriber) || len(got) != 1 || got[0].text != stale {
			t.Errorf("got %v", got)
		}
		if got := c.take(noon); len(got) > 0 {
			t.Errorf("again: %v", got)
		}
		late := subscribe(t, f.log, Options{Topics: f.topics("*")})
		if got := late.take(noon); !strings.HasPrefix(kinds(got), "hello") || !strings.Contains(kinds(got), "status") {
			t.Errorf("a new stream gets %s", kinds(got))
		}
		f.log.FeedStale(time.Time{})
		live := fmt.Sprintf(`{"T":"status","status":"live","t":%d}`, noon.UnixMicro())
		for _, s := range []*client{c, late} {
			if got := s.take(noon); len(got) != 1 || got[0].text != live {
				t.Errorf("got %v", got)
			}
		}
	})
}
