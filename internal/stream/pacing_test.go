package stream

import (
	"testing"
	"time"
)

func TestPacingOpen(t *testing.T) {
	const interval = time.Second
	for _, c := range []struct {
		name      string
		p         pacing
		pos, head uint64
		now       time.Duration // after noon
		horizon   uint64
		waiting   bool
	}{
		{"no pacing", pacing{}, 5, 9, 0, 9, false},
		{"no pacing, at the head", pacing{}, 9, 9, 0, 9, false},
		{"first window", pacing{interval: interval}, 5, 9, 0, 9, false},
		{"at the head", pacing{interval: interval, dueAt: noon.Add(interval)}, 9, 9, 0, 0, false},
		{"too early", pacing{interval: interval, dueAt: noon.Add(interval)}, 8, 9, interval - 1, 0, true},
		{"due", pacing{interval: interval, dueAt: noon.Add(interval)}, 8, 9, interval, 9, false},
		{"open window", pacing{interval: interval, dueAt: noon.Add(interval), window: 7}, 5, 9, 0, 7, false},
	} {
		p := c.p
		if got := p.open(noon.Add(c.now), c.pos, c.head); got != c.horizon || p.waiting != c.waiting {
			t.Errorf("%s: horizon %d, waiting %v; want %d, %v", c.name, got, p.waiting, c.horizon, c.waiting)
		}
	}
}

// TestPacingWindow: a window stays open, whatever is appended, until it is closed; the next one opens after the interval.
func TestPacingWindow(t *testing.T) {
	p := pacing{interval: time.Second}
	if got := p.open(noon, 0, 5); got != 5 {
		t.Fatalf("horizon %d", got)
	}
	p.written(noon)
	if got := p.open(noon, 3, 9); got != 5 {
		t.Errorf("the open window ends at %d", got)
	}
	p.close()
	if got := p.open(noon.Add(time.Second-1), 5, 9); got != 0 || !p.waiting {
		t.Errorf("too early: horizon %d", got)
	}
	if got := p.open(noon.Add(time.Second), 5, 9); got != 9 {
		t.Errorf("after the interval: horizon %d", got)
	}
}
