package replay

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"ticklane/internal/excerpt"
	"ticklane/internal/quote"
)

// layout is what detection has found out about a file; all its rows are read by it.
type layout struct {
	delimiter byte
	end       byte // of a line
	first     int  // line from which on there are rows
	names     []string
	form      string // known form of a file without header; otherwise empty
	groups    []group
	bars      bool // rows are bars with open, high, low and close; otherwise ticks
	hours     bool // the clock column has whole hours
	dates     bool // times are dates without a clock
	numbers   numberFormat
	times     timeFormat
}

// group has the columns of one row of a line. Most files have one row in a line.
type group struct {
	symbol string // empty if a column has it
	places
}

// hasTrades reports whether rows are trades, with a price and a size.
func (l *layout) hasTrades() bool { return !l.bars && l.groups[0].hasAll(colLast, colVolume) }

// detect reads the start of a file. What the settings say is not detected. The error says what is ambiguous or missing.
func detect(in *input, s *settings, now time.Time) (*layout, error) {
	sample, err := readSample(in, s.delimiter)
	if err != nil {
		return nil, err
	}
	h, err := findHeader(sample.records, s)
	if err != nil {
		return nil, inFile(in.name, err)
	}
	h.trim()
	l := &layout{delimiter: sample.delimiter, end: sample.end, names: h.names, form: h.form, first: sample.first}
	if before := len(sample.records) - len(h.rows); before > 0 {
		l.first = sample.records[before-1].line + 1
	}
	head := record{line: max(1, l.first-1)}
	if err := l.findColumns(h, s); err != nil {
		return nil, inFile(in.name, rowError(head, err))
	}
	if err := l.findSymbol(s, in.base); err != nil {
		return nil, inFile(in.name, rowError(head, err))
	}
	err = errors.Join(l.findTimes(h.rows, s, now), l.findNumbers(h.rows, s))
	if err != nil {
		return nil, inFile(in.name, err)
	}
	return l, nil
}

// inFile adds the file's name to an error.
func inFile(name string, err error) error {
	if row := (*RowError)(nil); errors.As(err, &row) {
		row.File = name
		return err
	}
	return fmt.Errorf("%s: %w", name, err)
}

// findSymbol sets the symbol of rows that have none: that of the settings, or else of the file's name.
func (l *layout) findSymbol(s *settings, base string) error {
	if s.symbol != "" {
		if len(l.groups) > 1 {
			return errors.New("feed.format.symbol is set, and each line has several symbols")
		}
		l.groups[0].symbol = s.symbol
		l.groups[0].drop(colSymbol)
		return nil
	}
	for i := range l.groups {
		g := &l.groups[i]
		if g.symbol == "" && !g.has(colSymbol) {
			g.symbol = symbolOf(base)
			if !quote.ValidSymbol(g.symbol) {
				return fmt.Errorf("there is no column for symbol, and the file's name gives %q: set feed.format.symbol, such as EURUSD: %w", excerpt.Of(g.symbol), errSymbol)
			}
		} else if g.symbol != "" && !quote.ValidSymbol(g.symbol) {
			return fmt.Errorf("symbol %q: %w", excerpt.Of(g.symbol), errSymbol)
		}
	}
	return nil
}

var errSymbol = errors.New(quote.SymbolForm)

// exportNames matches what exporters add to a symbol in a file's name.
var exportNames = regexp.MustCompile(`(?i)^(?:(?:intraday_\d+min|daily(?:_adjusted)?|weekly|monthly)_)?(.+?)(?:` + strings.Join([]string{
	`-\d+[a-z]+-\d{4}-\d{2}(?:-\d{2})?`,       // Binance
	`_(?:M|H|D|W|MN)\d*_\d+_\d+`,              // MetaTrader
	` Historical Data`,                        // investing.com
	`_(?:Candlestick_.+|Ticks)_[\d.]+-[\d.]+`, // Dukascopy
	`, \d+[a-z]*(?:_[\da-f]+)?`,               // TradingView
}, "|") + `)?(?: \(\d+\))?$`)

// histData matches a file's name of HistData.com.
var histData = regexp.MustCompile(`(?i)^DAT_[a-z]+_(.+)_(?:M1|T)(?:_[a-z]+)?_\d+$`)

// metaTraderName matches a file's name of MetaTrader 4: a currency pair and the minutes of a bar.
var metaTraderName = regexp.MustCompile(`(?i)^([a-z]{6})(?:1|5|15|30|60|240|1440|10080|43200)$`)

// symbolOf returns the symbol that a file's name gives: without extensions and what exporters add, in upper case.
func symbolOf(base string) string {
	for {
		switch ext := strings.ToLower(path.Ext(base)); ext {
		case ".csv", ".tsv", ".txt", ".gz", ".zip":
			base = base[:len(base)-len(ext)]
			continue
		}
		break
	}
	base = exportNames.ReplaceAllString(histData.ReplaceAllString(base, "$1"), "$1")
	return strings.ToUpper(metaTraderName.ReplaceAllString(base, "$1"))
}

// findNumbers detects the notation of numbers.
func (l *layout) findNumbers(rows []record, s *settings) (err error) {
	var seen notation
	l.eachNumber(rows, columnCount, seen.observe)
	if l.numbers, err = seen.decide(s, l.delimiter); err != nil {
		return err
	}
	l.numbers.single = l.hasSingles(rows)
	return nil
}

// hasSingles reports whether all prices are numbers of 32 bits, as Yahoo writes them with six decimals, or yfinance with more than a
// decimal number needs.
func (l *layout) hasSingles(rows []record) bool {
	prices, printed, shorter, exact, long := 0, 0, 0, 0, 0
	l.eachNumber(rows, firstSize, func(text string) {
		d, err := l.numbers.parse(text)
		if err != nil {
			return
		}
		prices++
		if printedSingle(d) {
			printed++
			if shorten(d) != d.needed() {
				shorter++
			}
		}
		if is, more := l.numbers.exactSingle(text); is {
			exact++
			if more {
				long++
			}
		}
	})
	return printed == prices && shorter > 0 || exact == prices && long > 0
}

// eachNumber calls f for the fields of the columns of numbers before end.
func (l *layout) eachNumber(rows []record, end column, f func(text string)) {
	for _, g := range l.groups {
		for col := firstPrice; col < end; col++ {
			if !g.has(col) {
				continue
			}
			for _, r := range rows {
				f(r.field(g.places[col]))
			}
		}
	}
}

// findTimes detects the form of times.
func (l *layout) findTimes(rows []record, s *settings, now time.Time) error {
	p := l.groups[0].places
	values := make([]string, len(rows))
	for i, r := range rows {
		values[i] = l.timeText(r.field(p[colTime]), r.field(p[colClock]))
	}
	var err error
	if l.times, err = detectTimes(values, s, now); err != nil {
		return fmt.Errorf("column %s: %w", l.names[p[colTime]], err)
	}
	l.dates = l.times.kind == serial && !slices.ContainsFunc(values, func(v string) bool { return strings.Contains(v, ".") }) ||
		l.times.kind.written() && !slices.ContainsFunc(values, func(v string) bool { return hasClock(v, l.times.kind) })
	return nil
}

// timeText returns the text of a row's time from its column and that of the clock, which is empty without one.
func (l *layout) timeText(text, clock string) string {
	switch {
	case text == "" || clock == "":
		return text
	case l.hours:
		return text + " " + clock + ":00"
	}
	return text + " " + clock
}

func hasClock(s string, kind timeKind) bool {
	c, err := parseCivil(s, kind, true)
	return err == nil && c.clock
}

// detectTimes finds the form that most times have. A date that two forms read differently, and as often, is an error with both.
func detectTimes(values []string, s *settings, now time.Time) (timeFormat, error) {
	if s.kindSet {
		f := newTimeFormat(s.kind, s.zone, now)
		f.forced = true
		return f, nil
	}
	var counts [timeKinds]int
	best := yearFirst
	for kind := range timeKinds {
		f := newTimeFormat(kind, s.zone, now)
		for _, v := range values {
			if _, err := f.parse(v); err == nil {
				counts[kind]++
			}
		}
		if counts[kind] > counts[best] {
			best = kind
		}
		if counts[yearFirst] == len(values) {
			break // no other form is better
		}
	}
	if counts[best] == 0 && len(values) > 0 {
		if _, kind, ok := epoch(values[0]); ok {
			best = kind
		}
	}
	if best == monthFirst && counts[dayFirst] == counts[monthFirst] {
		month, day := newTimeFormat(monthFirst, s.zone, now), newTimeFormat(dayFirst, s.zone, now)
		for _, v := range values {
			a, err := month.parse(v)
			b, err2 := day.parse(v)
			switch {
			case err != nil || err2 != nil || a == b:
			case strings.Contains(v, "."):
				return day, nil // dates with points have the day first
			default:
				return month, fmt.Errorf("%q is ambiguous: %s with the month first, %s with the day first. Set feed.format.date to mdy or dmy",
					v, show(a), show(b))
			}
		}
	}
	return newTimeFormat(best, s.zone, now), nil
}
