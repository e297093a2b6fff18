package stream

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"ticklane/internal/quote"
)

// The test market: S0 to S9 in sectors even and odd. S9 is quiet.
const (
	testSymbols = 10
	quiet       = quote.ID(testSymbols - 1)
	testEpoch   = 0xabc
)

func testUniverse(t testing.TB, n int) *quote.Universe {
	t.Helper()
	symbols := make([]quote.Symbol, n)
	for i := range symbols {
		symbols[i] = quote.Symbol{Ticker: fmt.Sprintf("S%d", i), Sector: []string{"even", "odd"}[i%2]}
	}
	u, err := quote.NewUniverse(symbols)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// tape is all ticks that a test will append, known beforehand: what a client must get can be looked up while another
// goroutine appends.
type tape struct {
	u     *quote.Universe
	ticks []quote.Tick
	own   [][]uint64 // the seqs of each symbol's ticks, by ID
}

// newTape makes total ticks of all symbols but the quiet one, which ticks at seq 3 alone.
func newTape(t testing.TB, total int) *tape {
	r := rand.New(rand.NewPCG(1, uint64(total)))
	ids := make([]quote.ID, total)
	for i := range ids {
		ids[i] = quote.ID(r.IntN(testSymbols - 1))
		if i == 2 {
			ids[i] = quiet
		}
	}
	return tapeOf(testUniverse(t, testSymbols), ids...)
}

func tapeOf(u *quote.Universe, ids ...quote.ID) *tape {
	p := &tape{u: u, ticks: make([]quote.Tick, len(ids)), own: make([][]uint64, u.Len())}
	n := make([]uint64, u.Len())
	for i, id := range ids {
		n[id]++
		p.own[id] = append(p.own[id], uint64(i+1))
		price := quote.Price(10_000 + i%500)
		p.ticks[i] = quote.Tick{
			Symbol: id, Bid: price, Ask: price + 2, Last: price + 1, BidSize: 100, AskSize: 200, Volume: int64(i),
			Due: 1753100000000000 + int64(i), Open: 10_000, High: 10_500, Low: 9_900, PrevClose: 9_950, N: n[id], Seq: uint64(i + 1),
		}
	}
	return p
}

// log makes a log for the tape and closes it at the test's end. Packing never tires in it, whatever the machine has to do
// besides: a test that wants that, says so.
func (p *tape) log(t testing.TB, cfg Config) *Log {
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

// play appends the tape up to and including seq.
func (p *tape) play(l *Log, seq uint64) {
	l.Append(p.ticks[l.Head().Seq:seq])
}

// newest is the symbol's newest tick with a seq of at most i, nil for none.
func (p *tape) newest(id quote.ID, i uint64) *quote.Tick {
	own := p.own[id]
	at, _ := slices.BinarySearch(own, i+1)
	if at == 0 {
		return nil
	}
	return &p.ticks[own[at-1]-1]
}

// last is the seq of the topics' newest tick on the whole tape.
func (p *tape) last(topics quote.Topics) (seq uint64) {
	for _, id := range topics.IDs() {
		if k := p.newest(id, uint64(len(p.ticks))); k != nil {
			seq = max(seq, k.Seq)
		}
	}
	return seq
}

func (p *tape) topics(t testing.TB, names ...string) quote.Topics {
	t.Helper()
	topics, err := p.u.Topics(names, 0)
	if err != nil {
		t.Fatal(err)
	}
	return topics
}

// noon is a moment for tests that bring their own clock.
var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func position(seq uint64) quote.Position { return quote.Position{Epoch: testEpoch, Seq: seq} }
