package storm

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"ticklane/internal/wire"
)

// TestInflater: clients with different first texts and a common rest receive the right text, and the rest is decompressed
// once.
func TestInflater(t *testing.T) {
	for _, size := range []int{2 << 10, 100 << 10} {
		var body strings.Builder
		for i := 0; body.Len() < size; i++ {
			fmt.Fprintf(&body, "quote %d at %d;", i, i*i)
		}
		f := newInflater()
		var rest *block
		for c := range 3 {
			// The body refers to nothing before it. The ticks refer to the body.
			own := fmt.Sprintf(`{"T":"hello","conn":"%d"}`, c)
			var packed bytes.Buffer
			w, err := flate.NewWriter(&packed, 6)
			if err != nil {
				t.Fatal(err)
			}
			pack := func(text string) []byte {
				packed.Reset()
				w.Write([]byte(text))
				w.Flush()
				return bytes.Clone(packed.Bytes())
			}
			blocks := [][]byte{pack(own)}
			w.Reset(&packed)
			tick := body.String()[size-300 : size-200]
			texts := []string{own, body.String(), tick, tick + "x"}
			for _, text := range texts[1:] {
				blocks = append(blocks, pack(text))
			}
			var s stream
			var last *block
			for i, b := range blocks {
				if last, err = f.next(&s, b); err != nil || string(last.text) != texts[i] {
					t.Fatalf("%d bytes, client %d, block %d: %v", size, c, i, err)
				}
			}
			if rest == nil {
				rest = last
			}
			if last != rest {
				t.Errorf("%d bytes, client %d: the common text was decompressed again", size, c)
			}
		}
	}
}

// TestInflaterOwnText: a block that refers to a client's own text is decompressed for that client.
func TestInflaterOwnText(t *testing.T) {
	f := newInflater()
	for c := range 2 {
		var packed bytes.Buffer
		w, err := flate.NewWriter(&packed, 6)
		if err != nil {
			t.Fatal(err)
		}
		var s stream
		for i := range 20 {
			text := fmt.Sprintf(`{"conn":"client %d, client %d, client %d", "i":%d}`, c, c, c, i)
			packed.Reset()
			w.Write([]byte(text))
			w.Flush()
			b, err := f.next(&s, packed.Bytes())
			if err != nil || string(b.text) != text {
				t.Fatalf("client %d: %q, %v; want %q", c, b.text, err, text)
			}
		}
	}
	if _, err := f.next(&stream{}, []byte{0xff, 0, 0, 0xff, 0xff}); !errors.Is(err, errDeflate) {
		t.Errorf("%v, want %v", err, errDeflate)
	}
}

// TestEvents: an event stream in pieces of every size gives the same events.
func TestEvents(t *testing.T) {
	const text = "retry: 7\nevent: hello\ndata: one\n\nid: e-1\r\ndata: two\r\ndata:three\r\n\r\n: comment\n\ndata: four\nid: e-2\n\ndata: unfinished"
	want := []string{`one  false 7`, "two\nthree e-1 true 0", "four e-2 true 0"}
	for size := 1; size <= len(text); size++ {
		var p eventParser
		var got []string
		for b := []byte(text); len(b) > 0; {
			n := min(size, len(b))
			piece := bytes.Clone(b[:n])
			p.feed(piece, func(data []byte, e *eventParser) {
				got = append(got, fmt.Sprintf("%s %s %v %d", data, e.id, e.set, e.wait))
			})
			clear(piece) // the parser keeps nothing of it
			b = b[n:]
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("pieces of %d: %q", size, got)
		}
	}
}

// TestFrames: frames in pieces of every size give the same payloads.
func TestFrames(t *testing.T) {
	var wireText []byte
	want := []string{"", "short", strings.Repeat("x", 300)}
	for _, w := range want {
		wireText = append(wire.AppendFrameHeader(wireText, wire.OpText, len(w)), w...)
	}
	for size := 1; size <= len(wireText); size++ {
		var p frameParser
		var got []string
		for b := wireText; len(b) > 0; {
			n := min(size, len(b))
			piece := bytes.Clone(b[:n])
			if err := p.feed(piece, func(_ wire.FrameHeader, payload []byte) error {
				got = append(got, string(payload))
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			clear(piece)
			b = b[n:]
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("pieces of %d: %q", size, got)
		}
	}
}

func TestResponse(t *testing.T) {
	r, ok := parseResponse([]byte("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip"))
	if want := (response{status: 503, retryAfter: 7e9, chunked: true, compressed: true}); !ok || r != want {
		t.Errorf("%+v, want %+v", r, want)
	}
	if _, ok := parseResponse([]byte("SSH-2.0")); ok {
		t.Error("another protocol was accepted")
	}
}
