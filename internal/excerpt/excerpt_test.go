package excerpt

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestOf(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "",
		"AAPL":                          "AAPL",
		strings.Repeat("x", 40):         strings.Repeat("x", 40),
		strings.Repeat("x", 41):         strings.Repeat("x", 40) + "…",
		"x" + strings.Repeat("é", 20):   "x" + strings.Repeat("é", 19) + "…",
		strings.Repeat("é", 20):         strings.Repeat("é", 20),
		"\xff" + strings.Repeat("x", 9): "\xff" + strings.Repeat("x", 9),
	} {
		if got := Of(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
		if got := Of([]byte(text)); got != want {
			t.Errorf("bytes %q: %q, want %q", text, got, want)
		}
	}
}

func FuzzOf(f *testing.F) {
	f.Add(strings.Repeat("é", 30))
	f.Fuzz(func(t *testing.T, text string) {
		if got := Of(text); len(got) > limit+len("…") || utf8.ValidString(text) && !utf8.ValidString(got) || len(text) <= limit && got != text {
			t.Fatalf("%q: %q", text, got)
		}
	})
}
