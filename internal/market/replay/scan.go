package replay

import (
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
	maxToldRows   = 20        // bad rows that are named
	maxSortedRows = 2_000_000 // rows that are held when a file is not in order
	replaySector  = "replay"
)

// scan is what a file holds, learnt from reading it once.
type scan struct {
	path     string
	universe *quote.Universe
	bars     bool
	rows     int     // good ones
	bad      int     // bad ones
	errs     []error // of the first bad ones
	first    int64   // µs since 1970, the earliest
	last     int64   // the latest
	gap      int64   // µs, the least between two rows of one symbol; 0 when there is none
	sorted   []row   // all rows in order, when those of the file are not

	ordered bool
	newest  int64
	symbols []quote.Symbol
	ids     map[string]quote.ID
	times   []int64 // of each symbol's row before
}

func scanFile(path string) (*scan, error) {
	s := &scan{path: path, ordered: true, ids: make(map[string]quote.ID)}
	if err := s.read(s.take); err != nil {
		return nil, err
	}
	if s.rows == 0 {
		if s.bad > 0 {
			return s, nil // the bad rows say why
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

// read calls take for each good row and counts the bad ones.
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
			if s.bad++; s.bad <= maxToldRows {
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

func (s *scan) add(r *row) quote.ID {
	id := quote.ID(len(s.symbols))
	symbol := quote.Symbol{Ticker: strings.Clone(r.ticker), Sector: replaySector, Price: r.price()}
	symbol.Name = symbol.Ticker
	s.ids[symbol.Ticker] = id
	for _, known := range market.WellKnown() {
		if known.Ticker == symbol.Ticker {
			symbol.Name, symbol.Sector = known.Name, known.Sector
		}
	}
	s.symbols = append(s.symbols, symbol)
	s.times = append(s.times, r.at)
	return id
}

// price is the first price that a row tells.
func (r *row) price() quote.Price {
	switch {
	case r.open > 0:
		return r.open
	case r.last > 0:
		return r.last
	}
	return (r.bid + r.ask) / 2
}

func (s *scan) sort() error {
	s.sorted = make([]row, 0, s.rows)
	err := s.read(func(r *row) error {
		id, known := s.ids[r.ticker]
		if !known || len(s.sorted) == s.rows {
			return fmt.Errorf("%s has changed while it was read", s.path)
		}
		r.id = id
		held := *r
		held.ticker = s.symbols[id].Ticker // the row's own would keep its whole line
		s.sorted = append(s.sorted, held)
		return nil
	})
	slices.SortStableFunc(s.sorted, func(a, b row) int {
		switch {
		case a.at < b.at:
			return -1
		case a.at > b.at:
			return 1
		}
		return 0
	})
	return err
}

// length is how long a row lasts, in µs of the file's time: a bar's span, and for ticks the mean time between
// two of them.
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
