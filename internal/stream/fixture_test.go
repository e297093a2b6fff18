package stream

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/testkit"
	"ticklane/internal/wire"
)

// The test universe: S0 to S9 in the sectors even and odd. S9 is quiet.
const (
	testSymbols = 10
	quietSymbol = quote.ID(testSymbols - 1)
	testEpoch   = 0xabc
)

// noon is a time for tests that pass their own.
var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func position(seq uint64) quote.Position { return quote.Position{Epoch: testEpoch, Seq: seq} }

func testUniverse(t testing.TB, n int) *quote.Universe {
	t.Helper()
	symbols := make([]quote.Instrument, n)
	for i := range symbols {
		symbols[i] = quote.Instrument{Symbol: fmt.Sprintf("S%d", i), Decimals: 2, Sector: []string{"even", "odd"}[i%2]}
	}
	u, err := quote.NewUniverse(symbols)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// fixture is all ticks that a test appends. They are known beforehand, so what a client must get can be looked up while
// another goroutine appends. It is immutable.
type fixture struct {
	u        *quote.Universe
	ticks    []quote.Tick
	bySymbol [][]uint64 // the seqs of each symbol's ticks, by ID
}

var fixtures sync.Map // of newFixture, by total

// newFixture returns total random ticks of all symbols except the quiet one, which has a single tick, seq 3. The same total
// gives the same ticks.
func newFixture(t testing.TB, total int) *fixture {
	if p, ok := fixtures.Load(total); ok {
		return p.(*fixture)
	}
	r := rand.New(rand.NewPCG(1, uint64(total)))
	ids := make([]quote.ID, total)
	for i := range ids {
		ids[i] = quote.ID(r.IntN(testSymbols - 1))
		if i == 2 {
			ids[i] = quietSymbol
		}
	}
	p := fixtureOf(testUniverse(t, testSymbols), ids...)
	fixtures.Store(total, p)
	return p
}

// fixtureOf returns one tick of each of the symbols, in this order.
func fixtureOf(u *quote.Universe, ids ...quote.ID) *fixture {
	p := &fixture{u: u, ticks: make([]quote.Tick, len(ids)), bySymbol: make([][]uint64, u.Len())}
	n := make([]uint64, u.Len())
	for i, id := range ids {
		n[id]++
		p.bySymbol[id] = append(p.bySymbol[id], uint64(i+1))
		price := quote.Price(10_000 + i%500)
		p.ticks[i] = quote.Tick{
			Symbol: id, Bid: price, Ask: price + 2, Last: price + 1, BidSize: 100, AskSize: 200, Volume: quote.Size(i),
			Due: 1753100000000000 + int64(i), Open: 10_000, High: 10_500, Low: 9_900, PrevClose: 9_950, N: n[id], Seq: uint64(i + 1),
		}
	}
	return p
}

// compressed in a test's name makes its logs compress for all clients.
const compressed = "compressed"

// log returns a log for the fixture, until the end of the test. Its compression budget is never exhausted, however slow the
// machine is.
func (p *fixture) log(t testing.TB, cfg Config) *Log {
	t.Helper()
	cfg.Universe, cfg.Epoch, cfg.CompressBudget = p.u, testEpoch, time.Hour
	if strings.Contains(t.Name(), compressed) {
		cfg.Compress, cfg.MaxSharedEncoders = CompressOn, 16
	}
	l, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// play appends the ticks up to and including seq.
func (p *fixture) play(l *Log, seq uint64) {
	l.Append(p.ticks[l.Head().Seq:seq])
}

// newest returns the symbol's newest tick as of seq at, or nil.
func (p *fixture) newest(id quote.ID, at uint64) *quote.Tick {
	seqs := p.bySymbol[id]
	i, _ := slices.BinarySearch(seqs, at+1)
	if i == 0 {
		return nil
	}
	return &p.ticks[seqs[i-1]-1]
}

// last returns the seq of the topics' last tick.
func (p *fixture) last(topics quote.Topics) (seq uint64) {
	for _, id := range topics.IDs() {
		if k := p.newest(id, uint64(len(p.ticks))); k != nil {
			seq = max(seq, k.Seq)
		}
	}
	return seq
}

func (p *fixture) topics(t testing.TB, names ...string) quote.Topics {
	t.Helper()
	topics, err := p.u.Topics(names, 0)
	if err != nil {
		t.Fatal(err)
	}
	return topics
}

// forEachFormat runs f for each format, uncompressed and compressed.
func forEachFormat(t *testing.T, f func(t *testing.T, format wire.Format)) {
	for format := range wire.Formats {
		t.Run(format.String(), func(t *testing.T) { f(t, format) })
		t.Run(format.String()+" "+compressed, func(t *testing.T) { f(t, format) })
	}
}

// awaitNotifier waits until the notifier has handled all ticks of the log.
func awaitNotifier(t testing.TB, l *Log) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Microsecond) {
		l.notifier.mu.Lock()
		scanned := l.notifier.scanned
		l.notifier.mu.Unlock()
		if scanned >= l.Head().Seq {
			return
		}
		if time.Now().After(end) {
			t.Fatal("the notifier is stuck")
		}
	}
}

// seeds returns a generator of seeds for the rounds of a random search: the same in every run, except in a stress run.
func seeds(t testing.TB) *rand.Rand {
	if testkit.Stress() {
		return testkit.Rand(t)
	}
	return rand.New(rand.NewPCG(1, 2))
}
