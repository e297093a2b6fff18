package replay

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// assignment is what the names of columns mean, before their values decide what names leave open.
type assignment struct {
	places
	times, clocks []int // columns that may have the time, or its clock
	tickVolume, v int   // −1 if there is none
}

// findColumns assigns meanings to the columns by their names, and by their values where names leave it open.
func (l *layout) findColumns(h *header, s *settings) error {
	symbols := h.symbols
	var wide []string // different symbols
	for i := 1; i < len(symbols); i++ {
		if name := strings.TrimSpace(symbols[i]); name != "" && !slices.Contains(wide, name) {
			wide = append(wide, name)
		}
	}
	if len(wide) == 0 {
		wide = []string{""}
	}
	for _, symbol := range wide {
		a, err := assign(h, s, func(i int) bool { return i == 0 || symbol == "" || strings.TrimSpace(symbols[i]) == symbol })
		if err != nil {
			return err
		}
		if err := l.findTime(h, a, s); err != nil {
			return err
		}
		if err := l.findPrices(h, a); err != nil {
			return err
		}
		l.groups = append(l.groups, group{symbol, a.places})
	}
	return l.checkVolume(h, s)
}

// assign assigns meanings by name to the columns for which of returns true.
func assign(h *header, s *settings, of func(i int) bool) (*assignment, error) {
	a := &assignment{places: noPlaces(), tickVolume: -1, v: -1}
	for i, name := range h.names {
		if !of(i) {
			continue
		}
		col, ok := meaningOf(name, s)
		if h.meant != nil {
			col, ok = h.meant[i], true
		}
		if !ok || col == ignored {
			continue
		}
		switch col {
		case colTime:
			a.times = append(a.times, i)
		case colClock:
			a.clocks = append(a.clocks, i)
		case colTickVolume:
			a.tickVolume = i
		case colV:
			a.v = i
		default:
			if other := a.places[col]; other >= 0 {
				return nil, bothMean(other, i, col)
			}
			a.places[col] = i
		}
	}
	return a, nil
}

// findTime selects the columns of date and clock.
func (l *layout) findTime(h *header, a *assignment, s *settings) error {
	if len(a.times) == 0 {
		return fmt.Errorf("no column for time (%s): feed.format.columns can name it, such as Session=time", strings.Join(synonyms[colTime][:6], ", "))
	}
	var full, clocks []int // by their values
	for _, i := range a.times {
		if len(a.times) > 1 && most(h.rows, i, isClock) {
			clocks = append(clocks, i)
		} else {
			full = append(full, i)
		}
	}
	if len(full) == 0 {
		return fmt.Errorf("column %s has no date", h.names[a.times[0]])
	}
	a.places[colTime] = full[0]
	for _, i := range full[1:] {
		if len(h.rows) == 0 || slices.ContainsFunc(h.rows, func(r record) bool { return !sameTime(r.field(full[0]), r.field(i)) }) {
			return bothMean(full[0], i, colTime)
		}
	}
	clocks = append(clocks, a.clocks...)
	if !most(h.rows, full[0], isDate) {
		return nil
	}
	if len(clocks) == 0 { // a column of another name
		for i := range h.names {
			_, known := meaningOf(h.names[i], s)
			if !known && h.meant == nil && most(h.rows, i, isWrittenClock) {
				clocks = append(clocks, i)
			}
		}
	}
	switch {
	case len(clocks) > 1:
		return bothMean(clocks[0], clocks[1], colClock)
	case len(clocks) == 1 && most(h.rows, clocks[0], isHour):
		l.hours = true
		fallthrough
	case len(clocks) == 1 && (l.hours || most(h.rows, clocks[0], isClock)):
		a.places[colClock] = clocks[0]
	case len(clocks) == 1:
		return fmt.Errorf("column %s has no clock such as 14:30", h.names[clocks[0]])
	}
	return nil
}

// all reports whether a column has only values that ok accepts.
func all(rows []record, i int, ok func(string) bool) bool {
	return !slices.ContainsFunc(rows, func(r record) bool { return !ok(r.field(i)) })
}

// most reports whether ok accepts more than half of the values of a column.
func most(rows []record, i int, ok func(string) bool) bool {
	good, values := 0, 0
	for _, r := range rows {
		if v := r.field(i); v != "" {
			values++
			if ok(v) {
				good++
			}
		}
	}
	return 2*good > values
}

// isClock reports whether s is a time of day, such as 14:30, 2:30 PM or 143000.
func isClock(s string) bool {
	var t civil
	c := cursor{s}
	return t.readClock(&c) && c.end() && t.hour < 24 && t.minute < 60 && t.second < 60
}

func isWrittenClock(s string) bool { return strings.Contains(s, ":") && isClock(s) }

// isHour reports whether s is a whole hour without minutes.
func isHour(s string) bool {
	c := cursor{s}
	n, length := c.digits(2)
	return length > 0 && c.end() && n < 24
}

// isDate reports whether s is a date without a clock, in any form.
func isDate(s string) bool {
	for _, kind := range []timeKind{dayFirst, monthFirst} {
		if c, err := parseCivil(s, kind, true); err == nil {
			return !c.clock
		}
	}
	return false
}

// sameTime reports whether two texts are the same time in two forms.
func sameTime(a, b string) bool {
	x, ok := anyTime(a)
	y, ok2 := anyTime(b)
	return ok && ok2 && x == y
}

func anyTime(s string) (at int64, ok bool) {
	if at, _, ok := epoch(s); ok {
		return at, true
	}
	c, err := parseCivil(s, yearFirst, false)
	return (c.seconds()-int64(c.offset))*1_000_000 + int64(c.micro), err == nil
}

// findPrices finds out whether the file has bars or ticks, and what the columns of volumes are.
func (l *layout) findPrices(h *header, a *assignment) error {
	p := &a.places
	if p.hasAll(colOpen, colHigh, colLow) && !p.has(colClose) { // investing.com names the close Price
		p[colClose], p[colLast] = p[colLast], -1
	}
	l.bars = p.hasAll(colOpen, colHigh, colLow, colClose)
	if l.bars {
		p.drop(colBid, colAsk, colBidSize, colAskSize, colLast, colDayVolume)
		if a.v >= 0 {
			if p.has(colVolume) {
				return bothMean(p[colVolume], a.v, colVolume)
			}
			p[colVolume] = a.v
		}
	} else {
		if !p.has(colLast) { // a file with closing prices only
			p[colLast] = p[colClose]
		}
		p.drop(colOpen, colHigh, colLow, colClose)
		if !p.has(colLast) && !p.hasAll(colBid, colAsk) {
			return errors.New("want bars (open, high, low, close) or ticks (last or price, or bid and ask)")
		}
		if err := findV(h, a); err != nil {
			return err
		}
	}
	defer func() {
		if l.bars || !p.hasAll(colLast, colVolume) { // no trades
			p.drop(colTradeID, colVenue)
		}
	}()
	if a.tickVolume >= 0 && (!p.has(colVolume) || all(h.rows, p[colVolume], isZero) && !all(h.rows, a.tickVolume, isZero)) {
		p[colVolume] = a.tickVolume
	}
	if !p.has(colSymbol) || normalize(h.names[p[colSymbol]]) != "s" || len(h.rows) == 0 {
		return nil
	}
	if l.bars && all(h.rows, p[colSymbol], func(s string) bool { return s == "ok" }) { // the status of a Finnhub answer
		p.drop(colSymbol)
		return nil
	}
	if all(h.rows, p[colSymbol], isNumber) {
		return fmt.Errorf("column %s has numbers only: symbols or sizes? Set feed.format.columns to s=symbol or s=volume", h.names[p[colSymbol]])
	}
	return nil
}

// findV decides what a column named v of ticks is. Beside quotes it is the volume of the day, as in this server's own messages; in
// trades of Finnhub (s, p, t, v) that of the trade.
func findV(h *header, a *assignment) error {
	p := &a.places
	switch {
	case a.v < 0 || p.has(colDayVolume):
	case p.has(colBid) || p.has(colAsk):
		p[colDayVolume] = a.v
	case p.has(colVolume):
		return bothMean(p[colVolume], a.v, colVolume)
	case p.has(colSymbol) && normalize(h.names[p[colSymbol]]) == "s" && normalize(h.names[p[colLast]]) == "p":
		p[colVolume] = a.v
	default:
		return errors.New("column v: the volume of the trade, or of the day so far? Set feed.format.columns to v=volume or v=day_volume")
	}
	return nil
}

func isZero(s string) bool { return s == "" || strings.Trim(s, "0.,") == "" }

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789.") == "" }

// checkVolume returns an error if there is no volume, and a column that may be it.
func (l *layout) checkVolume(h *header, s *settings) error {
	for _, g := range l.groups {
		if g.has(colVolume) || g.has(colDayVolume) {
			return nil
		}
	}
	if h.meant != nil {
		return nil
	}
	for _, name := range h.names {
		plain := normalize(name)
		if col, named := s.named[plain]; named && col == ignored || !strings.Contains(plain, "vol") || strings.Contains(plain, "volat") {
			continue
		}
		return fmt.Errorf("column %s isn't used: is it the volume? Set feed.format.columns to '%[1]s=volume', or to '%[1]s=-' to ignore it", strings.TrimSpace(name))
	}
	return nil
}
