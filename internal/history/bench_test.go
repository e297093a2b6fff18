package history

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"ticklane/internal/quote"
)

// BenchmarkSave saves what a second of 5,000 ticks over 5,000 symbols changes; each operation is a second of market time.
func BenchmarkSave(b *testing.B) {
	o := options(b, symbols(b, 5000), b.TempDir())
	o.noSync = false
	s := open(b, o)
	r := rand.New(rand.NewPCG(1, 2))
	ticks := make([]quote.Tick, 5000)
	var longest time.Duration
	second := 0.0
	for b.Loop() {
		for i := range ticks {
			ticks[i] = tick(second+float64(i)/5000, quote.Price(10_000+r.IntN(50)), 0)
			ticks[i].Symbol = quote.ID(r.IntN(5000))
		}
		s.Add(ticks)
		second++
		began := time.Now()
		if err := s.saved.save(s, nil); err != nil {
			b.Fatal(err)
		}
		longest = max(longest, time.Since(began))
	}
	shut(b, s)
	b.ReportMetric(float64(longest.Microseconds())/1000, "longest-ms")
	if info, err := os.Stat(s.saved.path); err == nil {
		b.ReportMetric(float64(info.Size())/1e6, "MB")
	}
}

// BenchmarkMonth reads 30 days of a symbol's 1m bars among 500 symbols, and the time to open that file.
func BenchmarkMonth(b *testing.B) {
	const bars, n = 30 * 24 * 60, 500
	u := symbols(b, n)
	dir := b.TempDir()
	o := options(b, u, dir)
	f, err := openFile(dir, time.Second)
	if err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	month := make([]Bar, bars)
	price := quote.Price(23_000)
	for i := range month {
		o := price
		price += quote.Price(r.IntN(41) - 20)
		month[i] = Bar{T: midnight + int64(i)*60e6, O: o, H: max(o, price) + quote.Price(r.IntN(9)), L: min(o, price) - quote.Price(r.IntN(9)), C: price, V: quote.Size(100 * r.IntN(900))}
	}
	for first := 0; first < n; first += 20 {
		if err := f.update(func(c *changes) error {
			for id := first; id < first+20; id++ {
				number, err := c.seriesOf(u.Instrument(quote.ID(id)))
				if err != nil {
					return err
				}
				open := openBars{newest: [len(spans)]int64{none, none, none, none}}
				if open.newest[1], err = c.putBars(number, 1, none, month[:bars-1]); err != nil {
					return err
				}
				open.bars[1], open.has[1] = month[bars-1], true
				if err := c.putOpen(number, &open); err != nil {
					return err
				}
			}
			return c.put("format", []byte(fileFormat))
		}); err != nil {
			b.Fatal(err)
		}
	}
	if err := f.close(); err != nil {
		b.Fatal(err)
	}
	o.Logger = slog.New(slog.DiscardHandler)
	began := time.Now()
	s := open(b, o)
	opened := time.Since(began)
	info, err := os.Stat(s.saved.path)
	if err != nil {
		b.Fatal(err)
	}
	id := 0
	for b.Loop() {
		p, err := s.Range(quote.ID(id%n), Minute, midnight, Latest, 50_000)
		if err != nil || len(p.Bars) != bars {
			b.Fatal(len(p.Bars), err)
		}
		id++
	}
	b.ReportMetric(float64(opened.Microseconds())/1000, "open-ms")
	b.ReportMetric(float64(info.Size())/1e6, "MB")
	b.ReportMetric(float64(info.Size())/float64(bars*n), "B/bar")
	shut(b, s)
}

// BenchmarkBlock encodes and parses a block.
func BenchmarkBlock(b *testing.B) {
	x := &block{start: midnight, before: none}
	for i := range blockBars {
		p := quote.Price(23_000 + i%40)
		x.bars = append(x.bars, Bar{T: midnight + int64(i)*60e6, O: p, H: p + 9, L: p - 9, C: p + 5, V: 5000})
	}
	var buffer []byte
	b.ReportAllocs()
	for b.Loop() {
		buffer = appendBlock(buffer[:0], 1, x)
		y, err := parseBlock(x.start, 1, buffer)
		if err != nil || len(y.bars) != blockBars {
			b.Fatal(err)
		}
	}
	if y, _ := parseBlock(x.start, 1, buffer); !slices.Equal(y.bars, x.bars) {
		b.Fatal(fmt.Sprint(y.bars))
	}
}
