package replay

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ticklane/internal/quote"
)

// replayed is what a file gives.
type replayed struct {
	symbols string
	form    string
	rows    int
	bars    bool
	ticks   []quote.Tick
	scan    *scan
}

// replayFile replays a file with this name and content.
func replayFile(t *testing.T, name, content string, change func(*Options)) replayed {
	t.Helper()
	return replayPath(t, writeFile(t, name, content), change)
}

func replayPath(t *testing.T, path string, change func(*Options)) replayed {
	t.Helper()
	s := newSource(t, path, change)
	var symbols []string
	for _, in := range s.Universe().Instruments() {
		symbols = append(symbols, in.Symbol)
	}
	r := replayed{symbols: strings.Join(symbols, " "), form: s.scan.layout.form, rows: s.scan.rows, bars: s.scan.layout.bars, scan: s.scan}
	if err := s.Run(t.Context(), func(batch []quote.Tick) { r.ticks = append(r.ticks, batch...) }); err != nil {
		t.Fatal(err)
	}
	return r
}

// figures returns the decimals of prices and sizes of the first symbol, and its last price.
func (r replayed) figures() string {
	in := r.scan.universe.Instrument(0)
	last := quote.Price(0)
	for _, k := range r.ticks {
		if k.Symbol == 0 {
			last = k.Last
		}
	}
	return fmt.Sprintf("%d %d %s", in.Decimals, in.SizeDecimals, last.Format(in.Decimals))
}

// rowsOf returns time, close and volume of each bar, or of each tick time, bid, ask, last and the day's volume.
func (r replayed) rowsOf() string {
	var list []string
	for i, k := range r.ticks {
		in := r.scan.universe.Instrument(k.Symbol)
		price := func(p quote.Price) string { return p.Format(in.Decimals) }
		switch {
		case !r.bars:
			list = append(list, fmt.Sprintf("%s/%s %s %s", price(k.Bid), price(k.Ask), price(k.Last), k.Volume.Format(in.SizeDecimals)))
		case i%4 == 3 && len(r.scan.symbols) == 1:
			list = append(list, fmt.Sprintf("%s %s", price(k.Last), k.Volume.Format(in.SizeDecimals)))
		}
	}
	return strings.Join(list, ", ")
}

// TestCases replays a file of each kind that is known to be hard; volumes are those of the day so far.
func TestCases(t *testing.T) {
	for _, c := range []struct{ file, symbols, first, last, rows string }{
		{"yfinance3.csv", "ACME", "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z", "185.50 1234567, 186.00 2230000"},
		{"DOGEUSDT.csv", "DOGEUSDT", "2025-01-01T00:00:00Z", "2025-01-01T00:01:00Z", "0.31600 1000.50, 0.31611 1020.75"},
		{"BTCUSDT-headerless.csv", "BTCUSDT-HEADERLESS", "2025-01-01T00:00:00Z", "2025-01-01T00:01:00Z", "64150.250 12.34567, 64170.100 12.35887"},
		{"EURUSD.csv", "EURUSD", "2026-03-02T14:30:00Z", "2026-03-02T14:30:01Z", "1.08345/1.08347 1.08346 0, 1.08346/1.08349 1.08346 0"},
		{"AUDJPY-metatrader.csv", "AUDJPY-METATRADER", "2011-12-08T18:49:00Z", "2011-12-08T18:50:00Z", "77.702 30, 77.711 71"},
		{"EURUSD-mt5.tsv", "EURUSD-MT5", "2026-03-02T14:30:00Z", "2026-03-02T14:30:00Z", "1.08351 120"},
		{"ACME-european.csv", "ACME-EUROPEAN", "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z", "184.50 1200, 186.00 900"},
		{"ACME-nasdaq.csv", "ACME-NASDAQ", "2026-02-27T00:00:00Z", "2026-03-03T00:00:00Z", "185.50 1234567, 186.00 2230000"},
		{"ACME-bars-tohlcv.csv", "ACME-BARS-TOHLCV", "2026-03-02T14:30:00Z", "2026-03-02T14:31:00Z", "185.50 1234567, 185.60 1235567"},
		{"ACME-date-hour.csv", "ACME-DATE-HOUR", "2026-03-02T14:30:00Z", "2026-03-02T14:32:00Z", "185.50 1000, 185.60 2000, 185.80 3000"},
		{"ACME-XL.csv", "ACME-XL", "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z", "185.50 1000, 186.00 2000"},
		{"CL.csv", "CL", "2020-04-20T18:00:00Z", "2020-04-21T18:00:00Z", "-37.63 231000, 10.01 1020000"},
		{"ACME-numbered.csv", "ACME-NUMBERED", "2026-03-02T00:00:00Z", "2026-03-02T00:00:00Z", "185.50 1234567"},
		{"odd-symbols.csv", "^GSPC ES=F BTC/USDT", "2026-03-02T14:30:00Z", "2026-03-02T14:30:02Z",
			"5000.25/5000.26 5000.25 1, 5001.50/5001.51 5001.50 3, 64123.505/64123.506 64123.505 0.0132"},
	} {
		r := replayPath(t, filepath.Join("testdata", "cases", c.file), nil)
		if r.symbols != c.symbols || show(r.scan.first) != c.first || show(r.scan.last) != c.last || r.rowsOf() != c.rows {
			t.Errorf("%s: %s from %s to %s\n%s, want\n%s", c.file, r.symbols, show(r.scan.first), show(r.scan.last), r.rowsOf(), c.rows)
		}
	}
	oil := replayPath(t, "testdata/cases/CL.csv", nil)
	if in := oil.scan.universe.Instrument(0); !in.Negative || in.Price != -110 || oil.ticks[3].Low != -4032 || oil.ticks[3].Open != -110 {
		t.Errorf("%+v, the first day %+v", in, oil.ticks[3])
	}
	if k := oil.ticks[7]; k.Open != -1400 || k.Low != -1674 || k.PrevClose != -3763 {
		t.Errorf("the second day %+v", k)
	}
}

// TestCasesThatStop: what is ambiguous or has no value.
func TestCasesThatStop(t *testing.T) {
	const null, ambiguous = "testdata/cases/ACME-yahoo-null.csv", "testdata/cases/ambiguous.csv"
	if _, err := openSource(t, null, nil); err == nil || !strings.Contains(err.Error(), `null.csv:3: Open: "null": want a number`) {
		t.Errorf("null: %v", err)
	}
	r := replayPath(t, null, func(o *Options) { o.OnBadRow = SkipOnBadRows })
	if r.rowsOf() != "185.50 1234567, 186.00 2230000" || r.scan.bad != 1 {
		t.Errorf("null skipped: %s", r.rowsOf())
	}
	_, err := openSource(t, ambiguous, nil)
	for _, want := range []string{`column date: "03/02/2026" is ambiguous`, "2026-03-02", "2026-02-03", "feed.format.date"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ambiguous: %v, want %q", err, want)
		}
	}
	for date, want := range map[string]string{"mdy": "2026-03-04T00:00:00Z", "dmy": "2026-04-03T00:00:00Z"} {
		r := replayPath(t, ambiguous, func(o *Options) { o.Format.Date = date })
		if show(r.scan.last) != want || r.rowsOf() != "1.355/1.356 1.355 0, 1.360/1.361 1.360 0" {
			t.Errorf("%s: %s, %s", date, show(r.scan.last), r.rowsOf())
		}
	}
}

// TestDayOfTheFile: the figures of a day are those of the file's days, however fast it is replayed.
func TestDayOfTheFile(t *testing.T) {
	r := replayFile(t, "A.csv", "time,price,volume\n2026-03-02 20:00,10,5\n2026-03-02 21:00,12,5\n2026-03-03 15:00,11,7\n", nil)
	k := r.ticks[2]
	if k.Open != 1100 || k.Low != 1100 || k.High != 1100 || k.PrevClose != 1200 || k.Volume != 7 || time.Unix(int64(k.Day)*86400, 0).UTC().Day() != 3 {
		t.Errorf("%+v", k)
	}
}
