package client

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"ticklane/internal/wire"
)

// blocks returns texts as a server sends them, each flushed separately.
func blocks() (all [][]byte) {
	for k := range 200 {
		all = append(all, fmt.Appendf(nil, `{"T":"q","S":"AAPL","bp":%d.%02d,"t":%d,"n":%d,"i":%d}`+"\n", 180+k%3, k, 1772000000000000+k*977, k, k))
	}
	return append(all, bytes.Repeat([]byte("a long text that is repeated "), 4000)) // longer than the window
}

// gzipped returns all blocks in one gzip member, which ends if finish is set.
func gzipped(finish bool) (compressed, plain []byte) {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, 6)
	for _, text := range blocks() {
		z.Write(text)
		z.Flush()
		plain = append(plain, text...)
	}
	if finish {
		z.Close()
	}
	return b.Bytes(), plain
}

// decompressed feeds pieces of a size, each overwritten afterwards.
func decompressed(f *inflater, stream []byte, size int) ([]byte, error) {
	var got []byte
	for from := 0; from < len(stream); from += size {
		piece := bytes.Clone(stream[from:min(len(stream), from+size)])
		err := f.feed(piece, func(b []byte) error {
			got = append(got, b...)
			return nil
		})
		if err != nil {
			return got, err
		}
		for k := range piece {
			piece[k] = '#'
		}
	}
	return got, nil
}

func TestGunzip(t *testing.T) {
	for _, finish := range []bool{false, true} {
		compressed, plain := gzipped(finish)
		for _, size := range []int{1, 2, 7, 100, 4096, len(compressed)} {
			f := newGunzip()
			got, err := decompressed(f, compressed, size)
			if err != nil || !bytes.Equal(got, plain) {
				t.Errorf("pieces of %d, finished %v: %d of %d bytes, %v", size, finish, len(got), len(plain), err)
			}
			if err := f.feed([]byte{1}, func([]byte) error { return nil }); finish != (err != nil) {
				t.Errorf("finished %v, then another byte: %v", finish, err)
			}
			f.stop()
		}
	}
}

// TestGunzipIsImmediate: a flushed block is returned with the piece that ends it, not with the next one.
func TestGunzipIsImmediate(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	f := newGunzip()
	defer f.stop()
	for k, text := range blocks() {
		b.Reset()
		z.Write(text)
		z.Flush()
		got, err := decompressed(f, b.Bytes(), b.Len())
		if err != nil || !bytes.Equal(got, text) {
			t.Fatalf("block %d: %d of %d bytes, %v", k, len(got), len(text), err)
		}
	}
}

func TestGunzipRejects(t *testing.T) {
	compressed, _ := gzipped(true)
	damaged := bytes.Clone(compressed)
	damaged[len(damaged)-6] ^= 1 // in the checksum
	for name, stream := range map[string][]byte{
		"plain text": []byte("retry: 1000\n\nid: x\n\n"), "a wrong checksum": damaged, "data after the end": append(bytes.Clone(compressed), 'x'),
		"an invalid block": append(bytes.Clone(compressed[:10]), 0xff, 0xff, 0xff),
	} {
		f := newGunzip()
		if _, err := decompressed(f, stream, 64); !errors.Is(err, errCompressed) {
			t.Errorf("%s: %v", name, err)
		}
		f.stop()
	}
	f := newGunzip()
	defer f.stop()
	if err := f.feed(compressed, func([]byte) error { return ErrCut }); !errors.Is(err, ErrCut) {
		t.Errorf("an error of the callback: %v", err)
	}
}

// deflateFrames returns messages of permessage-deflate, with a common context or each independent, with uncompressed
// messages and control frames between them.
func deflateFrames(independent bool) (stream []byte, want []string, saved int) {
	var b bytes.Buffer
	z, _ := flate.NewWriter(&b, 6)
	for k, text := range blocks() {
		b.Reset()
		if independent {
			z.Reset(&b)
		}
		z.Write(text)
		z.Flush()
		compressed := bytes.TrimSuffix(b.Bytes(), syncFlush)
		saved += sizeInFrame(len(text)) - sizeInFrame(len(compressed))
		at := len(stream)
		if k%5 == 0 && len(compressed) > 2 { // in two frames with a ping between
			stream = wire.AppendFrameHeader(stream, wire.OpText, 2)
			stream[at] = 0x41 // RSV1, not final
			stream = append(stream, compressed[:2]...)
			stream = append(stream, 0x89, 1, 'p')
			stream = wire.AppendFrameHeader(stream, wire.OpContinuation, len(compressed)-2)
			stream = append(stream, compressed[2:]...)
			want = append(want, "9:p")
		} else {
			stream = wire.AppendFrameHeader(stream, wire.OpText, len(compressed))
			stream[at] |= wire.RSV1
			stream = append(stream, compressed...)
		}
		want = append(want, "1:"+string(text))
		if k%3 == 0 {
			stream = append(wire.AppendFrameHeader(stream, wire.OpText, 5), "plain"...)
			want = append(want, "1:plain")
		}
	}
	return stream, want, saved
}

func TestCompressedFrames(t *testing.T) {
	for _, independent := range []bool{false, true} {
		stream, want, saved := deflateFrames(independent)
		for _, size := range []int{1, 3, 64, 1000, len(stream)} {
			var got []string
			r := frameParser{compressed: true, independent: independent, emit: func(op byte, p []byte) error {
				got = append(got, fmt.Sprintf("%d:%s", op, p))
				return nil
			}}
			var err error
			for from := 0; from < len(stream) && err == nil; from += size {
				err = r.feed(stream[from:min(len(stream), from+size)])
			}
			r.close()
			if err != nil || strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("pieces of %d, independent %v: %d of %d messages, %v", size, independent, len(got), len(want), err)
			}
			if int(r.saved) != saved {
				t.Errorf("saved %d, want %d", r.saved, saved)
			}
		}
	}
}

func TestCompressedFramesReject(t *testing.T) {
	for name, c := range map[string]struct {
		compressed bool
		b          []byte
		want       error
	}{
		"not negotiated":            {false, []byte{0xc1, 1, 0}, errReserved},
		"a compressed ping":         {true, []byte{0xc9, 1, 0}, errReserved},
		"a compressed continuation": {true, []byte{0x41, 1, 0, 0xc0, 1, 0}, errReserved},
		"another reserved bit":      {true, []byte{0xa1, 1, 0}, errReserved},
		"invalid deflate":           {true, []byte{0xc1, 2, 0xff, 0xff}, errCompressed},
	} {
		r := frameParser{compressed: c.compressed, emit: func(byte, []byte) error { return nil }}
		if err := r.feed(c.b); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		r.close()
	}
	// A decompression bomb: a small message of more than maxMessage.
	var b bytes.Buffer
	z, _ := flate.NewWriter(&b, flate.BestSpeed)
	z.Write(bytes.Repeat([]byte{'a'}, maxMessage+1))
	z.Flush()
	frame := wire.AppendFrameHeader(nil, wire.OpText, b.Len())
	frame[0] |= wire.RSV1
	r := frameParser{compressed: true, emit: func(byte, []byte) error { return nil }}
	defer r.close()
	if err := r.feed(append(frame, b.Bytes()...)); !errors.Is(err, errTooBig) {
		t.Errorf("a bomb: %v", err)
	}
}

// FuzzInflate: in pieces the inflater returns what the standard library returns at once, and never more.
func FuzzInflate(f *testing.F) {
	compressed, _ := gzipped(true)
	f.Add(compressed[:600], 7)
	f.Add(compressed, 1000)
	f.Fuzz(func(t *testing.T, stream []byte, size int) {
		if size < 1 || size > 1<<16 || len(stream) > 1<<16 {
			return
		}
		const most = 1 << 20
		var want []byte
		if z, err := gzip.NewReader(bytes.NewReader(stream)); err == nil {
			z.Multistream(false)
			want, _ = io.ReadAll(io.LimitReader(z, most))
		}
		inf := newGunzip()
		defer inf.stop()
		got, err := decompressed(inf, stream, size)
		if len(want) < most && !bytes.Equal(got, want) && !(err == nil && bytes.HasPrefix(want, got)) {
			t.Errorf("%d bytes, want %d (%v)", len(got), len(want), err)
		}
	})
}

// FuzzCompressedFrames: the parser returns the same for pieces as for the whole.
func FuzzCompressedFrames(f *testing.F) {
	stream, _, _ := deflateFrames(false)
	f.Add(stream[:700], 5)
	f.Fuzz(func(t *testing.T, stream []byte, size int) {
		if size < 1 || len(stream) > 1<<16 {
			return
		}
		read := func(size int) (got []byte, err error) {
			r := frameParser{compressed: true, emit: func(op byte, p []byte) error {
				got = append(append(got, op), p...)
				return nil
			}}
			defer r.close()
			for from := 0; from < len(stream) && err == nil; from += size {
				err = r.feed(stream[from:min(len(stream), from+size)])
			}
			return got, err
		}
		whole, failed := read(max(1, len(stream)))
		got, err := read(size)
		if !bytes.Equal(got, whole) || (err == nil) != (failed == nil) {
			t.Errorf("%d bytes, want %d; %v, want %v", len(got), len(whole), err, failed)
		}
	})
}
