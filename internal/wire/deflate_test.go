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
		{AppendIndependent(nil, noise(300)), string(noise(300))},
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

// noise returns n incompressible bytes.
func noise(n int) []byte {
	b, rng := make([]byte, n), rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// TestIndependentTextIsCompressedOrStored: the output is the shorter one of both.
func TestIndependentTextIsCompressedOrStored(t *testing.T) {
	var text []byte
	for n := range 40 {
		text = append(text, noise(n)...)
		text = append(text, strings.Repeat("a", n)...)
	}
	for _, n := range []int{0, 1, 2, 5, 20, 100, 1000, 16_384, 20_000, 65_535, 65_536, 131_070, 131_071} {
		for _, text := range [][]byte{text[:min(n, len(text))], noise(n), make([]byte, n)} {
			d := NewDeflater()
			compressed := d.AppendText(nil, text)
			d.Free()
			stored := AppendStored(nil, text)
			if len(stored) != storedSize(len(text)) {
				t.Errorf("%d bytes stored in %d, want %d", len(text), len(stored), storedSize(len(text)))
			}
			got := AppendIndependent([]byte("before"), text)[len("before"):]
			if want := min(len(compressed), len(stored)); len(got) != want || !bytes.Equal(inflate(t, got), text) {
				t.Errorf("%d bytes become %d, want %d", len(text), len(got), want)
			}
		}
	}
	for n, overhead := range map[int]int{0: 5, 1: 10, 65_535: 10, 65_536: 15, 131_070: 15, 131_071: 20} {
		if got := storedSize(n); got != n+overhead {
			t.Errorf("%d bytes are stored in %d, want %d", n, got, n+overhead)
		}
	}
}

// TestFramesAreCompressedIfShorter: in one context per message, a frame that compression doesn't shorten is unchanged.
func TestFramesAreCompressedIfShorter(t *testing.T) {
	before := bytes.Repeat([]byte{'x'}, 1000)
	var shorter, equal, longer int
	for n := range 300 {
		text := []byte(strings.Repeat("a", n))
		if n > 100 {
			text = noise(n)
		}
		frame := append(AppendFrameHeader(nil, OpText, len(text)), text...)
		d := NewDeflater()
		want := d.AppendFrames(nil, frame)
		d.Free()
		switch {
		case len(want) < len(frame):
			shorter++
		case len(want) == len(frame):
			equal++
			want = frame
		default:
			longer++
			want = frame
		}
		if got := AppendIndependentFrames(bytes.Clone(before), frame, true); !bytes.Equal(got[:1000], before) || !bytes.Equal(got[1000:], want) {
			t.Errorf("a frame with %d bytes of payload becomes %d bytes, want %d", n, len(got)-1000, len(want))
		}
	}
	if shorter == 0 || equal == 0 || longer == 0 {
		t.Errorf("%d frames become shorter, %d remain equal, %d would become longer: each case must occur", shorter, equal, longer)
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
	noise := noise(100_000)
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
		t := quote.Tick{Bid: price, Ask: price + 2, Last: price + 1, BidSize: quote.Size(100 * r.IntN(30)), AskSize: 100,
			Volume: quote.Size(r.IntN(1e7)), Due: 1753100000000000 + int64(r.IntN(1e9)), N: uint64(r.IntN(1e5)), Seq: uint64(r.IntN(1e6))}
		body = format.Encoding().AppendQuote(body[:0], instrument(fmt.Sprintf("SYM%d", r.IntN(40))), &t)
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
	noise := noise(20_000)
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
