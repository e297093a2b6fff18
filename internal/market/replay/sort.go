package replay

import (
	"bufio"
	"cmp"
	"container/heap"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"

	"ticklane/internal/quote"
)

// maxInMemory is the number of rows that are sorted in memory, some 30 MB. Tests lower it.
var maxInMemory = 1 << 18

// valueCount is the number of prices and sizes of a row.
const valueCount = columnCount - firstPrice

// textCount is the number of texts of a row.
const textCount = firstPrice - firstText

// entry is a row in units of its instrument.
type entry struct {
	at     int64 // µs since 1970
	line   int
	id     quote.ID
	has    uint16 // as in row
	values [valueCount]int64
	texts  *[textCount]string // of a trade; nil if it has none
}

func (e *entry) hasValue(col column) bool     { return e.has&(1<<col) != 0 }
func (e *entry) price(col column) quote.Price { return quote.Price(e.values[col-firstPrice]) }
func (e *entry) sizeOf(col column) quote.Size { return quote.Size(e.values[col-firstPrice]) }

// text returns a text of the row's trade, empty if it has none.
func (e *entry) text(col column) string {
	if e.texts == nil {
		return ""
	}
	return e.texts[col-firstText]
}

func (e *entry) setText(col column, text string) {
	if e.texts == nil {
		e.texts = new([textCount]string)
	}
	e.texts[col-firstText] = text
}

func (e *entry) appendTo(b []byte) []byte {
	b = binary.AppendVarint(b, e.at)
	b = binary.AppendUvarint(b, uint64(e.line))
	b = binary.AppendUvarint(b, uint64(e.id))
	b = binary.AppendUvarint(b, uint64(e.has))
	for col := firstText; col < firstPrice; col++ {
		if e.hasValue(col) {
			text := e.text(col)
			b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
		}
	}
	for col := firstPrice; col < columnCount; col++ {
		if e.hasValue(col) {
			b = binary.AppendVarint(b, e.values[col-firstPrice])
		}
	}
	return b
}

// read reads what appendTo has written. The error is io.EOF at the end.
func (e *entry) read(r *bufio.Reader) (err error) {
	*e = entry{}
	if e.at, err = binary.ReadVarint(r); err != nil {
		return err
	}
	var head [3]uint64
	for i := range head {
		if head[i], err = binary.ReadUvarint(r); err != nil {
			return err
		}
	}
	e.line, e.id, e.has = int(head[0]), quote.ID(head[1]), uint16(head[2])
	for col := firstText; col < firstPrice; col++ {
		if !e.hasValue(col) {
			continue
		}
		n, err := binary.ReadUvarint(r)
		if err != nil {
			return err
		}
		text := make([]byte, n)
		if _, err := io.ReadFull(r, text); err != nil {
			return err
		}
		e.setText(col, string(text))
	}
	for col := firstPrice; col < columnCount; col++ {
		if e.hasValue(col) {
			if e.values[col-firstPrice], err = binary.ReadVarint(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// sorter sorts entries by time; those of one time keep their order. Beyond maxInMemory it writes sorted runs to a temporary file,
// which are merged when they are read.
type sorter struct {
	memory []entry // all, or those after the last run
	runs   [][2]int64
	file   *os.File // nil without runs
	size   int64
}

func (s *sorter) where() string {
	if s.file == nil {
		return "in memory"
	}
	return fmt.Sprintf("in a temporary file of %d MB", (s.size+999_999)/1_000_000)
}

func (s *sorter) add(e entry) error {
	if len(s.memory) == maxInMemory {
		if err := s.writeRun(); err != nil {
			return err
		}
	}
	s.memory = append(s.memory, e)
	return nil
}

func (s *sorter) sortMemory() {
	slices.SortStableFunc(s.memory, func(a, b entry) int { return cmp.Compare(a.at, b.at) })
}

func (s *sorter) writeRun() (err error) {
	s.sortMemory()
	if s.file == nil {
		if s.file, err = temporary(); err != nil {
			return err
		}
	}
	w := bufio.NewWriterSize(io.NewOffsetWriter(s.file, s.size), 1<<20)
	start := s.size
	var b []byte
	for i := range s.memory {
		b = s.memory[i].appendTo(b[:0])
		s.size += int64(len(b))
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	s.runs = append(s.runs, [2]int64{start, s.size})
	s.memory = s.memory[:0]
	return w.Flush()
}

func (s *sorter) close() {
	if s.file != nil {
		s.file.Close()
	}
}

// open returns the entries in order.
func (s *sorter) open() (*mergedRows, error) {
	m := &mergedRows{memory: s.memory}
	for i, run := range s.runs {
		r := &runReader{reader: bufio.NewReaderSize(io.NewSectionReader(s.file, run[0], run[1]-run[0]), 64<<10), number: i}
		if err := r.head.read(r.reader); err != nil {
			return nil, err
		}
		m.runs = append(m.runs, r)
	}
	heap.Init(&m.runs)
	return m, nil
}

// runReader reads a run.
type runReader struct {
	reader *bufio.Reader
	number int
	head   entry // the next
}

// runHeap has the run with the earliest next entry first.
type runHeap []*runReader

func (h runHeap) Len() int { return len(h) }
func (h runHeap) Less(i, k int) bool {
	return h[i].head.at < h[k].head.at || h[i].head.at == h[k].head.at && h[i].number < h[k].number
}
func (h runHeap) Swap(i, k int) { h[i], h[k] = h[k], h[i] }
func (h *runHeap) Push(x any)   { *h = append(*h, x.(*runReader)) }
func (h *runHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// mergedRows are the rows of a sorter. Those in memory come after those of the runs of the same time, as in the file.
type mergedRows struct {
	runs   runHeap
	memory []entry
}

func (m *mergedRows) next(e *entry) error {
	if len(m.runs) == 0 || len(m.memory) > 0 && m.memory[0].at < m.runs[0].head.at {
		if len(m.memory) == 0 {
			return io.EOF
		}
		*e = m.memory[0]
		m.memory = m.memory[1:]
		return nil
	}
	run := m.runs[0]
	*e = run.head
	err := run.head.read(run.reader)
	switch {
	case err == nil:
		heap.Fix(&m.runs, 0)
	case err == io.EOF:
		heap.Pop(&m.runs)
	default:
		return err
	}
	return nil
}

// sort reads the file again and sorts its rows. It checks them in their order.
func (s *scan) sort(ctx context.Context) error {
	bad, errs := s.bad, s.errs
	s.sorted = &sorter{}
	rows := s.newFilter()
	n := 0
	err := s.read(ctx, "sorting the replayed file", func(r *row) error {
		var e entry
		ok, err := rows.convert(r, &e)
		if err != nil || !ok {
			return err
		}
		if n++; n > s.rows {
			return s.changed()
		}
		return s.sorted.add(e)
	})
	s.bad, s.errs = bad, errs
	if err == nil && n != s.rows {
		err = s.changed()
	}
	if err != nil {
		return err
	}
	s.sorted.sortMemory()
	return s.checkSorted(ctx)
}

// checkSorted finds rows of one symbol at one time that weren't neighbours in the file, and the shortest time between two rows.
func (s *scan) checkSorted(ctx context.Context) error {
	rows, err := s.sorted.open()
	if err != nil {
		return err
	}
	s.gap = 0
	same := instants{layout: s.layout}
	var e entry
	for n := 1; ; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		err := rows.next(&e)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		gap, err := same.check(s.rowOf(&e), e.id, s.input.name)
		if err != nil {
			s.addBad(err)
			s.rows--
			continue
		}
		if gap != 0 && (s.gap == 0 || gap < s.gap) {
			s.gap = gap
		}
	}
}
