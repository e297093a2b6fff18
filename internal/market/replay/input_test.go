package replay

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/unicode"
)

const twoTicks = "time,price\n2026-03-02 14:30:00,184.27\n2026-03-02 14:30:01,184.28\n"

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(text))
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// zipped returns an archive with files, given as names and texts.
func zipped(t *testing.T, files ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		if err == nil {
			_, err = f.Write([]byte(files[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func utf16(t *testing.T, text string, endian unicode.Endianness, bom unicode.BOMPolicy) string {
	t.Helper()
	s, err := unicode.UTF16(endian, bom).NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestFilesOfEachForm: compression, character set, ends of lines and delimiter.
func TestFilesOfEachForm(t *testing.T) {
	little, big := unicode.LittleEndian, unicode.BigEndian
	for name, c := range map[string]struct{ file, content, symbol, form string }{
		"plain":                   {"acme.csv", twoTicks, "ACME", ""},
		"no last line end":        {"acme.csv", strings.TrimSpace(twoTicks), "ACME", ""},
		"CRLF":                    {"acme.csv", strings.ReplaceAll(twoTicks, "\n", "\r\n"), "ACME", ""},
		"CR":                      {"acme.csv", strings.ReplaceAll(twoTicks, "\n", "\r"), "ACME", ""},
		"byte order mark":         {"acme.csv", "\ufeff" + twoTicks, "ACME", ""},
		"blank lines":             {"acme.csv", "\n\n" + strings.ReplaceAll(twoTicks, "\n", "\n \n"), "ACME", ""},
		"UTF-16":                  {"acme.csv", utf16(t, twoTicks, little, unicode.UseBOM), "ACME", "UTF-16"},
		"UTF-16, other":           {"acme.csv", utf16(t, twoTicks, big, unicode.UseBOM), "ACME", "UTF-16"},
		"UTF-16, no mark":         {"acme.csv", utf16(t, twoTicks, little, unicode.IgnoreBOM), "ACME", "UTF-16"},
		"UTF-16, no mark 2":       {"acme.csv", utf16(t, twoTicks, big, unicode.IgnoreBOM), "ACME", "UTF-16"},
		"gzip":                    {"acme.csv.gz", gzipped(t, twoTicks), "ACME", "gzip"},
		"gzip, other name":        {"acme.csv", gzipped(t, twoTicks), "ACME", "gzip"},
		"gzip of UTF-16":          {"acme.csv.gz", gzipped(t, utf16(t, twoTicks, little, unicode.UseBOM)), "ACME", "gzip UTF-16"},
		"zip":                     {"export.zip", zipped(t, "data/", "", "data/acme.csv", twoTicks, "__MACOSX/acme.csv", "x", "readme.md", "x"), "ACME", "zip"},
		"tabs":                    {"acme.tsv", strings.ReplaceAll(twoTicks, ",", "\t"), "ACME", ""},
		"semicolons":              {"acme.txt", strings.ReplaceAll(twoTicks, ",", ";"), "ACME", ""},
		"pipes":                   {"acme.txt", strings.ReplaceAll(twoTicks, ",", "|"), "ACME", ""},
		"sep=;":                   {"acme.csv", "sep=;\r\n" + strings.ReplaceAll(twoTicks, ",", ";"), "ACME", ""},
		"quotes":                  {"acme.csv", "\"time\",\"price\"\n\"2026-03-02 14:30:00\",\"184.27\"\n\"2026-03-02 14:30:01\", \"184.28\"\n", "ACME", ""},
		"delimiter at end":        {"acme.csv", "time;price\n2026-03-02 14:30:00;184.27;\n2026-03-02 14:30:01;184.28;\n", "ACME", ""},
		"delimiter at end of all": {"acme.csv", "time;price;\n2026-03-02 14:30:00;184.27;\n2026-03-02 14:30:01;184.28;\n", "ACME", ""},
		"title":                   {"acme.csv", "Prices of ACME\nin dollars\n\n" + twoTicks, "ACME", ""},
	} {
		r := replayFile(t, c.file, c.content, nil)
		if r.rowsOf() != "184.27/184.28 184.27 0, 184.28/184.29 184.28 0" || r.symbols != c.symbol || strings.Join(r.scan.input.form, " ") != c.form {
			t.Errorf("%s: %s %s, form %v", name, r.symbols, r.rowsOf(), r.scan.input.form)
		}
	}
}

// utf32 encodes a text, with a byte order mark if marked is true.
func utf32(text string, order binary.AppendByteOrder, marked bool) string {
	var b []byte
	if marked {
		b = order.AppendUint32(b, 0xfeff)
	}
	for _, r := range text {
		b = order.AppendUint32(b, uint32(r))
	}
	return string(b)
}

func TestFilesOfOtherForms(t *testing.T) {
	for _, c := range []struct{ content, want string }{
		{zipped(t, "a.csv", twoTicks, "b.csv", twoTicks), "it has 2: a.csv, b.csv"},
		{zipped(t, "readme.md", "x"), "want an archive with one .csv, .tsv or .txt file, it has none"},
		{zipped(t), "it has none"},
		{zipped(t, "a.csv", gzipped(t, twoTicks)), "compressed again: decompress it once"},
		{gzipped(t, gzipped(t, twoTicks)), "compressed again: decompress it once"},
		{gzipped(t, twoTicks) + "and more, not compressed", "bytes that aren't gzip: remove them"},
		{gzipped(t, twoTicks) + "x", "ends early, or a few bytes that aren't gzip follow it"},
		{utf32(twoTicks, binary.LittleEndian, true), "it is UTF-32: save it as UTF-8"},
		{utf32(twoTicks, binary.BigEndian, true), "it is UTF-32"},
		{utf32(twoTicks, binary.LittleEndian, false), "it is UTF-32"},
		{utf32(twoTicks, binary.BigEndian, false), "it is UTF-32"},
		{zipped(t, "xl/workbook.xml", "x"), "it is an Excel workbook: save the sheet as CSV"},
		{"PK\x03\x04rest", "zip"},
		{"\x28\xb5\x2f\xfdrest", "it is compressed with zstd"},
		{"PAR1rest", "it is a Parquet file"},
		{`[{"time":1}]`, "it is JSON: want CSV"},
		{gzipped(t, twoTicks)[:40], "the compressed data ends early"},
		{"\n\n", "the file is empty"},
	} {
		if _, err := openSource(t, writeFile(t, "a.csv", c.content), nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.20q: %v, want %q", c.content, err, c.want)
		}
	}
	for path, want := range map[string]string{os.DevNull: "is a device: send it to standard input, with feed.file -", t.TempDir(): "is a directory"} {
		if _, err := openSource(t, path, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}

// TestSymbolsOfFileNames: what exporters add to a symbol is removed.
func TestSymbolsOfFileNames(t *testing.T) {
	for name, want := range map[string]string{
		"ACME.csv": "ACME", "acme.us.txt": "ACME.US", "BTCUSDT-1m-2025-01.csv": "BTCUSDT", "BTCUSDT-1h-2025-01-31.zip": "BTCUSDT",
		"EURUSD_M1_202603021430_202603022359.csv": "EURUSD", "ACME Historical Data.csv": "ACME", "daily_ACME.csv": "ACME",
		"intraday_5min_ACME.csv.gz": "ACME", "sp500-2000.csv": "SP500-2000", "^gspc.csv": "^GSPC", "BRK-B.csv": "BRK-B", "": "",
		"EURUSD_Candlestick_1_M_BID_27.11.2026-27.11.2026.csv": "EURUSD", "EURUSD_Ticks_27.11.2026-28.11.2026.csv": "EURUSD",
		"DAT_ASCII_GBPUSD_M1_202602.csv": "GBPUSD", "DAT_ASCII_EURUSD_T_202602.csv": "EURUSD", "DAT_A.csv": "DAT_A", "ES_H26_2026.csv": "ES_H26_2026",
		"FX_EURUSD, 60.csv": "FX_EURUSD", "OANDA_EURUSD, 1D_5f3c2.csv": "OANDA_EURUSD", "ACME (1).csv": "ACME",
		"AUDJPY1.csv": "AUDJPY", "eurusd1440.csv": "EURUSD", "EURUSD2.csv": "EURUSD2", "US50060.csv": "US50060",
	} {
		if got := symbolOf(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// pipe returns a standard input with this content, which ends if closed is true.
func pipe(t *testing.T, content string, closed bool) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	if _, err := w.WriteString(content); err != nil {
		t.Fatal(err)
	}
	if closed {
		w.Close()
	}
	return r
}

// TestStandardInput is read once, and may be replayed several times.
func TestStandardInput(t *testing.T) {
	for _, content := range []string{twoTicks, gzipped(t, twoTicks)} {
		s := newSource(t, StandardInput, func(o *Options) { o.Stdin, o.Format.Symbol, o.Loop = pipe(t, content, true), "ACME", true })
		if s.Name() != "standard input" || s.Universe().Instrument(0).Symbol != "ACME" {
			t.Errorf("%s with %s", s.Name(), s.Universe().Instrument(0).Symbol)
		}
		if n := len(firstTicks(t, s, 5)); n < 5 {
			t.Errorf("%d ticks", n)
		}
	}
	if _, err := openSource(t, StandardInput, func(o *Options) { o.Stdin = pipe(t, twoTicks, true) }); err == nil || !strings.Contains(err.Error(), "set feed.format.symbol") {
		t.Errorf("without a symbol: %v", err)
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if _, err := openSource(t, StandardInput, func(o *Options) { o.Stdin = null }); err == nil || !strings.Contains(err.Error(), "a terminal or a device") {
		t.Errorf("a device: %v", err)
	}
}

// TestStopWhileReading: a stop ends the reading of a standard input that has no end, and of a file.
func TestStopWhileReading(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	r := pipe(t, twoTicks, false)
	if _, err := New(ctx, Options{File: StandardInput, Stdin: r}); !errors.Is(err, context.Canceled) {
		t.Errorf("standard input: %v", err)
	}
	r.Close()
	path := writeFile(t, "a.csv", "time,price\n"+strings.Repeat("2026-03-02 14:30:00,1\n", 10_000))
	if _, err := New(ctx, Options{File: path}); !errors.Is(err, context.Canceled) {
		t.Errorf("a file: %v", err)
	}
	path = writeFile(t, "b.csv", "time,price\n2026-03-02 14:30:01,1\n"+strings.Repeat("2026-03-02 14:30:00,1\n", 10_000))
	s := newSource(t, path, nil)
	if err := s.scan.sort(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("sorting: %v", err)
	}
}

// TestStopWhileSkipping: a stop ends a pass through rows that are all invalid.
func TestStopWhileSkipping(t *testing.T) {
	s := newSource(t, writeFile(t, "a.csv", twoTicks+strings.Repeat("x,x\n", 10_000)), func(o *Options) { o.OnBadRow = SkipOnBadRows })
	ctx, cancel := context.WithCancel(t.Context())
	rows, err := openRows(ctx, s.scan)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	var e entry
	for err == nil {
		err = rows.next(&e)
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// TestTemporaryFilesAreRemoved even if the process doesn't end by itself.
func TestTemporaryFilesAreRemoved(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	s := newSource(t, StandardInput, func(o *Options) { o.Stdin, o.Format.Symbol = pipe(t, twoTicks, true), "ACME" })
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "*")); len(left) > 0 {
		t.Errorf("%s is left", left)
	}
	if n := len(replayAll(t, s)); n != 2 {
		t.Errorf("%d ticks", n)
	}
}
