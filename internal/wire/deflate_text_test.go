package wire

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"ticklane/internal/quote"
)

// quotes is what a market's lanes carry: n ticks of some symbols, in an order and of prices by chance.
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

// unpack inflates pieces that end in a sync flush, as one stream.
func unpack(t testing.TB, packed []byte) []byte {
	t.Helper()
	text, err := io.ReadAll(flate.NewReader(io.MultiReader(bytes.NewReader(packed), strings.NewReader("\x03\x00"))))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestDeflaterWritesWhatItGot: texts of all kinds and sizes, over several windows of them, come out as they went in.
func TestDeflaterWritesWhatItGot(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	noise := make([]byte, 20_000)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	skewed := make([]byte, 9_000) // codes as long as may be, and longer
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
		var text, packed []byte
		for range 30 {
			k := kinds[r.IntN(len(kinds))]
			if round%3 == 0 {
				k = kinds[round%len(kinds)] // nothing but that
			}
			next := k()
			text = append(text, next...)
			packed = d.AppendText(packed, next)
			if !bytes.HasSuffix(packed, syncTail[:]) {
				t.Fatal("no flush at the end")
			}
		}
		if got := unpack(t, packed); !bytes.Equal(got, text) {
			at := 0
			for at < min(len(got), len(text)) && got[at] == text[at] {
				at++
			}
			t.Fatalf("round %d: %d bytes of %d, other ones from %d on", round, len(got), len(text), at)
		}
	}
}

// FuzzDeflater: what one context packs comes out as it went in.
func FuzzDeflater(f *testing.F) {
	f.Add([]byte("tick tock"), []byte("tick tick tick"), 3, 100)
	f.Add(quotes(rand.New(rand.NewPCG(5, 6)), SSEJSON, 9), []byte{0}, 40, 300)
	f.Fuzz(func(t *testing.T, a, b []byte, pieces, times int) {
		d := NewDeflater()
		defer d.Free()
		var text, packed []byte
		for i := range min(max(pieces, 0), 50) {
			piece := bytes.Repeat(a, 1+min(max(times, 0), 20_000/(1+len(a)))*(i%2))
			piece = append(piece, b[min(len(b), i):]...)
			text = append(text, piece...)
			at := len(packed)
			packed = d.AppendText(packed, piece)
			if !bytes.HasSuffix(packed[at:], syncTail[:]) {
				t.Fatal("no flush at the end")
			}
		}
		if got := unpack(t, packed); !bytes.Equal(got, text) {
			t.Fatalf("%d bytes of %d", len(got), len(text))
		}
	})
}
