package replay

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"ticklane/internal/excerpt"
	"ticklane/internal/quote"
)

// row is a tick or a bar as the file has it.
type row struct {
	line   int
	at     int64             // µs since 1970
	symbol string            // valid until the next row is read
	texts  [textCount]string // likewise
	has    uint16            // bit col is set if the row has a value of column col
	values [columnCount]decimal
}

func (r *row) hasValue(col column) bool { return r.has&(1<<col) != 0 }

// table reads the rows of a file by its layout.
type table struct {
	*records
	*layout
	fields []string // of the current line
	group  int      // next of its groups
}

// newTable skips the lines before the first row.
func newTable(r io.Reader, name string, l *layout) (*table, error) {
	t := &table{records: newRecords(r, name, l.delimiter, l.end), layout: l, group: len(l.groups)}
	for t.line < l.first-1 {
		_, err := t.readLine()
		if bad := (*RowError)(nil); err != nil && !errors.As(err, &bad) {
			return nil, err
		}
	}
	return t, nil
}

// next reads the next row. The error is io.EOF at the end, a *RowError if the row is invalid, after which it may be called again,
// and any other error if reading the file fails.
func (t *table) next(r *row) error {
	for {
		if t.group == len(t.groups) {
			fields, err := t.records.next()
			if err != nil {
				return err
			}
			for len(fields) > len(t.names) && strings.TrimSpace(fields[len(fields)-1]) == "" {
				fields = fields[:len(fields)-1] // of a delimiter at the end of the line
			}
			if len(fields) != len(t.names) {
				return t.bad("", fmt.Errorf("%d fields, the header has %d", len(fields), len(t.names)))
			}
			t.fields, t.group = fields, 0
		}
		g := &t.groups[t.group]
		t.group++
		if len(t.groups) > 1 && t.isBlank(g) {
			continue
		}
		return t.parse(r, g)
	}
}

func (t *table) field(i int) string {
	if i < 0 {
		return ""
	}
	return strings.TrimSpace(t.fields[i])
}

// isBlank reports whether a group has no price in this line, since its symbol has no row at this time.
func (t *table) isBlank(g *group) bool {
	for col := firstPrice; col < firstSize; col++ {
		if !isNull(t.field(g.places[col])) {
			return false
		}
	}
	return true
}

// badField returns the error of a field, with the name of its column.
func (t *table) badField(g *group, col column, reason error) error {
	return t.bad(t.nameOf(g, col), reason)
}

// nameOf returns the name of a column as the file has it, or its meaning.
func (l *layout) nameOf(g *group, col column) string {
	if i := g.places[col]; i >= 0 {
		return strings.TrimSpace(l.names[i])
	}
	return col.String()
}

// parse parses the fields of a group.
func (t *table) parse(r *row, g *group) error {
	*r = row{line: t.line, symbol: g.symbol}
	if g.has(colSymbol) {
		r.symbol = t.field(g.places[colSymbol])
		if !quote.ValidSymbol(r.symbol) {
			return t.badField(g, colSymbol, fmt.Errorf("%q: want %w", excerpt.Of(r.symbol), errSymbol))
		}
		if noSymbols[r.symbol] {
			return t.badField(g, colSymbol, fmt.Errorf("%q stands for no symbol: leave the row out, or set feed.format.symbol", r.symbol))
		}
	}
	text, clock := t.field(g.places[colTime]), t.field(g.places[colClock])
	switch {
	case text == "":
		return t.badField(g, colTime, errors.New("is missing"))
	case clock == "" && g.has(colClock):
		return t.badField(g, colClock, errors.New("is missing"))
	}
	text = t.timeText(text, clock)
	var err error
	if r.at, err = t.times.parse(text); err != nil {
		return t.badField(g, colTime, fmt.Errorf("%q: %w", excerpt.Of(text), err))
	}
	for col := firstText; col < firstPrice; col++ {
		if text := t.field(g.places[col]); !isNull(text) {
			r.texts[col-firstText], r.has = text, r.has|1<<col
		}
	}
	if err := (&quote.Trade{ID: r.texts[0], Venue: r.texts[1]}).Check(); err != nil {
		return t.badText(g, err)
	}
	for col := firstPrice; col < columnCount; col++ {
		text := t.field(g.places[col])
		if text == "" || isNull(text) && !(t.bars && col.price()) {
			continue
		}
		d, err := t.number(col, text)
		if err != nil {
			return t.badField(g, col, fmt.Errorf("%q: %w", excerpt.Of(text), err))
		}
		r.values[col] = d
		r.has |= 1 << col
	}
	if t.bars {
		return t.checkBar(r, g)
	}
	return t.checkTick(r, g)
}

// badText returns the error of a trade's text.
func (t *table) badText(g *group, err error) error {
	var invalid *quote.FieldError
	if !errors.As(err, &invalid) {
		return err
	}
	if invalid.Field == "id" {
		return t.badField(g, colTradeID, errors.New(invalid.Reason))
	}
	return t.badField(g, colVenue, errors.New(invalid.Reason))
}

// noSymbols are what exporters write where they have no symbol. NA and NAN are symbols of shares.
var noSymbols = map[string]bool{"-": true, "--": true, "N/A": true, "n/a": true, "null": true, "NULL": true, "NaN": true, "nan": true, "None": true, "none": true}

func (t *table) number(col column, text string) (decimal, error) {
	d, err := t.numbers.parse(text)
	if err != nil {
		return d, err
	}
	if col.price() {
		if t.numbers.single {
			d = shorten(d)
		}
		return d, nil
	}
	if d.units < 0 {
		return d, errNegative
	}
	return d.needed(), nil
}

func (t *table) checkBar(r *row, g *group) error {
	high, low := r.values[colHigh], r.values[colLow]
	for _, col := range [...]column{colOpen, colHigh, colLow, colClose} {
		if !r.hasValue(col) {
			return t.badField(g, col, errors.New("is missing"))
		}
		price := r.values[col]
		if r.hasValue(colHigh) && price.compare(high) > 0 {
			return t.badField(g, col, fmt.Errorf("%v is above the high of %v", price, high))
		}
		if r.hasValue(colLow) && price.compare(low) < 0 {
			return t.badField(g, col, fmt.Errorf("%v is below the low of %v", price, low))
		}
	}
	return nil
}

func (t *table) checkTick(r *row, g *group) error {
	last, bid, ask := r.hasValue(colLast), r.hasValue(colBid), r.hasValue(colAsk)
	switch {
	case !last && !bid && !ask:
		return t.badField(g, colLast, errors.New("is missing, and so are bid and ask"))
	case bid && !ask && !last:
		return t.badField(g, colAsk, errors.New("is missing"))
	case ask && !bid && !last:
		return t.badField(g, colBid, errors.New("is missing"))
	case bid && ask && r.values[colBid].compare(r.values[colAsk]) > 0:
		return t.badField(g, colBid, fmt.Errorf("%v is above the ask of %v", r.values[colBid], r.values[colAsk]))
	}
	return nil
}
