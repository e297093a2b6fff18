package stream

import "time"

// pacing spaces the writes of ticks by an interval. When a write is due, it opens a window that ends at the log's head of
// that moment; the ticks up to there are written at once, in as many reads as they need.
type pacing struct {
	interval time.Duration // 0 for no pacing
	dueAt    time.Time     // no window opens before
	window   uint64        // the seq at which the open window ends; 0 for none
	waiting  bool          // open found ticks before dueAt; reset by the caller before each pass
}

// open returns the seq up to which ticks are due, 0 for none, given a cursor at pos and the log's head.
func (p *pacing) open(now time.Time, pos, head uint64) (horizon uint64) {
	switch {
	case p.interval <= 0:
		return head
	case p.window > 0:
		return p.window
	case head <= pos:
		return 0
	case now.Before(p.dueAt):
		p.waiting = true
		return 0
	}
	p.window = head
	return head
}

// close ends the window: everything up to its end was read, or lost.
func (p *pacing) close() { p.window = 0 }

// written notes that ticks were written.
func (p *pacing) written(now time.Time) { p.dueAt = now.Add(p.interval) }
