package replay

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strings"

	"ticklane/internal/quote"
)

// maxLine is the maximum size of a line in bytes; it limits the memory used for a file that isn't CSV.
const maxLine = 64 << 10

// RowError reports an invalid row of a file: "data/prices.csv:17: bid: …".
type RowError struct {
	File   string
	Line   int    // 1 is the header's
	Column string // empty if the error concerns the whole line
	Reason error
}

func (e *RowError) Error() string {
	if e.Column == "" {
		return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Reason)
	}
	return fmt.Sprintf("%s:%d: %s: %v", e.File, e.Line, e.Column, e.Reason)
}

func (e *RowError) Unwrap() error { return e.Reason }

// row is a tick or a bar.
type row struct {
	at               int64 // µs since 1970
	ticker           string
	id               quote.ID    // set by the reader that knows the universe
	bid, ask, last   quote.Price // of a tick; 0 if absent
	bidSize, askSize quote.Size  // 0 if absent
	open, high, low  quote.Price // of a bar; its close is last
	volume           quote.Size  // shares traded in the row
	dayVolume        quote.Size  // shares traded in the day so far; −1 if absent
}

// table reads a CSV file row by row. Fields don't span lines, so that a stray quotation mark invalidates one row and not the
// rest of the file.
type table struct {
	columns
	file   string // its path, as it was given
	ticker string // of every row, if the file has no symbol column
	lines  *bufio.Reader
	line   int
	text   bytes.Reader  // the current line
	buffer *bufio.Reader // between text and fields; reset for each line
	fields *csv.Reader
	times  timeParser
}

// newTable reads the header. Errors contain the file and the line.
func newTable(r io.Reader, file string) (*table, error) {
	t := &table{file: file, lines: bufio.NewReaderSize(r, maxLine)}
	t.buffer = bufio.NewReaderSize(&t.text, 4096)
	t.fields = csv.NewReader(t.buffer) // uses the buffer itself, since it is large enough
	t.fields.ReuseRecord = true
	t.fields.TrimLeadingSpace = true
	t.fields.FieldsPerRecord = -1
	names, err := t.record()
	if errors.Is(err, io.EOF) {
		return nil, &RowError{File: t.file, Line: 1, Reason: errors.New("the file is empty; want a line of column names")}
	}
	if err != nil {
		return nil, err
	}
	if t.columns, err = parseHeader(names); err != nil {
		return nil, &RowError{File: t.file, Line: t.line, Column: "header", Reason: err}
	}
	t.fields.FieldsPerRecord = len(names)
	if !t.has(colSymbol) {
		name := filepath.Base(file)
		t.ticker = strings.ToUpper(strings.TrimSuffix(name, filepath.Ext(name)))
		if !quote.ValidSymbol(t.ticker) {
			return nil, &RowError{File: t.file, Line: t.line, Column: "header", Reason: fmt.Errorf(
				"there is no column for symbol, and the file's name gives %q: %w", clip(t.ticker), errTicker)}
		}
	}
	return t, nil
}

var errTicker = errors.New("want a symbol of " + quote.SymbolForm)

// record returns the fields of the next line that isn't blank, valid until the next call.
func (t *table) record() ([]string, error) {
	for {
		line, err := t.readLine()
		if err != nil {
			return nil, err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		t.text.Reset(line)
		t.buffer.Reset(&t.text)
		fields, err := t.fields.Read()
		if errors.Is(err, csv.ErrFieldCount) {
			return nil, t.bad("", fmt.Errorf("%d fields, the header has %d", len(fields), t.fields.FieldsPerRecord))
		}
		if parse := (*csv.ParseError)(nil); errors.As(err, &parse) {
			return nil, t.bad("", parse.Err)
		}
		if err != nil {
			return nil, t.bad("", err)
		}
		return fields, nil
	}
}

// readLine returns the next line, valid until the next call.
func (t *table) readLine() ([]byte, error) {
	line, err := t.lines.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		t.line++
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = t.lines.ReadSlice('\n')
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, t.failed(err)
		}
		return nil, t.bad("", fmt.Errorf("the line is longer than %d bytes", maxLine))
	case len(line) == 0 && errors.Is(err, io.EOF):
		return nil, io.EOF
	case err != nil && !errors.Is(err, io.EOF):
		return nil, t.failed(err)
	}
	t.line++
	if t.line == 1 {
		line = bytes.TrimPrefix(line, []byte("\ufeff"))
	}
	return line, nil
}

// failed returns the error of a failed read of the file.
func (t *table) failed(err error) error {
	return fmt.Errorf("read %s after line %d: %w", t.file, t.line, err)
}

// bad returns the RowError of the current line.
func (t *table) bad(column string, reason error) error {
	return &RowError{File: t.file, Line: t.line, Column: column, Reason: reason}
}

// next reads a row. It returns io.EOF after the last row, a *RowError for an invalid row, after which it may be called again,
// and any other error if reading the file fails.
func (t *table) next(r *row) error {
	fields, err := t.record()
	if err != nil {
		return err
	}
	*r = row{ticker: t.ticker, dayVolume: -1}
	if t.has(colSymbol) {
		r.ticker = field(fields, t.index[colSymbol])
		if !quote.ValidSymbol(r.ticker) {
			return t.bad("symbol", fmt.Errorf("%q: %w", clip(r.ticker), errTicker))
		}
	}
	for _, col := range [...]column{colTime, colBid, colAsk, colBidSize, colAskSize, colLast, colVolume, colDayVolume,
		colOpen, colHigh, colLow, colClose} {
		text := field(fields, t.index[col])
		if text == "" {
			continue
		}
		if err := t.set(r, col, text); err != nil {
			return t.bad(col.String(), fmt.Errorf("%q: %w", clip(text), err))
		}
	}
	if field(fields, t.index[colTime]) == "" {
		return t.bad("time", errors.New("is missing"))
	}
	if t.bars {
		return t.checkBar(r)
	}
	return t.checkTick(r)
}

// field returns the field at an index of columns, empty if the file doesn't have the column.
func field(fields []string, index int) string {
	if index < 0 {
		return ""
	}
	return strings.TrimSpace(fields[index])
}

// set parses a field into r.
func (t *table) set(r *row, col column, text string) (err error) {
	switch col {
	case colTime:
		r.at, err = t.times.parse(text)
	case colBid:
		r.bid, err = parsePrice(text)
	case colAsk:
		r.ask, err = parsePrice(text)
	case colBidSize:
		r.bidSize, err = parseShares(text, math.MaxInt32)
	case colAskSize:
		r.askSize, err = parseShares(text, math.MaxInt32)
	case colVolume:
		r.volume, err = parseShares(text, maxShares)
	case colDayVolume:
		r.dayVolume, err = parseShares(text, maxShares)
	case colOpen:
		r.open, err = parsePrice(text)
	case colHigh:
		r.high, err = parsePrice(text)
	case colLow:
		r.low, err = parsePrice(text)
	case colLast, colClose:
		r.last, err = parsePrice(text)
	}
	return err
}

func (t *table) checkBar(r *row) error {
	for _, c := range [...]struct {
		col   column
		price quote.Price
	}{{colOpen, r.open}, {colHigh, r.high}, {colLow, r.low}, {colClose, r.last}} {
		if c.price == 0 {
			return t.bad(c.col.String(), errors.New("is missing"))
		}
		if c.price > r.high && r.high > 0 {
			return t.bad(c.col.String(), fmt.Errorf("%s is above the high of %s", c.price.Format(decimals), r.high.Format(decimals)))
		}
		if c.price < r.low {
			return t.bad(c.col.String(), fmt.Errorf("%s is below the low of %s", c.price.Format(decimals), r.low.Format(decimals)))
		}
	}
	return nil
}

func (t *table) checkTick(r *row) error {
	switch {
	case r.last == 0 && r.bid == 0 && r.ask == 0:
		return t.bad("last", errors.New("is missing, and so are bid and ask"))
	case r.bid != 0 && r.ask == 0 && r.last == 0:
		return t.bad("ask", errors.New("is missing"))
	case r.ask != 0 && r.bid == 0 && r.last == 0:
		return t.bad("bid", errors.New("is missing"))
	case r.bid > r.ask && r.ask != 0:
		return t.bad("bid", fmt.Errorf("%s is above the ask of %s", r.bid.Format(decimals), r.ask.Format(decimals)))
	}
	return nil
}

// clip bounds the part of the file's text that an error repeats.
func clip(s string) string {
	const limit = 40
	if len(s) > limit {
		return s[:limit] + "…"
	}
	return s
}
