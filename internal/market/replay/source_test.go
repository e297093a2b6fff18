package replay

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ticklane/internal/quote"
)

// writeFile creates a file in a temporary directory and returns its path.
func writeFile(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// newSource opens a file at MaxSpeed, with changed options.
func newSource(t testing.TB, path string, change func(*Options)) *Source {
	t.Helper()
	r, err := openSource(t, path, change)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.close(r.scan.input) })
	return r
}

func openSource(t testing.TB, path string, change func(*Options)) (*Source, error) {
	t.Helper()
	o := Options{File: path, Speed: MaxSpeed, Logger: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&o)
	}
	return New(t.Context(), o)
}

// inSeconds makes times seconds since 1970, however few.
func inSeconds(o *Options) { o.Format.Date = "s" }

// replayAll runs a source until it ends and returns its ticks.
func replayAll(t testing.TB, s *Source) []quote.Tick {
	t.Helper()
	var ticks []quote.Tick
	if err := s.Run(t.Context(), func(batch []quote.Tick) { ticks = append(ticks, batch...) }); err != nil {
		t.Fatal(err)
	}
	for i := range ticks {
		checkTick(t, &ticks[i])
	}
	return ticks
}

// dataset returns the path of a file in the npm package vega-datasets.
func dataset(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join("..", "..", "..", "node_modules", "vega-datasets", "data", name)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("%s is missing: run make test (npm ci)", path)
	}
	return path
}

func TestReplayOfDailyBars(t *testing.T) {
	r := newSource(t, dataset(t, "sp500-2000.csv"), nil)
	if u := r.Universe(); u.Len() != 1 || u.Instrument(0).Symbol != "SP500-2000" || u.Instrument(0).Price != 146925 {
		t.Fatalf("universe %+v", r.Universe().Instruments())
	}
	if r.Timed() {
		t.Error("a source at MaxSpeed is timed")
	}
	ticks := replayAll(t, r)
	if len(ticks) != 4*5105 {
		t.Fatalf("%d ticks, want 4 for each of 5105 bars", len(ticks))
	}
	for i, want := range []quote.Price{146925, 147800, 143836, 145522} { // the price fell, so the high comes first
		if ticks[i].Last != want {
			t.Errorf("tick %d is at %v, want %v", i, ticks[i].Last, want)
		}
	}
	if got := ticks[3].Volume; got != 931800000 {
		t.Errorf("the first bar traded %d, want 931800000", got)
	}
	if last := ticks[len(ticks)-1]; last.Last != 287456 {
		t.Errorf("ends at %v, want 2874.56", last.Last)
	}
}

// TestReplayOfUnorderedPrices: the file is ordered by symbol and then by month, so its rows are not ordered by time.
func TestReplayOfUnorderedPrices(t *testing.T) {
	r := newSource(t, dataset(t, "stocks.csv"), nil)
	if r.scan.sorted == nil || r.scan.sorted.file != nil {
		t.Fatal("the rows are not kept in memory")
	}
	ticks := replayAll(t, r)
	if len(ticks) != 560 || r.Universe().Len() != 5 {
		t.Fatalf("%d ticks of %d symbols, want 560 of 5", len(ticks), r.Universe().Len())
	}
	id, _ := r.Universe().Lookup("AAPL")
	if s := r.Universe().Instrument(id); s.Sector != "technology" || s.Name != "Apple" {
		t.Errorf("AAPL is %+v", s)
	}
	var prices []quote.Price
	for _, k := range ticks {
		if k.Symbol == id {
			prices = append(prices, k.Last)
		}
	}
	if len(prices) != 123 || prices[0] != 2594 || prices[122] != 22302 {
		t.Errorf("%d prices of AAPL from %v to %v, want 123 from 25.94 to 223.02", len(prices), prices[0], prices[len(prices)-1])
	}
}

func TestReplayOfTicks(t *testing.T) {
	path := writeFile(t, "ticks.csv", "\ufeffTimestamp,Ticker,Bid Price,offer,BID SIZE,ask-size,last,volume,note\r\n"+
		"2026-03-02T14:30:00Z,AAPL,10.00,10.02,300,400,10.02,100,x\r\n"+
		"\r\n"+
		"2026-03-02T14:30:00.5Z,AAPL,10.01,10.03,,,,,\"quote, only\"\r\n"+
		"2026-03-02T14:30:01Z,ZZZ,,,,,7,50,\r\n"+
		"2026-03-02T14:30:01Z,AAPL,9.99,,,,9.99,25,")
	ticks := replayAll(t, newSource(t, path, nil))
	want := []quote.Tick{
		{Bid: 1000, Ask: 1002, BidSize: 300, AskSize: 400, Last: 1002, Open: 1002, High: 1002, Low: 1002, PrevClose: 1002, Volume: 100, CountStarts: true},
		{Bid: 1001, Ask: 1003, Last: 1002, Open: 1002, High: 1002, Low: 1002, PrevClose: 1002, Volume: 100},
		{Symbol: 1, Bid: 700, Ask: 701, Last: 700, Open: 700, High: 700, Low: 700, PrevClose: 700, Volume: 50, CountStarts: true},
		{Bid: 999, Ask: 1000, Last: 999, Open: 1002, High: 1002, Low: 999, PrevClose: 1002, Volume: 125},
	}
	if len(ticks) != len(want) {
		t.Fatalf("%d ticks, want %d", len(ticks), len(want))
	}
	for i := range want {
		want[i].Due, want[i].Day = ticks[i].Due, ticks[i].Day
		if ticks[i] != want[i] {
			t.Errorf("tick %d is\n%+v, want\n%+v", i, ticks[i], want[i])
		}
	}
}

func TestDayVolumeColumn(t *testing.T) {
	for text, want := range map[string][]quote.Size{
		"t,p,day_volume\n1000,5,100\n1001,5,250\n1002,5,250\n1003,5,40\n": {100, 250, 250, 290}, // a smaller figure starts a new day of the file
		"t,p,day_volume\n1000,5,100\n1001,5,0\n1002,5,150\n":              {100, 100, 250},
		"t,p,volume,day_volume\n1000,5,7,0\n1001,5,7,2\n1002,5,7,\n":      {0, 2, 9},       // day_volume takes precedence
		"t,p,day_volume\n1000,5,100\n90000,5,250\n90001,5,260\n":          {100, 250, 260}, // so does another day of the symbol
		"t,bp,ap,v\n1000,5,6,100\n1001,5,6,250\n":                         {100, 250},      // v beside quotes is the day's
		"s,p,t,v\nA,5,1000,100\nA,5,1001,250\n":                           {100, 350},      // v of Finnhub is the trade's
	} {
		var got []quote.Size
		for i, k := range replayAll(t, newSource(t, writeFile(t, "v.csv", text), inSeconds)) {
			got = append(got, k.Volume)
			if starts := i == 0 && strings.HasPrefix(text, "s,p,t,v"); k.CountStarts != starts {
				t.Errorf("%q: tick %d: the count starts: %v, want %v", text, i, k.CountStarts, starts)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: day volumes %v, want %v", text, got, want)
		}
	}
}

func TestBarsOfManySymbolsInterleave(t *testing.T) {
	path := writeFile(t, "bars.csv", "date,symbol,open,high,low,close,volume\n"+
		"2026-03-02,A,10,12,9,11,9\n2026-03-02,B,20,20,18,19,8\n2026-03-03,A,11,11,10,10,4\n")
	r := newSource(t, path, nil)
	var got []string
	for _, k := range replayAll(t, r) {
		got = append(got, r.Universe().Instrument(k.Symbol).Symbol+k.Last.Format(2))
	}
	want := "A10.00 B20.00 A9.00 B20.00 A12.00 B18.00 A11.00 B19.00 A11.00 A11.00 A10.00 A10.00"
	if strings.Join(got, " ") != want {
		t.Errorf("ticks %v, want %s", got, want)
	}
}

// checkTick fails the test if a tick is inconsistent.
func checkTick(t testing.TB, k *quote.Tick) {
	t.Helper()
	switch {
	case k.Bid < 1 || k.Ask < k.Bid, k.BidSize < 0 || k.AskSize < 0,
		k.Last < k.Low || k.Last > k.High, k.Open < k.Low || k.Open > k.High, k.Low < 1,
		k.PrevClose < 1, k.Volume < 0, k.Due == 0, k.N != 0, k.Seq != 0:
		t.Fatalf("inconsistent tick %+v", *k)
	}
}

// firstTicks runs a source until it has published at least n ticks.
func firstTicks(t testing.TB, s *Source, n int) []quote.Tick {
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
