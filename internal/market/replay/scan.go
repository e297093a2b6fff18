package replay

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
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

// maxSortedRows is the maximum number of rows kept in memory if the file is not ordered. Tests lower it.
var maxSortedRows = 2_000_000

// scan is the result of reading a file once.
type scan struct {
	path     string
	universe *quote.Universe
	bars     bool
	rows     int     // number of valid rows
	bad      int     // number of invalid rows
	errs     []error // of the first invalid rows
	first    int64   // µs since 1970, the earliest
	last     int64   // the latest
	gap      int64   // µs, the shortest time between two rows of one symbol; 0 if none has two
	sorted   []row   // all rows ordered by time; nil if those of the file are

	ordered bool
	newest  int64
	symbols []quote.Instrument
	ids     map[string]quote.ID
	known   map[string]quote.Instrument // the simulator's, which have a name and a sector
	times   []int64                     // of each symbol's previous row
}

func scanFile(path string) (*scan, error) {
	s := &scan{path: path, ordered: true, ids: make(map[string]quote.ID), known: make(map[string]quote.Instrument)}
	for _, symbol := range market.WellKnown() {
		s.known[symbol.Symbol] = symbol
	}
	if err := s.read(s.take); err != nil {
		return nil, err
	}
	if s.rows == 0 {
		if s.bad > 0 {
			return s, nil // the caller reports the invalid rows
		}
		return nil, fmt.Errorf("%s has no row", path)
	}
	var err error
	if s.universe, err = quote.NewUniverse(s.symbols); err != nil {
		return nil, err
	}
	if s.ordered {
		return s, nil
	}
	if s.rows > maxSortedRows {
		return nil, fmt.Errorf("%s: %d rows that are not in order of time: sort them, or give at most %d", path, s.rows, maxSortedRows)
	}
	return s, s.sort()
}

// read calls take for each valid row and counts the invalid ones.
func (s *scan) read(take func(*row) error) error {
	f, err := os.Open(s.path)
	if err != nil {
		return err
	}
	defer f.Close()
	t, err := newTable(f, s.path)
	if err != nil {
		return err
	}
	s.bars = t.bars
	s.bad, s.errs = 0, nil
	var r row
	for {
		err := t.next(&r)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if bad := (*RowError)(nil); errors.As(err, &bad) {
			if s.bad++; s.bad <= maxReported {
				s.errs = append(s.errs, err)
			}
			continue
		}
		if err != nil {
			return err
		}
		if err := take(&r); err != nil {
			return err
		}
	}
}

// take adds a row to the scan.
func (s *scan) take(r *row) error {
	id, known := s.ids[r.ticker]
	if !known {
		if len(s.symbols) == market.MaxSymbols {
			return fmt.Errorf("%s has more than %d symbols", s.path, market.MaxSymbols)
		}
		id = s.add(r)
	}
	if gap := r.at - s.times[id]; known && gap != 0 {
		gap = max(gap, -gap)
		if s.gap == 0 || gap < s.gap {
			s.gap = gap
		}
	}
	s.times[id] = r.at
	if s.rows == 0 {
		s.first, s.last, s.newest = r.at, r.at, r.at
	}
	s.first, s.last = min(s.first, r.at), max(s.last, r.at)
	s.ordered = s.ordered && r.at >= s.newest
	s.newest = r.at
	s.rows++
	return nil
}

// add adds the symbol of a row.
func (s *scan) add(r *row) quote.ID {
	id := quote.ID(len(s.symbols))
	symbol := quote.Instrument{Symbol: strings.Clone(r.ticker), Sector: replaySector, Decimals: decimals, Price: r.price()}
	symbol.Name = symbol.Symbol
	s.ids[symbol.Symbol] = id
	if known, ok := s.known[symbol.Symbol]; ok {
		symbol.Name, symbol.Sector = known.Name, known.Sector
	}
	s.symbols = append(s.symbols, symbol)
	s.times = append(s.times, r.at)
	return id
}

// price returns the first price of a row.
func (r *row) price() quote.Price {
	switch {
	case r.open > 0:
		return r.open
	case r.last > 0:
		return r.last
	}
	return (r.bid + r.ask) / 2
}

// sort reads the file again and keeps its rows, ordered by time.
func (s *scan) sort() error {
	s.sorted = make([]row, 0, s.rows)
	err := s.read(func(r *row) error {
		id, known := s.ids[r.ticker]
		if !known || len(s.sorted) == s.rows {
			return fmt.Errorf("%s has changed while it was read", s.path)
		}
		r.id = id
		kept := *r
		kept.ticker = s.symbols[id].Symbol // r.ticker would keep the whole line in memory
		s.sorted = append(s.sorted, kept)
		return nil
	})
	slices.SortStableFunc(s.sorted, func(a, b row) int { return cmp.Compare(a.at, b.at) })
	return err
}

// length returns the duration of a row in the file's time, in µs: the length of a bar, or the mean time between two ticks.
func (s *scan) length() int64 {
	if s.bars {
		if s.gap > 0 {
			return s.gap
		}
		return (24 * time.Hour).Microseconds()
	}
	if s.last == s.first {
		return time.Second.Microseconds()
	}
	return max(1, (s.last-s.first)/int64(s.rows-1))
}
