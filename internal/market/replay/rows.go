package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// rows iterates over the valid rows of one pass through a file, ordered by time. next returns io.EOF after the last row.
type rows interface{ next(*entry) error }

// filter converts the rows of a pass that the scan has accepted.
type filter struct {
	scan    *scan
	instant instants
}

func (s *scan) newFilter() *filter { return &filter{s, instants{layout: s.layout}} }

func (s *scan) changed() error {
	return fmt.Errorf("%s has changed since the start: restart the server", s.input.name)
}

// convert stores a row in e. ok is false if the scan has rejected it. The error means that the file has changed.
func (f *filter) convert(r *row, e *entry) (ok bool, err error) {
	id, known := f.scan.ids[r.symbol]
	if !known {
		return false, fmt.Errorf("%w: line %d has a new symbol %s", f.scan.changed(), r.line, r.symbol)
	}
	if _, err := f.instant.check(r, id, f.scan.input.name); err != nil {
		return false, nil
	}
	in := f.scan.universe.Instrument(id)
	if _, bad := r.notPositive(); bad && !in.Negative {
		return false, nil
	}
	*e = entry{at: r.at, line: r.line, id: id, has: r.has}
	for col := firstText; col < firstPrice; col++ {
		if r.hasValue(col) {
			e.setText(col, strings.Clone(r.texts[col-firstText]))
		}
	}
	for col := firstPrice; col < columnCount; col++ {
		if !r.hasValue(col) {
			continue
		}
		decimals := in.Decimals
		if col.size() {
			decimals = in.SizeDecimals
		}
		units, ok := r.values[col].scaled(decimals)
		if !ok {
			return false, fmt.Errorf("%w: line %d has a number with more digits", f.scan.changed(), r.line)
		}
		e.values[col-firstPrice] = units
	}
	return true, nil
}

// fileRows reads the rows of a file that is ordered by time.
type fileRows struct {
	ctx    context.Context
	table  *table
	filter *filter
	count  int
	last   int64 // time of the previous row
}

func openRows(ctx context.Context, s *scan) (*fileRows, error) {
	if err := s.input.checkUnchanged(); err != nil {
		return nil, err
	}
	text, err := s.input.open()
	if err != nil {
		return nil, err
	}
	t, err := newTable(text, s.input.name, s.layout)
	if err != nil {
		return nil, err
	}
	return &fileRows{ctx: ctx, table: t, filter: s.newFilter(), last: s.first}, nil
}

// next returns an error if the rows are others than those that were scanned.
func (f *fileRows) next(e *entry) error {
	var r row
	for n := 1; ; n++ {
		if n%4096 == 0 && f.ctx.Err() != nil {
			return f.ctx.Err()
		}
		err := f.table.next(&r)
		if bad := (*RowError)(nil); errors.As(err, &bad) {
			continue // the scan has reported it
		}
		if errors.Is(err, io.EOF) && f.count != f.filter.scan.rows {
			return f.filter.scan.changed()
		}
		if err != nil {
			return err
		}
		ok, err := f.filter.convert(&r, e)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if f.count++; e.at < f.last || f.count > f.filter.scan.rows {
			return f.filter.scan.changed()
		}
		f.last = e.at
		return nil
	}
}

// sortedRows reads the rows of a file that was sorted.
type sortedRows struct {
	merged  *mergedRows
	scan    *scan
	instant instants
}

func openSorted(s *scan) (*sortedRows, error) {
	merged, err := s.sorted.open()
	return &sortedRows{merged, s, instants{layout: s.layout}}, err
}

func (r *sortedRows) next(e *entry) error {
	for {
		if err := r.merged.next(e); err != nil {
			return err
		}
		if _, err := r.instant.check(r.scan.rowOf(e), e.id, ""); err == nil {
			return nil
		}
	}
}

// rowOf returns the part of a row that shows which one it is.
func (s *scan) rowOf(e *entry) *row {
	return &row{at: e.at, line: e.line, symbol: s.universe.Instrument(e.id).Symbol}
}
