package replay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ticklane/internal/market"
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

func newSource(t testing.TB, path string, change func(*Options)) *Source {
	t.Helper()
	o := Options{File: path, Speed: MaxSpeed, Logger: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&o)
	}
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

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

// The file is ordered by symbol and then by month, so its rows are not ordered by time.
func TestReplayOfUnorderedPrices(t *testing.T) {
	r := newSource(t, dataset(t, "stocks.csv"), nil)
	if r.scan.sorted == nil {
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
		{Bid: 1000, Ask: 1002, BidSize: 300, AskSize: 400, Last: 1002, Open: 1002, High: 1002, Low: 1002, PrevClose: 1002, Volume: 100},
		{Bid: 1001, Ask: 1003, BidSize: 100, AskSize: 100, Last: 1002, Open: 1002, High: 1002, Low: 1002, PrevClose: 1002, Volume: 100},
		{Symbol: 1, Bid: 700, Ask: 701, BidSize: 100, AskSize: 100, Last: 700, Open: 700, High: 700, Low: 700, PrevClose: 700, Volume: 50},
		{Bid: 999, Ask: 1000, BidSize: 100, AskSize: 100, Last: 999, Open: 1002, High: 1002, Low: 999, PrevClose: 1002, Volume: 125},
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
		"t,p,v\n1000,5,100\n1001,5,250\n1002,5,250\n1003,5,40\n": {100, 250, 250, 290}, // a smaller figure starts a new day of the file
		"t,p,v\n1000,5,100\n1001,5,0\n1002,5,150\n":              {100, 100, 250},
		"t,p,volume,v\n1000,5,7,0\n1001,5,7,2\n1002,5,7,\n":      {0, 2, 9}, // day_volume takes precedence
	} {
		var got []quote.Size
		for _, k := range replayAll(t, newSource(t, writeFile(t, "v.csv", text), nil)) {
			got = append(got, k.Volume)
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

func TestReplayPaces(t *testing.T) {
	path := writeFile(t, "a.csv", "time,price\n2026-03-02 10:00:00,10\n2026-03-02 10:00:30,11\n2026-03-02 10:02:00,12\n")
	for _, tt := range []struct {
		speed float64
		want  []time.Duration
	}{
		{1, []time.Duration{0, 30 * time.Second, 2 * time.Minute}},
		{60, []time.Duration{0, time.Second / 2, 2 * time.Second}},
		{0.5, []time.Duration{0, time.Minute, 4 * time.Minute}},
		{MaxSpeed, []time.Duration{0, 0, 0}},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newSource(t, path, func(o *Options) { o.Speed = tt.speed })
			start := time.Now()
			i := 0
			if err := r.Run(t.Context(), func(batch []quote.Tick) {
				for _, k := range batch {
					due, now := time.Duration(k.Due-start.UnixMicro())*time.Microsecond, time.Since(start)
					if due != tt.want[i] || now != due {
						t.Errorf("speed %v: tick %d came at %v, due at %v, want %v", tt.speed, i, now, due, tt.want[i])
					}
					i++
				}
			}); err != nil {
				t.Fatal(err)
			}
			if i != 3 {
				t.Errorf("%d ticks, want 3", i)
			}
		})
	}
}

func TestReplayLoopsForward(t *testing.T) {
	const text = "time,price\n1000,10\n1010,11\n1020,12\n"
	for name, content := range map[string]string{"ordered.csv": text, "unordered.csv": "time,price\n1020,12\n1010,11\n1000,10\n"} {
		path := writeFile(t, name, content)
		synctest.Test(t, func(t *testing.T) {
			r := newSource(t, path, func(o *Options) { o.Speed, o.Loop = 10, true })
			start := time.Now().UnixMicro()
			for i, k := range firstTicks(t, r, 10) {
				if want := quote.Price(1000 + i%3*100); k.Last != want || k.Due-start != int64(i)*1_000_000 {
					t.Errorf("%s: tick %d is at %v after %d µs, want %v each second", name, i, k.Last, k.Due-start, want)
				}
			}
		})
	}
	r := newSource(t, writeFile(t, "one.csv", "time,price\n5,1\n"), func(o *Options) { o.Loop = true })
	if n := len(firstTicks(t, r, 5000)); n < 5000 {
		t.Errorf("%d ticks of a loop at full speed", n)
	}
}

func TestBadRowsAreReported(t *testing.T) {
	const text = "time,symbol,bid,ask,last\n" +
		"2026-03-02,AAPL,10,11,10\n" +
		"yesterday,AAPL,10,11,10\n" +
		"2026-03-02,A B,10,11,10\n" +
		"2026-03-02,a*,10,11,10\n" +
		"2026-03-02,AAPL,12,11,10\n" +
		"2026-03-02,AAPL,10,11\n" +
		"2026-03-02,AAPL,1\"0,11,10\n" +
		"2026-03-02,AAPL,-3,11,10\n" +
		"2026-03-02,AAPL,,,\n" +
		",AAPL,10,11,10\n" +
		"2026-03-03,AAPL,10,11,12\n"
	path := writeFile(t, "prices.csv", text)
	_, err := New(Options{File: path, Speed: 1})
	if err == nil {
		t.Fatal("no error")
	}
	lines := strings.Split(err.Error(), "\n")
	want := []string{
		`prices.csv:3: time: "yesterday": want a time such as`,
		`prices.csv:4: symbol: "A B": want a symbol of 1 to 32 of A-Z`,
		`prices.csv:5: symbol: "a*": want`,
		`prices.csv:6: bid: 12.00 is above the ask of 11.00`,
		`prices.csv:7: 4 fields, the header has 5`,
		`prices.csv:8: bare " in non-quoted-field`,
		`prices.csv:9: bid: "-3": want a price from 0.01`,
		`prices.csv:10: last: is missing, and so are bid and ask`,
		`prices.csv:11: time: is missing`,
	}
	if len(lines) != len(want) {
		t.Fatalf("%d errors, want %d:\n%v", len(lines), len(want), err)
	}
	for i := range want {
		if want := filepath.Dir(path) + "/" + want[i]; !strings.Contains(lines[i], want) {
			t.Errorf("error %q, want %q", lines[i], want)
		}
	}
	if row := (*RowError)(nil); !errors.As(err, &row) || row.Line != 3 || row.Column != "time" {
		t.Errorf("the first error is %+v", row)
	}

	var logged bytes.Buffer
	r := newSource(t, path, func(o *Options) {
		o.OnBadRow = SkipOnBadRows
		o.Logger = slog.New(slog.NewTextHandler(&logged, nil))
	})
	if ticks := replayAll(t, r); len(ticks) != 2 || r.scan.bad != 9 {
		t.Errorf("%d ticks, %d rows skipped, want 2 and 9", len(ticks), r.scan.bad)
	}
	for _, w := range []string{"prices.csv:3", "prices.csv:11", "bad=9 good=2"} {
		if !strings.Contains(logged.String(), w) {
			t.Errorf("the log doesn't contain %q", w)
		}
	}
}

func TestBadBarsAreReported(t *testing.T) {
	path := writeFile(t, "B.csv", "date,open,high,low,close\n2026-03-02,10,9,8,9\n2026-03-02,10,12,11,11\n2026-03-02,10,12,9,\n2026-03-02,,12,9,10\n")
	_, err := New(Options{File: path, Speed: 1, OnBadRow: SkipOnBadRows})
	if err == nil {
		t.Fatal("a file without a valid row was accepted")
	}
	for _, want := range []string{
		"B.csv:2: open: 10.00 is above the high of 9.00", "B.csv:3: open: 10.00 is below the low of 11.00",
		"B.csv:4: close: is missing", "B.csv:5: open: is missing",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q doesn't contain %q", err, want)
		}
	}
}

func TestManyBadRowsAreCounted(t *testing.T) {
	path := writeFile(t, "a.csv", "time,price\n1,1\n"+strings.Repeat("1,x\n", 100))
	_, err := New(Options{File: path, Speed: 1})
	if err == nil || strings.Count(err.Error(), "\n") != 20 || !strings.Contains(err.Error(), "and 80 more bad rows") {
		t.Errorf("error %v, want 20 rows and a count", err)
	}
}

func TestFilesThatCannotBeReplayed(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"empty.csv", "", "empty.csv:1: the file is empty"},
		{"a.csv", "time,price\n", "has no row"},
		{"a.csv", "price\n1\n", "a.csv:1: header: no column for time (time, timestamp, date"},
		{"a.csv", "time,bid\n1,1\n", "a.csv:1: header: want bars (open, high, low, close) or ticks"},
		{"a.csv", "time,price,last\n1,1,1\n", "a.csv:1: header: columns 2 and 3 both mean last"},
		{"a.csv", "price,time,last\n1,1,1\n", "a.csv:1: header: columns 1 and 3 both mean last"},
		{"a b.csv", "time,price\n1,1\n", `header: there is no column for symbol, and the file's name gives "A B"`},
		{"a.csv", "time,price\n" + strings.Repeat("1", maxLine+1) + ",1\n", "a.csv:2: the line is longer than 65536 bytes"},
	} {
		_, err := New(Options{File: writeFile(t, tt.name, tt.text), Speed: 1})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: error %v, want %q", tt.text[:min(len(tt.text), 30)], err, tt.want)
		}
	}
	if _, err := New(Options{File: filepath.Join(t.TempDir(), "none.csv"), Speed: 1}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: error %v", err)
	}
}

// TestTicksOfBars: order, times and volumes of the four ticks of a bar.
func TestTicksOfBars(t *testing.T) {
	path := writeFile(t, "A.csv", "time,open,high,low,close,volume\n1000,10,12,9,11,9\n1090,10,12,9,9.5,3\n1030,10,12,9,10,4\n")
	r := newSource(t, path, nil) // the shortest time between two rows, in the file's order, is 60 s
	if r.scan.length() != 60_000_000 || r.scan.first != 1000e6 || r.scan.last != 1090e6 {
		t.Errorf("bars of %d µs from %d to %d", r.scan.length(), r.scan.first, r.scan.last)
	}
	var got []string
	volume := quote.Size(0)
	for _, k := range replayAll(t, r) {
		got = append(got, fmt.Sprintf("%s+%d", k.Last.Format(2), k.Volume-volume))
		volume = k.Volume
	}
	want := "10.00+2 9.00+2 12.00+2 " + "10.00+1 " + "11.00+3 " + "9.00+1 12.00+1 10.00+1 " + "10.00+0 12.00+0 9.00+0 9.50+3"
	if strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
}

// TestRowLength: the time between the last row and the first one of the next pass.
func TestRowLength(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"time,price\n1000,1\n":                                                     time.Second,
		"time,price\n1000,1\n1000,2\n":                                             time.Second,
		"time,price\n1000,1\n1010,2\n1030,3\n":                                     15 * time.Second,
		"time,open,high,low,close\n1000,1,1,1,1\n":                                 24 * time.Hour,
		"time,open,high,low,close\n1000,1,1,1,1\n1000,1,1,1,1\n":                   24 * time.Hour,
		"time,open,high,low,close\n1,1,1,1,1\n9,1,1,1,1\n12,1,1,1,1\n":             3 * time.Second,
		"time,open,high,low,close\n1,1,1,1,1\n4,1,1,1,1\n12,1,1,1,1\n":             3 * time.Second,
		"time,price\n1772461800000000,1\n1772461800000001,1\n1772461800000001,1\n": time.Microsecond,
	} {
		if got := newSource(t, writeFile(t, "A.csv", text), nil).scan.length(); got != want.Microseconds() {
			t.Errorf("%q: %d µs, want %v", text, got, want)
		}
	}
}

// TestDefaultsOfATick: bid, ask, sizes and the previous close if the row doesn't have them.
func TestDefaultsOfATick(t *testing.T) {
	for row, want := range map[string]quote.Tick{
		"1,10,11,,,":    {Bid: 1000, Ask: 1100, BidSize: 100, AskSize: 100, Last: 1050, PrevClose: 1050},
		"1,,11,10.5,,":  {Bid: 1099, Ask: 1100, BidSize: 100, AskSize: 100, Last: 1050, PrevClose: 1050},
		"1,,0.01,1,,":   {Bid: 1, Ask: 1, BidSize: 100, AskSize: 100, Last: 100, PrevClose: 100},
		"1,10,,10.5,7,": {Bid: 1000, Ask: 1001, BidSize: 7, AskSize: 100, Last: 1050, PrevClose: 1050},
		"1,,,10.5,,8":   {Bid: 1050, Ask: 1051, BidSize: 100, AskSize: 8, Last: 1050, PrevClose: 1050},
	} {
		s := newSource(t, writeFile(t, "A.csv", "time,bid,ask,last,bid_size,ask_size\n"+row+"\n"), nil)
		ticks := replayAll(t, s)
		want.Open, want.High, want.Low, want.Due = want.PrevClose, want.PrevClose, want.PrevClose, ticks[0].Due
		want.Day = ticks[0].Day
		if ticks[0] != want {
			t.Errorf("%s:\n%+v, want\n%+v", row, ticks[0], want)
		}
		if reference := s.Universe().Instrument(0).Price; row == "1,10,11,,," && reference != 1050 || row == "1,,,10.5,,8" && reference != 1050 {
			t.Errorf("%s: reference price %v", row, reference)
		}
	}
}

// TestLimits: of the reported rows, the symbols and the rows in memory.
func TestLimits(t *testing.T) {
	for bad, want := range map[int]string{20: "", 21: "and 1 more bad rows"} {
		_, err := New(Options{File: writeFile(t, "A.csv", "time,price\n1,1\n"+strings.Repeat("1,x\n", bad)), Speed: 1})
		if err == nil || strings.Contains(err.Error(), "more bad rows") != (want != "") || !strings.Contains(err.Error(), want) {
			t.Errorf("%d bad rows: %v", bad, err)
		}
	}
	var symbols strings.Builder
	symbols.WriteString("time,symbol,price\n")
	for i := range market.MaxSymbols {
		fmt.Fprintf(&symbols, "1,S%d,1\n", i)
	}
	if s := newSource(t, writeFile(t, "A.csv", symbols.String()), nil); s.Universe().Len() != market.MaxSymbols {
		t.Errorf("%d symbols", s.Universe().Len())
	}
	if _, err := New(Options{File: writeFile(t, "A.csv", symbols.String()+"1,ONE-MORE,1\n"), Speed: 1}); err == nil || !strings.Contains(err.Error(), "more than 10000 symbols") {
		t.Errorf("one symbol more: %v", err)
	}
	defer func(n int) { maxSortedRows = n }(maxSortedRows)
	maxSortedRows = 3
	for rows, want := range map[string]bool{"3,1\n2,1\n1,1\n": true, "3,1\n2,1\n1,1\n0,1\n": false, "1,1\n2,1\n3,1\n4,1\n": true} {
		if _, err := New(Options{File: writeFile(t, "A.csv", "time,price\n"+rows), Speed: 1}); (err == nil) != want {
			t.Errorf("%q: %v", rows, err)
		}
	}
}

// TestFileThatGrowsWhileItIsSorted is an error, not an unbounded amount of memory.
func TestFileThatGrowsWhileItIsSorted(t *testing.T) {
	path := writeFile(t, "A.csv", "time,price\n2,1\n1,1\n")
	s, err := scanFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("time,price\n2,1\n1,1\n3,1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.sort(); err == nil || !strings.Contains(err.Error(), "has changed") {
		t.Errorf("error %v", err)
	}
}

// A file that changes or is removed after the scan ends the feed with an error.
func TestFileThatChanges(t *testing.T) {
	path := writeFile(t, "a.csv", "time,symbol,price\n1,A,1\n")
	r := newSource(t, path, nil)
	if err := os.WriteFile(path, []byte("time,symbol,price\n1,B,1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.Run(t.Context(), func([]quote.Tick) {}); err == nil || !strings.Contains(err.Error(), "new symbol B") {
		t.Errorf("error %v, want the new symbol in it", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	r = newSource(t, writeFile(t, "b.csv", "time,symbol,price\n1,A,1\n"), nil)
	if err := os.Remove(r.options.File); err != nil {
		t.Fatal(err)
	}
	if err := r.Run(t.Context(), func([]quote.Tick) {}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want fs.ErrNotExist", err)
	}
}

// checkTick fails the test if a tick is inconsistent.
func checkTick(t testing.TB, k *quote.Tick) {
	t.Helper()
	switch {
	case k.Bid < 1 || k.Ask < k.Bid, k.BidSize < 1 || k.AskSize < 1,
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
