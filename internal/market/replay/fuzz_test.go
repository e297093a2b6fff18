package replay

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ticklane/internal/quote"
)

// FuzzFile: a file is rejected with an error that names it, or all its valid rows become consistent ticks in order of time.
func FuzzFile(f *testing.F) {
	for _, seed := range []string{
		"time,price\n2026-03-02,2\n",
		"\ufefftime,symbol,bid,ask,last\n2026-03-02T14:30:00Z,AAPL,10,11,10.5\n2026-03-01T14:30:00Z,^X,,,-1\n",
		"symbol,date,price\nMSFT,Jan 1 2000,39.81\n",
		"s,p,t,v\nA,1e3,1772461800,\"5\"\n\"\n\n,,\n",
		"sep=;\nDate;Close\n02.03.2026;1.234,5\n",
		"<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\n2026.03.02\t14:30\t1\t1\t1\t1\n",
		",Close,Close\n,A,B\nDate,,\n2026-03-02,1,2\n",
		"time,price\r2026-03-02,2\r",
		"\x1f\x8b\x08", "PK\x03\x04", "\xff\xfet\x00",
	} {
		f.Add([]byte(seed))
	}
	files, err := filepath.Glob("testdata/cases/*")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	path := filepath.Join(f.TempDir(), "FUZZ.csv")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := New(t.Context(), Options{File: path, Speed: 1e18, OnBadRow: SkipOnBadRows, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			if !strings.Contains(err.Error(), "FUZZ.csv") {
				t.Errorf("%v doesn't name the file", err)
			}
			if row := (*RowError)(nil); errors.As(err, &row) && (row.Line < 1 || !compressed(data) && row.Line > 2+bytes.Count(data, []byte("\n"))+bytes.Count(data, []byte("\r"))) {
				t.Errorf("line %d of %q", row.Line, data)
			}
			return
		}
		checkPlayback(t, s)
	})
}

func compressed(data []byte) bool {
	return bytes.HasPrefix(data, []byte{0x1f, 0x8b}) || bytes.HasPrefix(data, []byte("PK"))
}

// checkPlayback runs a source and checks its ticks.
func checkPlayback(t *testing.T, s *Source) {
	t.Helper()
	want, n, due := s.scan.rows, 0, int64(0)
	if s.scan.layout.bars {
		want *= 4
	}
	err := s.Run(t.Context(), func(batch []quote.Tick) {
		for _, k := range batch {
			n++
			in := s.Universe().Instrument(k.Symbol)
			if k.Bid > k.Ask || k.Last < k.Low || k.Last > k.High || k.Open < k.Low || k.Open > k.High || k.Volume < 0 || k.BidSize < 0 || k.AskSize < 0 ||
				!in.Negative && k.Low < 1 || k.Due < due {
				t.Fatalf("inconsistent tick %+v of %+v after one due at %d", k, in, due)
			}
			due = k.Due
		}
	})
	if err != nil || n != want {
		t.Fatalf("%d ticks, want %d, %v", n, want, err)
	}
}
