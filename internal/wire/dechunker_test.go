package wire

import (
	"bytes"
	"fmt"
	"io"
	"net/http/httputil"
	"strconv"
	"strings"
	"testing"
)

func dechunk(text string, cuts ...int) (body string, done bool, err error) {
	var d Dechunker
	var b strings.Builder
	from := 0
	for _, to := range append(cuts, len(text)) {
		done, err = d.Feed([]byte(text[from:to]), func(p []byte) error { b.Write(p); return nil })
		if err != nil {
			return b.String(), done, err
		}
		from = to
	}
	return b.String(), done, nil
}

func TestDechunker(t *testing.T) {
	for _, c := range []struct {
		text, body string
		done       bool
	}{
		{"5\r\nhello\r\n", "hello", false},
		{"5\r\nhello\r\n0\r\n\r\n", "hello", true},
		{"5;ext=1\r\nhello\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n", "hello0123456789", true},
		{"000a\r\n0123456789\r\n", "0123456789", false},
		{"3\nabc\n0\n\n", "abc", true},
	} {
		for cut := range len(c.text) + 1 {
			body, done, err := dechunk(c.text, cut)
			if err != nil || body != c.body || done != c.done {
				t.Errorf("%q cut at %d: %q, done %v, %v", c.text, cut, body, done, err)
			}
		}
	}
}

func TestDechunkerRejects(t *testing.T) {
	for _, text := range []string{"\r\n", "x\r\n", "5\r\nhelloX", "-1\r\n", "fffffffffffffff\r\n", ";a\r\n"} {
		if body, done, err := dechunk(text); err == nil {
			t.Errorf("%q was read as %q, done %v", text, body, done)
		}
	}
}

// TestDechunkerSizes: the characters of a size, those after it, and the largest size that is accepted.
func TestDechunkerSizes(t *testing.T) {
	for i := range 256 {
		c := string([]byte{byte(i)})
		size, err := strconv.ParseUint(c, 16, 8)
		digit := err == nil
		want := strings.Repeat("x", int(size))
		body, _, err := dechunk(c + "\r\n" + want)
		if (err == nil) != digit || body != want {
			t.Errorf("size %q: %q, %v", c, body, err)
		}
		if _, _, err := dechunk("1" + c); (err == nil) != (digit || strings.Contains("\r\n; \t", c)) {
			t.Errorf("%q after a digit: %v", c, err)
		}
	}
	for size, want := range map[string]bool{"10000000001": true, "100000000000": true, "100000000010": false, "1000000000000": false} {
		if _, _, err := dechunk(size + "\r\n"); (err == nil) != want {
			t.Errorf("size %s: %v", size, err)
		}
	}
}

func FuzzDechunker(f *testing.F) {
	f.Add([]byte("hello"), []byte("world"), 4)
	f.Fuzz(func(t *testing.T, a, b []byte, cut int) {
		var text bytes.Buffer
		w := httputil.NewChunkedWriter(&text)
		w.Write(a)
		w.Write(b)
		w.Close()
		fmt.Fprint(&text, "\r\n")
		if cut < 0 || cut > text.Len() {
			cut = 0
		}
		body, done, err := dechunk(text.String(), cut)
		if err != nil || !done || body != string(a)+string(b) {
			t.Errorf("%q cut at %d: %q, done %v, %v", text.String(), cut, body, done, err)
		}
		// What Dechunker accepts, the standard library decodes to the same bytes.
		got, done, err := dechunk(string(a))
		if err == nil && done {
			if want, e := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(a))); e == nil && string(want) != got {
				t.Errorf("%q: %q, net/http reads %q", a, got, want)
			}
		}
	})
}
