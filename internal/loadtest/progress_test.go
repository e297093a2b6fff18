package loadtest

import (
	"strings"
	"testing"
)

func TestProgressOnATerminal(t *testing.T) {
	var b strings.Builder
	p := NewProgress(&b, true)
	p.update("a long line of progress")
	p.update("short")
	p.line("stays")
	p.update("%s", strings.Repeat("x", 300))
	p.clear()
	p.clear()
	want := "\ra long line of progress\rshort" + strings.Repeat(" ", 18) + "\r     \rstays\n\r" + strings.Repeat("x", 99) + "\r" + strings.Repeat(" ", 99) + "\r"
	if b.String() != want {
		t.Errorf("%q\nwant\n%q", b.String(), want)
	}
}
