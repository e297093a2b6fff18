package loadtest

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

// blocks are texts as a server sends them, each flushed by itself.
func blocks() (all [][]byte) {
	for k := range 200 {
		all = append(all, fmt.Appendf(nil, `{"T":"q","S":"AAPL","bp":%d.%02d,"t":%d,"n":%d,"i":%d}`+"\n", 180+k%3, k, 1772000000000000+k*977, k, k))
	}
	return append(all, bytes.Repeat([]byte("a long text that is told again "), 4000)) // longer than the window
}

func gzipped(finish bool) (packed []byte, plain []byte) {
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

// inflated feeds pieces that are overwritten afterwards.
func inflated(f *inflater, stream []byte, size int) ([]byte, error) {
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
		packed, plain := gzipped(finish)
		for _, size := range []int{1, 2, 7, 100, 4096, len(packed)} {
			f := newGunzip()
			got, err := inflated(f, packed, size)
			if err != nil || !bytes.Equal(got, plain) {
				t.Errorf("pieces of %d, finished %v: %d of %d bytes, %v", size, finish, len(got), len(plain), err)
			}
			if err := f.feed([]byte{1}, func([]byte) error { return nil }); finish != (err != nil) {
				t.Errorf("finished %v, and a byte more: %v", finish, err)
			}
			f.stop()
		}
	}
}

// TestGunzipAtOnce: what was flushed is there with the piece that ends it, not with the next one.
func TestGunzipAtOnce(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	f := newGunzip()
	defer f.stop()
	for k, text := range blocks() {
		b.Reset()
		z.Write(text)
		z.Flush()
		got, err := inflated(f, b.Bytes(), b.Len())
		if err != nil || !bytes.Equal(got, text) {
			t.Fatalf("block %d: %d of %d bytes, %v", k, len(got), len(text), err)
		}
	}
}

func TestGunzipRefuses(t *testing.T) {
	packed, _ := gzipped(true)
	spoiled := bytes.Clone(packed)
	spoiled[len(spoiled)-6] ^= 1 // of the checksum
	for name, stream := range map[string][]byte{
		"plain text": []byte("retry: 1000\n\nid: x\n\n"), "a wrong checksum": spoiled, "more after the end": append(bytes.Clone(packed), 'x'),
		"a wrong block": append(bytes.Clone(packed[:10]), 0xff, 0xff, 0xff),
	} {
		f := newGunzip()
		if _, err := inflated(f, stream, 64); !errors.Is(err, errPacked) {
			t.Errorf("%s: %v", name, err)
		}
		f.stop()
	}
	f := newGunzip()
	defer f.stop()
	if err := f.feed(packed, func([]byte) error { return errCut }); !errors.Is(err, errCut) {
		t.Errorf("an error of the reader's: %v", err)
	}
}

// deflateFrames are messages of permessage-deflate: with a common window, or each apart; plain ones and controls between.
func deflateFrames(apart bool) (stream []byte, want []string, saved int) {
	var b bytes.Buffer
	z, _ := flate.NewWriter(&b, 6)
	for k, text := range blocks() {
		b.Reset()
		if apart {
			z.Reset(&b)
		}
		z.Write(text)
		z.Flush()
		packed := bytes.TrimSuffix(b.Bytes(), flushMark)
		saved += frameSize(len(text)) - frameSize(len(packed))
		at := len(stream)
		if k%5 == 0 && len(packed) > 2 { // in two frames with a ping between
			stream = wire.AppendFrameHeader(stream, wire.OpText, 2)
			stream[at] = 0x41 // RSV1, not final
			stream = append(stream, packed[:2]...)
			stream = append(stream, 0x89, 1, 'p')
			stream = wire.AppendFrameHeader(stream, wire.OpContinuation, len(packed)-2)
			stream = append(stream, packed[2:]...)
			want = append(want, "9:p")
		} else {
			stream = wire.AppendFrameHeader(stream, wire.OpText, len(packed))
			stream[at] |= 0x40
			stream = append(stream, packed...)
		}
		want = append(want, "1:"+string(text))
		if k%3 == 0 {
			stream = append(wire.AppendFrameHeader(stream, wire.OpText, 5), "plain"...)
			want = append(want, "1:plain")
		}
	}
	return stream, want, saved
}

func TestDeflatedFrames(t *testing.T) {
	for _, apart := range []bool{false, true} {
		stream, want, saved := deflateFrames(apart)
		for _, size := range []int{1, 3, 64, 1000, len(stream)} {
			var got []string
			r := frameReader{packed: true, apart: apart, emit: func(op byte, p []byte) error {
				got = append(got, fmt.Sprintf("%d:%s", op, p))
				return nil
			}}
			var err error
			for from := 0; from < len(stream) && err == nil; from += size {
				err = r.feed(stream[from:min(len(stream), from+size)])
			}
			r.close()
			if err != nil || strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("pieces of %d, apart %v: %d of %d messages, %v", size, apart, len(got), len(want), err)
			}
			if int(r.saved) != saved {
				t.Errorf("saved %d, want %d", r.saved, saved)
			}
		}
	}
}

func TestDeflatedFramesRefuse(t *testing.T) {
	for name, c := range map[string]struct {
		packed bool
		b      []byte
		want   error
	}{
		"not agreed on":          {false, []byte{0xc1, 1, 0}, errReserved},
		"a deflated ping":        {true, []byte{0xc9, 1, 0}, errReserved},
		"a second deflated part": {true, []byte{0x41, 1, 0, 0xc0, 1, 0}, errReserved},
		"another reserved bit":   {true, []byte{0xa1, 1, 0}, errReserved},
		"no deflate":             {true, []byte{0xc1, 2, 0xff, 0xff}, errPacked},
	} {
		r := frameReader{packed: c.packed, emit: func(byte, []byte) error { return nil }}
		if err := r.feed(c.b); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		r.close()
	}
	// A bomb: 32 MiB of one letter.
	var b bytes.Buffer
	z, _ := flate.NewWriter(&b, 9)
	z.Write(bytes.Repeat([]byte{'a'}, 2*maxMessage))
	z.Flush()
	frame := wire.AppendFrameHeader(nil, wire.OpText, b.Len())
	frame[0] |= 0x40
	r := frameReader{packed: true, emit: func(byte, []byte) error { return nil }}
	defer r.close()
	if err := r.feed(append(frame, b.Bytes()...)); !errors.Is(err, errTooBig) {
		t.Errorf("a bomb: %v", err)
	}
}

// FuzzInflate: in pieces it reads what the standard library reads at once, and never more.
func FuzzInflate(f *testing.F) {
	packed, _ := gzipped(true)
	f.Add(packed[:600], 7)
	f.Add(packed, 1000)
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
		got, err := inflated(inf, stream, size)
		if len(want) < most && !bytes.Equal(got, want) && !(err == nil && bytes.HasPrefix(want, got)) {
			t.Errorf("%d bytes, want %d (%v)", len(got), len(want), err)
		}
	})
}

// FuzzDeflatedFrames: fed in pieces it behaves as fed whole.
func FuzzDeflatedFrames(f *testing.F) {
	stream, _, _ := deflateFrames(false)
	f.Add(stream[:700], 5)
	f.Fuzz(func(t *testing.T, stream []byte, size int) {
		if size < 1 || len(stream) > 1<<16 {
			return
		}
		read := func(size int) (got []byte, err error) {
			r := frameReader{packed: true, emit: func(op byte, p []byte) error {
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

func TestExtension(t *testing.T) {
	on, off := &Side{Compress: true, lane: wire.WS}, &Side{lane: wire.WS}
	for _, c := range []struct {
		side          *Side
		answer        string
		packed, apart bool
		want          string
	}{
		{off, "", false, false, ""},
		{on, "permessage-deflate", true, false, ""},
		{on, "permessage-deflate; client_no_context_takeover", true, false, ""},
		{on, "permessage-deflate;server_no_context_takeover; server_max_window_bits=12", true, true, ""},
		{on, "", false, false, "stream.compress"},
		{off, "permessage-deflate", false, false, "not offered"},
		{on, "x-webkit-deflate-frame", false, false, "not offered"},
		{on, "permessage-deflate; client_max_window_bits=9", false, false, `"client_max_window_bits"`},
		{on, "permessage-deflate, permessage-deflate", false, false, "not offered"},
	} {
		packed, apart, err := c.side.extension(c.answer)
		if packed != c.packed || apart != c.apart || (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, %v, %v", c.answer, packed, apart, err)
		}
	}
}
