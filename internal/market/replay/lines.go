package replay

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
)

// maxLine is the maximum size of a line in bytes; it limits the memory used for a file that isn't CSV.
const maxLine = 64 << 10

// RowError reports an invalid row of a file: "data/prices.csv:17: bid: …".
type RowError struct {
	File   string
	Line   int    // 1 is the first of the file
	Column string // empty if the error concerns the whole line
	Reason error
}

func (e *RowError) Error() string {
	if e.Column == "" {
		return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Reason)
	}
	return fmt.Sprintf("%s:%d: %s: %v", e.File, e.Line, e.Column, e.Reason)
}

func (e *RowError) Unwrap() error { return e.Reason }

// records splits a text into lines and their fields. Fields don't span lines, so that a stray quotation mark invalidates one row
// and not the rest of the file.
type records struct {
	name   string // of the file, for messages
	lines  *bufio.Reader
	end    byte // of each line: '\n', or '\r' if the file has only that
	line   int
	text   bytes.Reader  // the current line
	buffer *bufio.Reader // between text and fields; reset for each line
	fields *csv.Reader
}

func newRecords(r io.Reader, name string, delimiter, end byte) *records {
	t := &records{name: name, lines: bufio.NewReaderSize(r, maxLine), end: end}
	t.buffer = bufio.NewReaderSize(&t.text, 4096)
	t.fields = csv.NewReader(t.buffer) // uses the buffer itself, since it is large enough
	t.fields.Comma = rune(delimiter)
	t.fields.ReuseRecord = true
	t.fields.TrimLeadingSpace = delimiter != '\t' // which is a space, too
	t.fields.FieldsPerRecord = -1
	return t
}

func (t *records) bad(column string, reason error) error {
	return &RowError{File: t.name, Line: t.line, Column: column, Reason: reason}
}

// next returns the fields of the next line that isn't blank, valid until the next call. The error is io.EOF at the end, a
// *RowError, after which it may be called again, or that of the reader.
func (t *records) next() ([]string, error) {
	for {
		line, err := t.readLine()
		if err != nil {
			return nil, err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		t.text.Reset(line)
		t.buffer.Reset(&t.text)
		fields, err := t.fields.Read()
		if parse := (*csv.ParseError)(nil); errors.As(err, &parse) {
			return nil, t.bad("", parse.Err)
		}
		if err != nil {
			return nil, t.bad("", err)
		}
		return fields, nil
	}
}

// readLine returns the next line without its end, valid until the next call.
func (t *records) readLine() ([]byte, error) {
	line, err := t.lines.ReadSlice(t.end)
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		t.line++
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = t.lines.ReadSlice(t.end)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, t.failed(err)
		}
		return nil, t.bad("", fmt.Errorf("the line is longer than %d bytes", maxLine))
	case len(line) == 0 && errors.Is(err, io.EOF):
		return nil, io.EOF
	case err != nil && !errors.Is(err, io.EOF):
		return nil, t.failed(err)
	}
	t.line++
	return bytes.TrimRight(line, "\r\n"), nil
}

func (t *records) failed(err error) error { return fmt.Errorf("%s:%d: %w", t.name, t.line+1, err) }
