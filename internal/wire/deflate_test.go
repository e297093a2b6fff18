package wire

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"ticklane/internal/quote"
)

// TestOutputInflatesAtOnce: a decoder returns the text of each output as soon as it has its bytes.
func TestOutputInflatesAtOnce(t *testing.T) {
	in, out := io.Pipe()
	defer out.Close()
	noise, rng := make([]byte, 300), rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	d := NewDeflater()
	defer d.Free()
	first := strings.Repeat("quote ", 20)
	outputs := []struct {
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
	go func() { out.Write(outputs[0].bytes) }()
	r, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range outputs {
		if i > 0 {
			go out.Write(p.bytes)
		}
		b := make([]byte, len(p.text))
		if _, err := io.ReadFull(r, b); err != nil || string(b) != p.text {
			t.Fatalf("output %d: %v, %.50q", i, err, b)
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

// TestIncompressibleTextGrowsByBlockHeadersAtMost: three stored blocks for less than 128 KiB, and nothing for a frame.
func TestIncompressibleTextGrowsByBlockHeadersAtMost(t *testing.T) {
	noise, rng := make([]byte, 100_000), rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(rng.Uint32())
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

// TestConcurrentIndependentOutput: with more clients than slots, each gets its own text.
func TestConcurrentIndependentOutput(t *testing.T) {
	var all sync.WaitGroup
	for i := range 50 {
		text := quotes(rand.New(rand.NewPCG(uint64(i), 1)), SSEJSON, 10)
		all.Go(func() {
			for range 3 {
				if got := inflate(t, AppendIndependent(nil, text)); !bytes.Equal(got, text) {
					t.Errorf("%d bytes of %d", len(got), len(text))
				}
			}
		})
	}
	all.Wait()
	if len(deflateSlots) > 0 {
		t.Errorf("%d of %d slots not released", len(deflateSlots), cap(deflateSlots))
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
		_, compressed, rest := cutFrame(AppendIndependentFrames(nil, frame, false))
		if got := inflate(t, append(compressed, syncTail[:]...)); !bytes.Equal(got, noise[:n]) || len(rest) > 0 {
			t.Errorf("%d bytes became %d, with %d after the frame", n, len(got), len(rest))
		}
	}
}

// FuzzFrames: compressed frames inflate to the original messages, in one context or each in its own.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("one"), []byte("two"), 1, false)
	f.Add([]byte{}, bytes.Repeat([]byte("tick"), 30), 2000, true)
	f.Fuzz(func(t *testing.T, a, b []byte, times int, perMessage bool) {
		want := [][]byte{a, bytes.Repeat(b, 1+min(max(times, 0), 70_000/(1+len(b)))), a}
		var plain []byte
		for _, m := range want {
			plain = append(AppendFrameHeader(plain, OpText, len(m)), m...)
		}
		compressed := AppendIndependentFrames([]byte("before"), plain, perMessage)
		if !bytes.HasPrefix(compressed, []byte("before")) {
			t.Fatal("the bytes before were overwritten")
		}
		rest, window := compressed[6:], []byte(nil)
		for _, m := range want {
			var op byte
			var got []byte
			op, got, rest = cutFrame(rest)
			if op&RSV1 != 0 {
				if perMessage {
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
			t.Errorf("%d bytes after the last frame", len(rest))
		}
	})
}

// quotes returns n rendered ticks with random symbols and prices.
func quotes(r *rand.Rand, format Format, n int) (b []byte) {
	var body []byte
	for range n {
		price := quote.Price(10_000 + r.IntN(900))
		t := quote.Tick{Bid: price, Ask: price + 2, Last: price + 1, BidSize: int32(100 * r.IntN(30)), AskSize: 100,
			Volume: int64(r.IntN(1e7)), Due: 1753100000000000 + int64(r.IntN(1e9)), N: uint64(r.IntN(1e5)), Seq: uint64(r.IntN(1e6))}
		body = format.Encoding().AppendQuote(body[:0], fmt.Sprintf("SYM%d", r.IntN(40)), &t)
		b = format.AppendTick(b, 0x9f3c1a, t.Seq, body)
	}
	return b
}

// inflate returns the text of one stream of outputs, each ending in a sync flush.
func inflate(t testing.TB, compressed []byte) []byte {
	t.Helper()
	text, err := io.ReadAll(flate.NewReader(io.MultiReader(bytes.NewReader(compressed), strings.NewReader("\x03\x00"))))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestDeflaterRoundTrip inflates texts of all kinds and sizes, several windows of them.
func TestDeflaterRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	noise := make([]byte, 20_000)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	skewed := make([]byte, 9_000) // reaches the longest Huffman codes
	for i := range skewed {
		skewed[i] = byte(min(255, int(r.ExpFloat64()*6)))
	}
	kinds := []func() []byte{
		func() []byte { return quotes(r, SSEJSON, 1) },
		func() []byte { return quotes(r, SSEJSON, 1) },
		func() []byte { return quotes(r, WSProto, 1+r.IntN(3)) },
		func() []byte { return quotes(r, SSEJSON, r.IntN(60)) },
		func() []byte { return noise[:r.IntN(len(noise))] },
		func() []byte { return noise[:r.IntN(20)] },
		func() []byte { return skewed[r.IntN(len(skewed)):] },
		func() []byte { return bytes.Repeat(noise[:1+r.IntN(300)], 1+r.IntN(60)) },
		func() []byte { return bytes.Repeat([]byte{'x'}, r.IntN(20_000)) },
		func() []byte { return nil },
	}
	d := NewDeflater()
	defer d.Free()
	for round := range 10 {
		d.Reset()
		var text, compressed []byte
		for range 30 {
			k := kinds[r.IntN(len(kinds))]
			if round%3 == 0 {
				k = kinds[round%len(kinds)] // the same kind only
			}
			next := k()
			text = append(text, next...)
			compressed = d.AppendText(compressed, next)
			if !bytes.HasSuffix(compressed, syncTail[:]) {
				t.Fatal("the output does not end in a sync flush")
			}
		}
		if got := inflate(t, compressed); !bytes.Equal(got, text) {
			at := 0
			for at < min(len(got), len(text)) && got[at] == text[at] {
				at++
			}
			t.Fatalf("round %d: %d bytes of %d, different from byte %d", round, len(got), len(text), at)
		}
	}
}

// FuzzDeflater: the output of one context inflates to its text.
func FuzzDeflater(f *testing.F) {
	f.Add([]byte("tick tock"), []byte("tick tick tick"), 3, 100)
	f.Add(quotes(rand.New(rand.NewPCG(5, 6)), SSEJSON, 9), []byte{0}, 40, 300)
	f.Fuzz(func(t *testing.T, a, b []byte, pieces, times int) {
		d := NewDeflater()
		defer d.Free()
		var text, compressed []byte
		for i := range min(max(pieces, 0), 50) {
			piece := bytes.Repeat(a, 1+min(max(times, 0), 20_000/(1+len(a)))*(i%2))
			piece = append(piece, b[min(len(b), i):]...)
			text = append(text, piece...)
			at := len(compressed)
			compressed = d.AppendText(compressed, piece)
			if !bytes.HasSuffix(compressed[at:], syncTail[:]) {
				t.Fatal("the output does not end in a sync flush")
			}
		}
		if got := inflate(t, compressed); !bytes.Equal(got, text) {
			t.Fatalf("%d bytes of %d", len(got), len(text))
		}
	})
}
