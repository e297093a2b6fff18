package loadtest

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode/utf8"
)

// progressWidth is the most characters of the changing line.
const progressWidth = 99

// Progress shows how far a test is: on a terminal in one line that changes, elsewhere in plain lines. A nil *Progress
// writes nothing.
type Progress struct {
	w     io.Writer
	tty   bool
	mu    sync.Mutex
	shown int // characters of the changing line
}

// NewProgress returns a Progress that writes to w. tty reports whether w is a terminal.
func NewProgress(w io.Writer, tty bool) *Progress { return &Progress{w: w, tty: tty} }

// update replaces the changing line. Without a terminal it writes nothing.
func (p *Progress) update(format string, a ...any) {
	if p == nil || !p.tty {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	line := fmt.Sprintf(format, a...)
	if utf8.RuneCountInString(line) > progressWidth {
		line = string([]rune(line)[:progressWidth])
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
	p.erase()
	fmt.Fprintf(p.w, format+"\n", a...)
}

// clear erases the changing line.
func (p *Progress) clear() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
}

func (p *Progress) erase() {
	if p.shown > 0 {
		fmt.Fprintf(p.w, "\r%s\r", strings.Repeat(" ", p.shown))
		p.shown = 0
	}
}
