package replay

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"ticklane/internal/quote"
)

func TestParseTime(t *testing.T) {
	at := time.Date(2026, 3, 2, 14, 30, 0, 0, time.UTC)
	day := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	var p timeParser
	for _, tt := range []struct {
		text string
		want time.Time
	}{
		{"2026-03-02T14:30:00Z", at},
		{"2026-03-02T15:30:00+01:00", at},
		{"2026-03-02T14:30:00.25Z", at.Add(250 * time.Millisecond)},
		{"2026-03-02T14:30:00", at},
		{"2026-03-02 14:30:00", at},
		{"2026-03-02 14:30:00.000001", at.Add(time.Microsecond)},
		{"2026-03-02 09:30:00-05:00", at},
		{"2026-03-02 14:30", at},
		{"2026-03-02", day},
		{"20260302", day},
		{"Mar 2 2026", day},
		{"Mar 2, 2026", day},
		{"1772461800", at},
		{"1772461800.5", at.Add(time.Second / 2)},
		{"1772461800000", at},
		{"1772461800000000", at},
		{"1772461800000000000", at},
		{"0", time.Unix(0, 0)},
		{"-86400", time.Unix(-86400, 0)},
		{"100000000000", time.UnixMilli(1e11)}, // the smallest number of each unit
		{"100000000000000", time.UnixMicro(1e14)},
		{"100000000000000000", time.Unix(0, 1e17)},
		{"1900-01-01", time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)},
		{"2200-12-31 23:59", time.Date(2200, 12, 31, 23, 59, 0, 0, time.UTC)},
	} {
		if got, err := p.parse(tt.text); err != nil || got != tt.want.UnixMicro() {
			t.Errorf("%q is %v, %v, want %v", tt.text, time.UnixMicro(got).UTC(), err, tt.want)
		}
	}
	for _, text := range []string{"", "now", "2026-13-01", "1899-12-31", "2201-01-01", "99999999999", "99999999999999", "1e11", "03/02/2026", "NaN", "inf", "1e300", "-99999999999", "1e5x"} {
		if got, err := p.parse(text); err == nil {
			t.Errorf("%q is %v, want an error", text, time.UnixMicro(got))
		}
	}
}

func TestParsePrice(t *testing.T) {
	for text, want := range map[string]quote.Price{"10": 1000, "0.01": 1, "0.005": 1, "184.27": 18427, "1469.250000": 146925, "1e3": 100000, "1000000000": 1e11, "0.014": 1, "0.015": 2} {
		if got, err := parsePrice(text); err != nil || got != want {
			t.Errorf("%q is %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"0", "0.001", "0.004", "1000000000.01", "-1", "NaN", "Inf", "1e10", "$5", "1,000", "x"} {
		if got, err := parsePrice(text); err == nil {
			t.Errorf("%q is %v, want an error", text, got)
		}
	}
}

func TestParseShares(t *testing.T) {
	for text, want := range map[string]quote.Size{"0": 0, "931800000": 931800000, "1200.0": 1200, "1e3": 1000, "1.4": 1, "1.5": 2, "1000000000000000": maxShares} {
		if got, err := parseShares(text, maxShares); err != nil || got != want {
			t.Errorf("%q is %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"-1", "-0.1", "NaN", "Inf", "1000000000000001", "many"} {
		if got, err := parseShares(text, maxShares); err == nil {
			t.Errorf("%q is %v, want an error", text, got)
		}
	}
}

// A stray quotation mark invalidates only its line.
func TestOpenQuotationMark(t *testing.T) {
	table, err := newTable(strings.NewReader("time,price\n1,\"2\n3,4\n"), "a.csv")
	if err != nil {
		t.Fatal(err)
	}
	var r row
	if err := table.next(&r); err == nil || !strings.HasPrefix(err.Error(), "a.csv:2: ") {
		t.Errorf("error %v, want one of line 2", err)
	}
	if err := table.next(&r); err != nil || r.last != 400 {
		t.Errorf("the row after it: %+v, error %v", r, err)
	}
}

// TestRowErrors: what a row must have, and the limits of its fields.
func TestRowErrors(t *testing.T) {
	for _, c := range []struct{ header, row, want string }{
		{"time,open,high,low,close", "1,10,10,10,10", ""},
		{"time,open,high,low,close", "1,10,9.99,9,9.5", "open: 10.00 is above the high of 9.99"},
		{"time,open,high,low,close", "1,10,11,10.01,10.5", "open: 10.00 is below the low of 10.01"},
		{"time,open,high,low,close", "1,10,11,9,11.01", "close: 11.01 is above the high of 11.00"},
		{"time,open,high,low,close", "1,10,11,9,8.99", "close: 8.99 is below the low of 9.00"},
		{"time,open,high,low,close", "1,10,,9,10", "high: is missing"},
		{"time,bid,ask,last", "1,10,10,", ""},
		{"time,bid,ask,last", "1,10.01,10,", "bid: 10.01 is above the ask of 10.00"},
		{"time,bid,ask,last", "1,10,,", "ask: is missing"},
		{"time,bid,ask,last", "1,,10,", "bid: is missing"},
		{"time,bid,ask,last", "1,10,,11", ""},
		{"time,bid,ask,last", "1,,10,11", ""},
		{"time,bid,ask,last", "1,,,11", ""},
		{"time,bid,ask,last", "1,,,", "last: is missing, and so are bid and ask"},
		{"time,price,bid_size,ask_size", "1,1,2147483647,2147483647", ""},
		{"time,price,bid_size", "1,1,2147483648", `bid_size: "2147483648": want a number of shares from 0 to 2147483647`},
		{"time,price,symbol", "1,1," + strings.Repeat("a", 40), `symbol: "` + strings.Repeat("a", 40) + `": want a symbol`},
		{"time,price,symbol", "1,1," + strings.Repeat("a", 41), `symbol: "` + strings.Repeat("a", 40) + `…": want a symbol`},
		{"time,price", "1", "1 fields, the header has 2"},
	} {
		table, err := newTable(strings.NewReader(c.header+"\n"+c.row+"\n"), "A.csv")
		if err != nil {
			t.Fatal(err)
		}
		var r row
		switch err := table.next(&r); {
		case c.want == "" && err != nil:
			t.Errorf("%s: %s: %v", c.header, c.row, err)
		case c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), "A.csv:2: "+c.want)):
			t.Errorf("%s: %s: %v, want %s", c.header, c.row, err, c.want)
		}
	}
}

type failing struct{ io.Reader }

var errDisk = errors.New("disk failure")

func (f failing) Read(b []byte) (int, error) {
	n, err := f.Reader.Read(b)
	if errors.Is(err, io.EOF) {
		err = errDisk
	}
	return n, err
}

func TestReadErrorsAreNotBadRows(t *testing.T) {
	table, err := newTable(failing{strings.NewReader("time,price\n1,2\n3,4")}, "a.csv")
	if err != nil {
		t.Fatal(err)
	}
	var r row
	for err == nil {
		err = table.next(&r)
	}
	if bad := (*RowError)(nil); !errors.Is(err, errDisk) || errors.As(err, &bad) {
		t.Errorf("error %v, want that of the reader", err)
	}
}

func FuzzTable(f *testing.F) {
	for _, seed := range []string{
		"time,price\n1,2\n",
		"\ufefftime,symbol,bid,ask,last\n2026-03-02T14:30:00Z,AAPL,10,11,10.5\n",
		"date,open,high,low,close,adjclose,volume\n2000-01-03,1469.25,1478,1438.36,1455.22,1455.22,931800000\n",
		"symbol,date,price\nMSFT,Jan 1 2000,39.81\n",
		"t,p,v\n1e3,\"5\",100\n\"\n\n,,\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := newTable(bytes.NewReader(data), "FUZZ.csv")
		if err != nil {
			return
		}
		lines := bytes.Count(data, []byte("\n")) + 1
		var r row
		for before := table.line; ; before = table.line {
			err := table.next(&r)
			if errors.Is(err, io.EOF) {
				return
			}
			if table.line <= before || table.line > lines {
				t.Fatalf("line %d after line %d of %d", table.line, before, lines)
			}
			if bad := (*RowError)(nil); errors.As(err, &bad) {
				if bad.Line != table.line {
					t.Fatalf("%v in line %d", err, table.line)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if table.bars {
				if r.low < 1 || r.open < r.low || r.last < r.low || r.open > r.high || r.last > r.high {
					t.Fatalf("impossible bar %+v", r)
				}
			} else if bid, ask := quotes(r.bid, r.ask, r.last); bid < 1 || ask < bid {
				t.Fatalf("impossible quote %v %v from %+v", bid, ask, r)
			}
			if !quote.ValidSymbol(r.ticker) || r.volume < 0 || r.dayVolume < -1 || r.bidSize < 0 || r.askSize < 0 {
				t.Fatalf("impossible row %+v", r)
			}
		}
	})
}
