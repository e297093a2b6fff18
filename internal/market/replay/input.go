package replay

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync/atomic"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// StandardInput is the Options.File of standard input.
const StandardInput = "-"

const mark = 4096 // bytes at both ends of the file that show that it is the same

// input is a regular file that can be read several times. It stays open, so that the replay of a file that is removed goes on, and
// of one that grows only what was there at the start is read.
type input struct {
	name     string // for messages: as given, or "standard input"
	base     string // name without folder, of the file or of what is in the archive; empty if there is none
	file     *os.File
	size     int64
	form     []string  // what it is: "gzip", "UTF-16"
	entry    *zip.File // of a zip archive, nil for other files
	ends     []byte    // the first and the last bytes
	progress atomic.Int64
}

// openInput opens a file, or copies standard input to a temporary one.
func openInput(ctx context.Context, name string, stdin *os.File, report func(bytes int64)) (*input, error) {
	in := &input{name: name, base: filepath.Base(name)}
	var err error
	if name == StandardInput {
		in.name, in.base = "standard input", ""
		in.file, err = spool(ctx, stdin, report)
	} else {
		in.file, err = openRegular(name)
	}
	if err != nil {
		return nil, err
	}
	if err := in.identify(); err != nil {
		in.close()
		return nil, fmt.Errorf("%s: %w", in.name, err)
	}
	return in, nil
}

// openRegular opens a file. Other kinds of files are errors before they are opened, since opening a named pipe waits for its
// writer.
func openRegular(name string) (*os.File, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if err := regular(name, info.Mode()); err != nil {
		return nil, err
	}
	return os.Open(name)
}

func regular(name string, mode os.FileMode) error {
	const instead = "send it to standard input, with feed.file - (a dash)"
	switch {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		return fmt.Errorf("%s is a directory: name a file in it", name)
	case mode&os.ModeNamedPipe != 0:
		return fmt.Errorf("%s is a pipe, which can be read only once: %s", name, instead)
	case mode&os.ModeSocket != 0:
		return fmt.Errorf("%s is a socket: %s", name, instead)
	}
	return fmt.Errorf("%s is a device: %s", name, instead)
}

// spool copies standard input to a temporary file until its end, since a replay needs all symbols and decimals before its first
// tick. It returns early if ctx is done; the goroutine that reads then waits for the writer.
func spool(ctx context.Context, stdin *os.File, report func(int64)) (*os.File, error) {
	if info, err := stdin.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		return nil, errors.New("standard input is a terminal or a device: send a file to it, such as with < prices.csv")
	}
	file, err := temporary()
	if err != nil {
		return nil, err
	}
	type chunk struct {
		data []byte
		err  error
	}
	chunks := make(chan chunk)
	go func() {
		for {
			data := make([]byte, 64<<10)
			n, err := stdin.Read(data)
			select {
			case chunks <- chunk{data[:n], err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	total := int64(0)
	for {
		select {
		case <-ctx.Done():
			file.Close()
			return nil, ctx.Err()
		case c := <-chunks:
			if _, err := file.Write(c.data); err != nil {
				file.Close()
				return nil, err
			}
			total += int64(len(c.data))
			report(total)
			if errors.Is(c.err, io.EOF) {
				return file, nil
			}
			if c.err != nil {
				file.Close()
				return nil, fmt.Errorf("standard input: %w", c.err)
			}
		}
	}
}

// temporary creates a file that is removed when it is closed, or when the process ends.
func temporary() (*os.File, error) {
	file, err := os.CreateTemp("", "ticklane-replay-*")
	if err != nil {
		return nil, err
	}
	_ = os.Remove(file.Name()) // Windows doesn't remove open files; there it stays in the folder of temporary files
	return file, nil
}

func (in *input) close() { in.file.Close() }

// identify finds the form of the file.
func (in *input) identify() error {
	info, err := in.file.Stat()
	if err != nil {
		return err
	}
	in.size = info.Size()
	if in.ends, err = in.readEnds(); err != nil {
		return err
	}
	switch head := in.ends; {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		in.form = []string{"gzip"}
		in.base = strings.TrimSuffix(in.base, ".gz")
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")): // the latter is empty
		in.form = []string{"zip"}
		return in.findEntry()
	default:
		for magic, kind := range map[string]string{
			"\xfd7zXZ\x00": "compressed with xz", "\x28\xb5\x2f\xfd": "compressed with zstd", "BZh": "compressed with bzip2",
			"7z\xbc\xaf": "a 7z archive", "PAR1": "a Parquet file", "%PDF": "a PDF file", "\xd0\xcf\x11\xe0": "an Excel workbook",
		} {
			if bytes.HasPrefix(head, []byte(magic)) {
				return fmt.Errorf("it is %s: want CSV, also as gzip or zip", kind)
			}
		}
	}
	return nil
}

// findEntry finds the only table of a zip archive.
func (in *input) findEntry() error {
	archive, err := zip.NewReader(in.file, in.size)
	if err != nil {
		return err
	}
	var tables []string
	for _, f := range archive.File {
		base := path.Base(f.Name)
		if f.Name == "xl/workbook.xml" {
			return errors.New("it is an Excel workbook: save the sheet as CSV")
		}
		if f.FileInfo().IsDir() || strings.HasPrefix(base, ".") || strings.HasPrefix(f.Name, "__MACOSX/") {
			continue
		}
		switch strings.ToLower(path.Ext(base)) {
		case ".csv", ".tsv", ".txt":
			tables = append(tables, f.Name)
			in.entry, in.base = f, base
		}
	}
	if len(tables) == 0 {
		return errors.New("want an archive with one .csv, .tsv or .txt file, it has none")
	}
	if len(tables) > 1 {
		return fmt.Errorf("want an archive with one .csv, .tsv or .txt file, it has %d: %s", len(tables), strings.Join(tables, ", "))
	}
	return nil
}

func (in *input) readEnds() ([]byte, error) {
	if in.size <= 2*mark {
		b := make([]byte, in.size)
		_, err := io.ReadFull(io.NewSectionReader(in.file, 0, in.size), b)
		return b, err
	}
	b := make([]byte, 2*mark)
	if _, err := in.file.ReadAt(b[:mark], 0); err != nil {
		return nil, err
	}
	_, err := in.file.ReadAt(b[mark:], in.size-mark)
	return b, err
}

// checkUnchanged returns an error if what was read at the start isn't in the file any longer. Rows added to its end are no change.
func (in *input) checkUnchanged() error {
	ends, err := in.readEnds()
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s has become shorter since the start: restart the server", in.name)
	case err != nil:
		return err
	case !bytes.Equal(ends, in.ends):
		return fmt.Errorf("%s has changed since the start: restart the server", in.name)
	}
	return nil
}

// checkWhole returns an error if the last line is a part of one that is being written.
func (in *input) checkWhole() error {
	info, err := in.file.Stat()
	if err != nil {
		return err
	}
	if last := len(in.ends) - 1; info.Size() > in.size && last >= 0 && in.ends[last] != '\n' && in.ends[last] != '\r' {
		return fmt.Errorf("%s is being written, and its last line isn't complete: start again", in.name)
	}
	return nil
}

// counter counts the bytes that a pass has read.
type counter struct {
	io.Reader
	n *atomic.Int64
}

func (c counter) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.n.Add(int64(n))
	return n, err
}

// open returns the text of the file from its start, in UTF-8 without byte order mark. Only one reader may be in use.
func (in *input) open() (io.Reader, error) {
	in.progress.Store(0)
	var r io.Reader = counter{io.NewSectionReader(in.file, 0, in.size), &in.progress}
	var err error
	if in.entry != nil {
		r, err = in.entry.Open()
	} else if len(in.form) > 0 && in.form[0] == "gzip" {
		if r, err = gzip.NewReader(r); err == nil {
			r = gzipText{r}
		}
	}
	if err == nil {
		r, err = in.decode(r)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", in.name, err)
	}
	return r, nil
}

// gzipText explains the errors of a gzip.Reader.
type gzipText struct{ io.Reader }

func (g gzipText) Read(b []byte) (int, error) {
	n, err := g.Reader.Read(b)
	switch {
	case errors.Is(err, gzip.ErrHeader):
		err = errors.New("after the compressed data the file has bytes that aren't gzip: remove them")
	case errors.Is(err, io.ErrUnexpectedEOF):
		err = errors.New("the compressed data ends early, or a few bytes that aren't gzip follow it")
	}
	return n, err
}

// decode converts UTF-16 and removes a byte order mark.
func (in *input) decode(r io.Reader) (io.Reader, error) {
	b := bufio.NewReaderSize(r, maxLine)
	head, _ := b.Peek(512)
	endian, utf16 := unicode.LittleEndian, false
	switch zeros := zerosAt(head); {
	case len(in.form) > 0 && (bytes.HasPrefix(head, []byte{0x1f, 0x8b}) || bytes.HasPrefix(head, []byte("PK\x03\x04"))):
		return nil, errors.New("what is compressed is compressed again: decompress it once")
	case bytes.HasPrefix(head, []byte{0xff, 0xfe, 0, 0}), bytes.HasPrefix(head, []byte{0, 0, 0xfe, 0xff}), zeros[0]+zeros[1] > 5*len(head)/8:
		return nil, errors.New("it is UTF-32: save it as UTF-8")
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}), zeros[1] > len(head)/4:
		utf16 = true
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}), zeros[0] > len(head)/4:
		endian, utf16 = unicode.BigEndian, true
	case bytes.HasPrefix(head, []byte{0xef, 0xbb, 0xbf}):
		_, _ = b.Discard(3)
	}
	if !utf16 {
		return b, nil
	}
	if len(in.form) == 0 || in.form[len(in.form)-1] != "UTF-16" {
		in.form = append(in.form, "UTF-16")
	}
	return transform.NewReader(b, unicode.UTF16(endian, unicode.UseBOM).NewDecoder()), nil
}

// zerosAt counts the zero bytes at even and at odd positions.
func zerosAt(b []byte) (n [2]int) {
	for i, c := range b {
		if c == 0 {
			n[i%2]++
		}
	}
	return n
}

// share returns how much of the file the pass has read, 0 to 1; 0 if that isn't known.
func (in *input) share() float64 {
	if in.entry != nil || in.size == 0 {
		return 0
	}
	return float64(in.progress.Load()) / float64(in.size)
}
