package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"ticklane/internal/market"
	"ticklane/internal/quote"
)

const (
	maxReported  = 20 // invalid rows in an error
	replaySector = "replay"
)

// progressEvery is the time after which a long reading is logged again. Tests lower it.
var progressEvery = 5 * time.Second

// scan is the result of reading a file once.
type scan struct {
	input    *input
	layout   *layout
	log      *slog.Logger
	universe *quote.Universe
	rows     int     // number of valid rows
	bad      int     // number of invalid rows
	errs     []error // of the first invalid rows, each a *RowError
	first    int64   // µs since 1970, the earliest
	last     int64   // the latest
	gap      int64   // µs, the shortest time between two rows of one symbol; 0 if none has two
	sorted   *sorter // all rows; nil if those of the file are ordered by time

	ordered bool
	newest  int64
	symbols []*symbolScan
	ids     map[string]quote.ID
	known   map[string]quote.Instrument // the simulator's, which have a name and a sector
	instant instants
}

// scanFile detects the layout of a file, reads it once and sorts its rows if they aren't ordered by time.
func scanFile(ctx context.Context, in *input, s *settings, log *slog.Logger) (*scan, error) {
	sc := &scan{input: in, log: log, ids: make(map[string]quote.ID), known: make(map[string]quote.Instrument)}
	var err error
	if sc.layout, err = detect(in, s, time.Now()); err != nil {
		return nil, err
	}
	for _, known := range market.WellKnown() {
		sc.known[known.Symbol] = known
	}
	sc.instant = instants{layout: sc.layout}
	if err := sc.read(ctx, "reading the replayed file", sc.take); err != nil {
		return nil, err
	}
	if err := in.checkWhole(); err != nil {
		return nil, err
	}
	rejected := sc.rejectPrices()
	slices.SortStableFunc(sc.errs, byLine)
	sc.errs = sc.errs[:min(len(sc.errs), maxReported)]
	if sc.rows == 0 {
		if sc.bad > 0 {
			return sc, nil // the caller reports the invalid rows
		}
		return nil, fmt.Errorf("%s has no row", in.name)
	}
	if err := sc.makeUniverse(); err != nil {
		return nil, err
	}
	if rejected {
		if err := sc.recount(ctx); err != nil {
			return nil, err
		}
	}
	if sc.ordered {
		return sc, nil
	}
	return sc, sc.sort(ctx)
}

// read calls take for each valid row. A *RowError of take counts as an invalid row.
func (s *scan) read(ctx context.Context, doing string, take func(*row) error) error {
	text, err := s.input.open()
	if err != nil {
		return err
	}
	t, err := newTable(text, s.input.name, s.layout)
	if err != nil {
		return err
	}
	s.bad, s.errs = 0, nil
	logged, started := time.Now(), time.Now()
	var r row
	for n := 1; ; n++ {
		if n%4096 == 0 {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if time.Since(logged) > progressEvery {
				logged = time.Now()
				s.log.Info(doing, "file", s.input.name, "rows", n, "percent", int(100*s.input.share()), "took", time.Since(started).Round(time.Second))
			}
		}
		err := t.next(&r)
		if err == nil {
			err = take(&r)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if bad := (*RowError)(nil); errors.As(err, &bad) {
			s.addBad(err)
		} else if err != nil {
			return err
		}
	}
}

func (s *scan) addBad(err error) {
	if s.bad++; s.bad <= maxReported {
		s.errs = append(s.errs, err)
	}
}

// take adds a row to the scan.
func (s *scan) take(r *row) error {
	id, known := s.ids[r.symbol]
	if !known {
		if len(s.symbols) == market.MaxSymbols {
			return fmt.Errorf("%s has more than %d symbols", s.input.name, market.MaxSymbols)
		}
		id = s.add(r)
	}
	gap, err := s.instant.check(r, id, s.input.name)
	if err != nil {
		return err
	}
	if gap != 0 && (s.gap == 0 || gap < s.gap) {
		s.gap = gap
	}
	symbol := s.symbols[id]
	symbol.take(r, !s.layout.groups[0].has(colLast))
	if col, bad := r.notPositive(); bad {
		symbol.reject(r, col)
	} else if !symbol.positive {
		symbol.positive = true
		symbol.firstPositive = r.reference()
	}
	s.count(r.at)
	return nil
}

// count adds a time to the range of the file's.
func (s *scan) count(at int64) {
	if s.rows == 0 {
		s.first, s.last, s.newest, s.ordered = at, at, at, true
	}
	s.first, s.last = min(s.first, at), max(s.last, at)
	s.ordered = s.ordered && at >= s.newest
	s.newest = at
	s.rows++
}

// recount finds the range of times without the rows that rejectPrices has rejected.
func (s *scan) recount(ctx context.Context) error {
	bad, errs, rows := s.bad, s.errs, s.rows
	s.rows = 0
	f := s.newFilter()
	err := s.read(ctx, "reading the replayed file again", func(r *row) error {
		var e entry
		ok, err := f.convert(r, &e)
		if ok {
			s.count(r.at)
		}
		return err
	})
	s.bad, s.errs = bad, errs
	if err == nil && s.rows != rows {
		return s.changed()
	}
	return err
}

// add adds the symbol of a row.
func (s *scan) add(r *row) quote.ID {
	id := quote.ID(len(s.symbols))
	symbol := &symbolScan{instrument: quote.Instrument{Symbol: strings.Clone(r.symbol), Sector: replaySector}}
	in := &symbol.instrument
	in.Name = in.Symbol
	if known, ok := s.known[in.Symbol]; ok {
		in.Name, in.Sector = known.Name, known.Sector
	}
	symbol.first = r.reference()
	s.ids[in.Symbol] = id
	s.symbols = append(s.symbols, symbol)
	return id
}

// rejectPrices counts the rows with prices of 0 and below as invalid, for symbols that have no negative prices, and reports whether
// there are any.
func (s *scan) rejectPrices() (rejected bool) {
	for _, symbol := range s.symbols {
		if symbol.negative {
			continue
		}
		for _, d := range symbol.rejected {
			s.errs = append(s.errs, &RowError{s.input.name, d.line, s.layout.nameOf(&s.layout.groups[0], d.col), fmt.Errorf(
				"%v: want a price above 0, since %s is never traded below", d.price, symbol.instrument.Symbol)})
		}
		n := len(symbol.rejected) + symbol.more
		s.bad += n
		s.rows -= n
		rejected = rejected || n > 0
	}
	return rejected
}

func (s *scan) makeUniverse() (err error) {
	list := make([]quote.Instrument, len(s.symbols))
	for i, symbol := range s.symbols {
		if err := symbol.finish(); err != nil {
			return fmt.Errorf("%s: %w", s.input.name, err)
		}
		list[i] = symbol.instrument
	}
	s.universe, err = quote.NewUniverse(list)
	return err
}

// length returns the duration of a row in the file's time, in µs: the length of a bar, or the mean time between two ticks.
func (s *scan) length() int64 {
	if s.layout.bars {
		const day = 24 * time.Hour
		if s.gap == 0 || s.layout.dates && s.gap < 7*day.Microseconds() { // a Friday and a Monday
			return day.Microseconds()
		}
		return s.gap
	}
	if s.last == s.first {
		return time.Second.Microseconds()
	}
	return max(1, (s.last-s.first)/int64(s.rows-1))
}

// instants finds rows of one symbol at one instant, which is possible only for ticks with a clock.
type instants struct {
	layout *layout
	times  []int64 // of each symbol's previous row
	lines  []int   // 0 if there is none
}

// check returns the time since the symbol's previous row, 0 if there is none.
func (n *instants) check(r *row, id quote.ID, name string) (gap int64, err error) {
	for int(id) >= len(n.times) {
		n.times, n.lines = append(n.times, 0), append(n.lines, 0)
	}
	before, line := n.times[id], n.lines[id]
	n.times[id], n.lines[id] = r.at, r.line
	if line == 0 {
		return 0, nil
	}
	if before == r.at && (n.layout.bars || n.layout.dates) {
		return 0, &RowError{name, r.line, n.layout.names[n.layout.groups[0].places[colTime]], fmt.Errorf(
			"the same time as the row before of %s, in line %d%s", r.symbol, line, n.layout.clockHint())}
	}
	return int64(magnitude(r.at - before)), nil
}

// clockHint names the columns that may have the clock.
func (l *layout) clockHint() string {
	unused := l.ignored()
	if !l.dates || len(unused) == 0 {
		return ""
	}
	return fmt.Sprintf(": if a column has its clock (unused are %s), set feed.format.columns to NAME=clock", strings.Join(unused, ", "))
}
