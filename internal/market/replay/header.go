package replay

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// header is what the lines before the first row say.
type header struct {
	names   []string // of the columns
	symbols []string // of the columns, in a file with several symbols in a row; otherwise nil
	rows    []record // the lines after it
	form    string   // known form of a file without header; otherwise empty
	meant   []column // of the columns, if not their names say it
}

// maxPreamble is the maximum number of lines before the column names.
const maxPreamble = 10

// findHeader finds the line of column names.
func findHeader(list []record, s *settings) (*header, error) {
	if s.positions != nil {
		return positionalHeader(list, s.positions)
	}
	if h := stackedHeader(list); h != nil {
		return h, nil
	}
	for i, r := range list[:min(len(list), maxPreamble)] {
		if knownNames(r.fields, s) >= 2 {
			return &header{names: r.fields, rows: list[i+1:]}, nil
		}
		if next := i + 1; next < len(list) && len(r.fields) > 1 && len(r.fields) >= len(list[next].fields) {
			break // a title has fewer fields than what follows
		}
	}
	first := list[0]
	switch {
	case isKlines(first):
		return &header{form: "Binance klines without header", rows: list, names: klines, meant: meantBy(klines)}, nil
	case isMetaTrader(first):
		return &header{form: "MetaTrader 4 without header", rows: list, names: metaTrader, meant: meantBy(metaTrader)}, nil
	case slices.ContainsFunc(first.fields, looksLikeTime):
		return nil, rowError(first, errors.New("the first line is data and no line has column names: name the columns with "+
			"feed.format.columns, such as time,open,high,low,close,volume (a dash for those to ignore)"))
	}
	return &header{names: first.fields, rows: list[1:]}, nil
}

// trim removes columns at the end that have neither a name nor a value, of a delimiter at the end of the line.
func (h *header) trim() {
	for len(h.names) > 1 && h.meant == nil && strings.TrimSpace(h.names[len(h.names)-1]) == "" {
		last := len(h.names) - 1
		if slices.ContainsFunc(h.rows, func(r record) bool { return r.field(last) != "" }) {
			return
		}
		h.names = h.names[:last]
	}
}

func rowError(r record, err error) error {
	return &RowError{Line: r.line, Column: "header", Reason: err}
}

var (
	klines = []string{"open_time", "open", "high", "low", "close", "volume", "close_time", "quote_volume", "count", "taker_buy_volume",
		"taker_buy_quote_volume", "ignore"}
	metaTrader = []string{"date", "clock", "open", "high", "low", "close", "volume"}
)

// meantBy returns the columns that names mean.
func meantBy(names []string) []column {
	list := make([]column, len(names))
	for i, name := range names {
		col, ok := byName[name]
		if !ok {
			col = ignored
		}
		list[i] = col
	}
	return list
}

// isKlines reports whether a line is a kline of Binance: open time, prices, volume, close time and five more numbers.
func isKlines(r record) bool {
	if len(r.fields) != len(klines) {
		return false
	}
	opens, _, ok := epoch(r.field(0))
	closes, _, ok2 := epoch(r.field(6))
	return ok && ok2 && opens >= oldestNumber && closes >= opens
}

// isMetaTrader reports whether a line is a bar of MetaTrader 4: 2011.12.08,18:49,77.708,77.710,77.702,77.702,30.
func isMetaTrader(r record) bool {
	c, err := parseCivil(r.field(0)+" "+r.field(1), yearFirst, false)
	return len(r.fields) == len(metaTrader) && err == nil && c.clock && strings.Contains(r.field(0), ".")
}

// looksLikeTime reports whether a text is a time in any form.
func looksLikeTime(s string) bool {
	if _, _, ok := epoch(s); ok {
		return true
	}
	_, err := parseCivil(s, dayFirst, true)
	_, other := parseCivil(s, monthFirst, true)
	return err == nil || other == nil
}

// knownNames returns how many different meanings a line of column names has.
func knownNames(fields []string, s *settings) int {
	seen := make(map[column]bool)
	for _, name := range fields {
		if col, ok := meaningOf(name, s); ok {
			seen[col] = true
		}
	}
	return len(seen)
}

func meaningOf(name string, s *settings) (column, bool) {
	name = normalize(name)
	if col, ok := s.named[name]; ok {
		return col, true
	}
	col, ok := byName[name]
	return col, ok
}

// stackedHeader returns the header of yfinance: one line with the names of prices, one with symbols, in either order, or none, and
// one with the name of the first column only. It is nil for other files.
func stackedHeader(list []record) *header {
	for _, lines := range []int{2, 3} {
		if len(list) < lines {
			return nil
		}
		last := list[lines-1]
		if !isTimeName(normalize(last.field(0))) || strings.Join(last.fields[1:], "") != "" || !sameLength(list[:lines]) {
			continue
		}
		h := &header{names: slices.Clone(list[0].fields), rows: list[lines:]}
		if lines == 3 {
			h.symbols = list[1].fields
			if longNames(list[1].fields) > longNames(list[0].fields) {
				h.names, h.symbols = slices.Clone(list[1].fields), list[0].fields
			}
		}
		h.names[0] = last.field(0)
		return h
	}
	return nil
}

func sameLength(list []record) bool {
	return !slices.ContainsFunc(list, func(r record) bool { return len(r.fields) != len(list[0].fields) || len(r.fields) < 2 })
}

// longNames counts known names of several letters, which are no symbols.
func longNames(fields []string) (n int) {
	for _, f := range fields[1:] {
		if _, ok := byName[normalize(f)]; ok && len(f) > 1 {
			n++
		}
	}
	return n
}

// positionalHeader returns the header that the settings give. A first line without digits where numbers are to be is no row.
func positionalHeader(list []record, positions []column) (*header, error) {
	first := list[0]
	if len(first.fields) != len(positions) {
		return nil, fmt.Errorf("feed.format.columns: %d columns named, the file has %d", len(positions), len(first.fields))
	}
	h := &header{rows: list, meant: positions, form: "feed.format.columns"}
	digits := false
	for i, col := range positions {
		name := "-"
		if col != ignored {
			name = col.String()
		}
		h.names = append(h.names, name)
		digits = digits || (col == colTime || col != ignored && col.price()) && strings.ContainsAny(first.fields[i], "0123456789")
	}
	if !digits {
		h.names, h.rows = first.fields, list[1:]
	}
	return h, nil
}
