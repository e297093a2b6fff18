package replay

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// sampleSize is how much of a file detection reads.
const sampleSize = 1 << 20

// record is a line of the sample.
type record struct {
	line   int
	fields []string
}

func (r record) field(i int) string {
	if i < 0 || i >= len(r.fields) {
		return ""
	}
	return strings.TrimSpace(r.fields[i])
}

// sample is the start of a file, whose lines are split into fields.
type sample struct {
	delimiter byte
	end       byte
	first     int // 1, or the line after sep=;
	records   []record
}

// readSample reads the start of a file, up to its last whole line. A delimiter of 0 is detected.
func readSample(in *input, delimiter byte) (*sample, error) {
	r, err := in.open()
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(r, sampleSize))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", in.name, err)
	}
	s := &sample{delimiter: delimiter, end: '\n', first: 1}
	if bytes.IndexByte(text, '\n') < 0 && bytes.IndexByte(text, '\r') >= 0 {
		s.end = '\r'
	}
	if last := bytes.LastIndexByte(text, s.end); len(text) == sampleSize && last >= 0 {
		text = text[:last]
	}
	if trimmed := bytes.TrimSpace(text); len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[') {
		return nil, fmt.Errorf("%s: it is JSON: want CSV with a line of column names", in.name)
	}
	s.split(text, in.name)
	if len(s.records) == 0 {
		return nil, &RowError{File: in.name, Line: 1, Reason: errors.New("the file is empty; want a line of column names")}
	}
	return s, nil
}

// split splits the text into records, without those that aren't CSV, which the scan reports.
func (s *sample) split(text []byte, name string) {
	var lines []string
	skip := 0
	for line := range bytes.SplitSeq(text, []byte{s.end}) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || len(line) > maxLine {
			continue
		}
		if len(lines) == 0 && skip == 0 {
			if delimiter, ok := excelDelimiter(string(line)); ok {
				s.delimiter = delimiter
				skip = 1
				continue
			}
		}
		lines = append(lines, string(line))
	}
	if s.delimiter == 0 {
		s.delimiter = findDelimiter(lines)
	}
	r := newRecords(bytes.NewReader(text), name, s.delimiter, s.end)
	for {
		fields, err := r.next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			continue
		}
		if skip == 1 { // sep=;
			skip = 2
			s.first = r.line + 1
			continue
		}
		s.records = append(s.records, record{r.line, append([]string(nil), fields...)})
	}
}
