package loadtest

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode/utf8"
)

// Progress tells a person how far a test is: one line that changes on a terminal, plain lines elsewhere.
type Progress struct {
	w     io.Writer
	tty   bool
	mu    sync.Mutex
	shown int // characters of the changing line
}

// NewProgress writes to w; tty says whether w is a terminal.
func NewProgress(w io.Writer, tty bool) *Progress { return &Progress{w: w, tty: tty} }

// update changes the line of a terminal. Elsewhere it writes nothing.
func (p *Progress) update(format string, a ...any) {
	if p == nil || !p.tty {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	line := fmt.Sprintf(format, a...)
	if utf8.RuneCountInString(line) > 99 {
		line = string([]rune(line)[:99])
	}
	n := utf8.RuneCountInString(line)
	fmt.Fprintf(p.w, "\r%s%s", line, strings.Repeat(" ", max(0, p.shown-n)))
	p.shown = n
}

// line writes a line that stays.
func (p *Progress) line(format string, a ...any) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	line := fmt.Sprintf(format, a...)
	if p.shown > 0 {
		fmt.Fprintf(p.w, "\r%s\r", strings.Repeat(" ", p.shown))
		p.shown = 0
	}
	fmt.Fprintln(p.w, line)
}

// clear takes the changing line away.
func (p *Progress) clear() {
	if p == nil || p.shown == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.w, "\r%s\r", strings.Repeat(" ", p.shown))
	p.shown = 0
}
