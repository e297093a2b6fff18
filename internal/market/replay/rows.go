package replay

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// rows iterates over the rows of one pass through a file, ordered by time. next returns io.EOF after the last row.
type rows interface {
	next(*row) error
	close()
}

// fileRows reads the valid rows of a file that was scanned before.
type fileRows struct {
	file  *os.File
	table *table
	scan  *scan
}

func openRows(s *scan) (*fileRows, error) {
	f, err := os.Open(s.path)
	if err != nil {
		return nil, err
	}
	t, err := newTable(f, s.path)
	if err != nil {
		f.Close()
		return nil, err
	}
	return &fileRows{file: f, table: t, scan: s}, nil
}

// next returns an error for a symbol that the file didn't have when it was scanned.
func (f *fileRows) next(r *row) error {
	for {
		err := f.table.next(r)
		if bad := (*RowError)(nil); errors.As(err, &bad) {
			continue // the scan has reported it
		}
		if err != nil {
			return err
		}
		id, known := f.scan.universe.Lookup(r.ticker)
		if !known {
			return fmt.Errorf("%s has changed since the start: line %d has a new symbol %s", f.table.file, f.table.line, r.ticker)
		}
		r.id = id
		return nil
	}
}

func (f *fileRows) close() { f.file.Close() }

// sortedRows are the rows of an unordered file, sorted and kept in memory.
type sortedRows struct{ rest []row }

func (s *sortedRows) next(r *row) error {
	if len(s.rest) == 0 {
		return io.EOF
	}
	*r = s.rest[0]
	s.rest = s.rest[1:]
	return nil
}

func (s *sortedRows) close() {}
