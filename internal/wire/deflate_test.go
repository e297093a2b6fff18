package wire

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

// TestPiecesComeAtOnce: a reader hands on a piece's whole text as soon as it has its bytes, whatever the piece is.
func TestPiecesComeAtOnce(t *testing.T) {
	in, out := io.Pipe()
	defer out.Close()
	noise, chance := make([]byte, 300), rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(chance.Uint32())
	}
	d := NewDeflater()
	defer d.Free()
	first := strings.Repeat("quote ", 20)
	pieces := []struct {
		bytes []byte
		text  string
	}{
		{append(AppendGzipHeader(nil), AppendStored(nil, []byte("hello"))...), "hello"},
		{AppendIndependent(nil, []byte(strings.Repeat("snapshot ", 100))), strings.Repeat("snapshot ", 100)},
		{d.AppendText(nil, []byte(first)), first},
		{d.AppendText(nil, []byte(first+"!")), first + "!"},
		{AppendIndependent(nil, noise), string(noise)},
		{AppendStored(nil, make([]byte, 200_000)), string(make([]byte, 200_000))},
	}
	var all []byte
	go func() { out.Write(pieces[0].bytes) }()
	r, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range pieces {
		if i > 0 {
			go out.Write(p.bytes)
		}
		b := make([]byte, len(p.text))
		if _, err := io.ReadFull(r, b); err != nil || string(b) != p.text {
			t.Fatalf("piece %d: %v, %.50q", i, err, b)
		}
		all = append(all, b...)
	}
	go func() {
		out.Write(AppendGzipEnd(nil, crc32.ChecksumIEEE(all), uint32(len(all))))
		out.Close()
	}()
	if rest, err := io.ReadAll(r); err != nil || len(rest) > 0 {
		t.Errorf("at the end: %v, %q", err, rest)
	}
}

// TestAloneNeverGrows by more than a block's frame.
func TestAloneNeverGrows(t *testing.T) {
	noise, chance := make([]byte, 100_000), rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(chance.Uint32())
	}
	for _, n := range []int{0, 1, 20, 100, 1000, 65_535, 65_536, 100_000} {
		if got := len(AppendIndependent(nil, noise[:n])); got > n+15 {
			t.Errorf("%d bytes become %d", n, got)
		}
		plain := AppendFrameHeader(nil, OpBinary, n)
		plain = append(plain, noise[:n]...)
		if got := len(AppendIndependentFrames(nil, plain, true)); got > len(plain) {
			t.Errorf("a frame of %d bytes becomes %d", len(plain), got)
		}
	}
}

// TestAloneBesideEachOther: more clients than places, each gets its own text.
func TestAloneBesideEachOther(t *testing.T) {
	var all sync.WaitGroup
	for i := range 50 {
		text := quotes(rand.New(rand.NewPCG(uint64(i), 1)), SSEJSON, 10)
		all.Go(func() {
			for range 3 {
				if got := unpack(t, AppendIndependent(nil, text)); !bytes.Equal(got, text) {
					t.Errorf("%d bytes of %d", len(got), len(text))
				}
			}
		})
	}
	all.Wait()
	if len(lone) > 0 {
		t.Errorf("%d of %d places still taken", len(lone), cap(lone))
	}
}

// TestLongFramesInflate covers compressed payloads on both sides of 64 KiB, where the frame's header grows.
func TestLongFramesInflate(t *testing.T) {
	noise, r := make([]byte, 100_000), rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	for _, n := range []int{65_000, 65_514, 65_515, 65_536, 100_000} {
		frame := append(AppendFrameHeader(nil, OpBinary, n), noise[:n]...)
		_, packed, rest := cutFrame(AppendIndependentFrames(nil, frame, false))
		if got := unpack(t, append(packed, syncTail[:]...)); !bytes.Equal(got, noise[:n]) || len(rest) > 0 {
			t.Errorf("%d bytes became %d, with %d after the frame", n, len(got), len(rest))
		}
	}
}

// FuzzFrames: packed together or apart, frames come out as they went in.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("one"), []byte("two"), 1, false)
	f.Add([]byte{}, bytes.Repeat([]byte("tick"), 30), 2000, true)
	f.Fuzz(func(t *testing.T, a, b []byte, times int, apart bool) {
		want := [][]byte{a, bytes.Repeat(b, 1+min(max(times, 0), 70_000/(1+len(b)))), a}
		var plain []byte
		for _, m := range want {
			plain = append(AppendFrameHeader(plain, OpText, len(m)), m...)
		}
		packed := AppendIndependentFrames([]byte("before"), plain, apart)
		if !bytes.HasPrefix(packed, []byte("before")) {
			t.Fatal("what was there is overwritten")
		}
		rest, window := packed[6:], []byte(nil)
		for _, m := range want {
			var op byte
			var got []byte
			op, got, rest = cutFrame(rest)
			if op&rsv1 != 0 {
				if apart {
					window = nil
				}
				text, err := io.ReadAll(flate.NewReaderDict(io.MultiReader(bytes.NewReader(got), bytes.NewReader(append(syncTail[:len(syncTail):len(syncTail)], 3, 0))), window))
				if err != nil {
					t.Fatal(err)
				}
				window = append(window, text...)
				got = text
			}
			if !bytes.Equal(got, m) || op&0xf != OpText {
				t.Fatalf("opcode %d, %d bytes of %d", op, len(got), len(m))
			}
		}
		if len(rest) > 0 {
			t.Errorf("%d bytes more", len(rest))
		}
	})
}
