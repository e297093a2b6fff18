package replay

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"ticklane/internal/market"
)

func TestBadRowsAreReported(t *testing.T) {
	const text = "time,symbol,bid,ask,last\n" +
		"2026-03-02,AAPL,10,11,10\n" +
		"yesterday,AAPL,10,11,10\n" +
		"2026-03-02,A B,10,11,10\n" +
		"2026-03-02,a*,10,11,10\n" +
		"2026-03-02,AAPL,12,11,10\n" +
		"2026-03-02,AAPL,10,11\n" +
		"2026-03-02,AAPL,1\"0,11,10\n" +
		"2026-03-01,AAPL,-3,11,10\n" +
		"2026-03-02,AAPL,,,\n" +
		",AAPL,10,11,10\n" +
		"2026-03-03,N/A,10,11,12\n" +
		"2026-03-03,-,10,11,12\n" +
		"2026-03-03,NA,10,11,12\n" +
		"2026-03-03,AAPL,10,11,12\n"
	path := writeFile(t, "prices.csv", text)
	_, err := openSource(t, path, nil)
	if err == nil {
		t.Fatal("no error")
	}
	lines := strings.Split(err.Error(), "\n")
	want := []string{
		`prices.csv:3: time: "yesterday": want a time such as`,
		`prices.csv:4: symbol: "A B": want 1 to 32 of A-Z`,
		`prices.csv:5: symbol: "a*": want`,
		`prices.csv:6: bid: 12 is above the ask of 11`,
		`prices.csv:7: 4 fields, the header has 5`,
		`prices.csv:8: bare " in non-quoted-field`,
		`prices.csv:9: bid: -3: want a price above 0, since AAPL is never traded below`,
		`prices.csv:10: last: is missing, and so are bid and ask`,
		`prices.csv:11: time: is missing`,
		`prices.csv:12: symbol: "N/A" stands for no symbol`,
		`prices.csv:13: symbol: "-" stands for no symbol`,
	}
	if last := lines[len(lines)-1]; last != "correct the file, or leave such rows out with feed.on_bad_row skip" {
		t.Errorf("the last line is %q", last)
	}
	if lines = lines[:len(lines)-1]; len(lines) != len(want) {
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
	if ticks := replayAll(t, r); len(ticks) != 3 || r.scan.bad != 11 {
		t.Errorf("%d ticks, %d rows skipped, want 3 and 11", len(ticks), r.scan.bad)
	}
	for _, w := range []string{"prices.csv:3", "prices.csv:11", "bad=11 good=3"} {
		if !strings.Contains(logged.String(), w) {
			t.Errorf("the log doesn't contain %q", w)
		}
	}
}

func TestBadBarsAreReported(t *testing.T) {
	path := writeFile(t, "B.csv", "date,open,high,low,close\n2026-03-02,10,9,8,9\n2026-03-02,10,12,11,11\n2026-03-02,10,12,9,\n2026-03-02,,12,9,10\n")
	_, err := openSource(t, path, func(o *Options) { o.OnBadRow = SkipOnBadRows })
	if err == nil {
		t.Fatal("a file without a valid row was accepted")
	}
	for _, want := range []string{
		"B.csv:2: open: 10 is above the high of 9", "B.csv:3: open: 10 is below the low of 11",
		"B.csv:4: close: is missing", "B.csv:5: open: is missing",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q doesn't contain %q", err, want)
		}
	}
}

func TestManyBadRowsAreCounted(t *testing.T) {
	path := writeFile(t, "a.csv", "time,price\n1,1\n"+strings.Repeat("1,x\n", 100))
	_, err := openSource(t, path, inSeconds)
	if err == nil || strings.Count(err.Error(), "\n") != 21 || !strings.Contains(err.Error(), "and 80 more bad rows") {
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
		_, err := openSource(t, writeFile(t, tt.name, tt.text), inSeconds)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: error %v, want %q", tt.text[:min(len(tt.text), 30)], err, tt.want)
		}
	}
	if _, err := openSource(t, filepath.Join(t.TempDir(), "none.csv"), inSeconds); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: error %v", err)
	}
}

// TestLimits: of the reported rows and the symbols.
func TestLimits(t *testing.T) {
	for bad, want := range map[int]string{20: "", 21: "and 1 more bad rows"} {
		_, err := openSource(t, writeFile(t, "A.csv", "time,price\n1,1\n"+strings.Repeat("1,x\n", bad)), inSeconds)
		if err == nil || strings.Contains(err.Error(), "more bad rows") != (want != "") || !strings.Contains(err.Error(), want) {
			t.Errorf("%d bad rows: %v", bad, err)
		}
	}
	var symbols strings.Builder
	symbols.WriteString("time,symbol,price\n")
	for i := range market.MaxSymbols {
		fmt.Fprintf(&symbols, "1,S%d,1\n", i)
	}
	if s := newSource(t, writeFile(t, "A.csv", symbols.String()), inSeconds); s.Universe().Len() != market.MaxSymbols {
		t.Errorf("%d symbols", s.Universe().Len())
	}
	if _, err := openSource(t, writeFile(t, "A.csv", symbols.String()+"1,ONE-MORE,1\n"), inSeconds); err == nil || !strings.Contains(err.Error(), "more than 10000 symbols") {
		t.Errorf("one symbol more: %v", err)
	}
}

// TestSkippedPrices: rows with prices of 0, which are known to be invalid only after all rows were read, count for nothing.
func TestSkippedPrices(t *testing.T) {
	text := "time,price\n2026-03-05,0\n2026-03-02,5\n"
	r := replayFile(t, "A.csv", text, func(o *Options) { o.OnBadRow = SkipOnBadRows })
	if len(r.ticks) != 1 || r.rows != 1 || r.scan.bad != 1 || r.scan.first != r.scan.last || r.scan.sorted != nil || r.scan.universe.Instrument(0).Price != 500 {
		t.Errorf("%d ticks of %d rows, from %s to %s, %+v", len(r.ticks), r.rows, show(r.scan.first), show(r.scan.last), r.scan.universe.Instrument(0))
	}
}

// TestBadFirstRows: rows before the first one that is CSV are reported like those after it.
func TestBadFirstRows(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"ticks.csv", "time,symbol,last\n2026-03-02 10:00,\"A,1\n2026-03-02 11:00,A,2\n", `ticks.csv:2: extraneous or missing " in quoted-field`},
		{"more.csv", "About: prices\ntime,symbol,last\n\n2026-03-02 10:00,\"A\" ,1\n2026-03-02 11:00,A\",1\n2026-03-02 12:00,A,2\n", `more.csv:4: extraneous`},
		{"excel.csv", "sep=;\ntime;symbol;last\n2026-03-02 10:00;A\";1\n2026-03-02 11:00;A;2\n", `excel.csv:3: bare "`},
		{"AUDJPY1.csv", "2026.03.02,18:48,\"77.708\" ,77.710,77.702,77.702,30\n2026.03.02,18:49,77.708,77.710,77.702,77.702,30\n", `AUDJPY1.csv:1: extraneous`},
	} {
		if _, err := openSource(t, writeFile(t, c.name, c.text), nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}
