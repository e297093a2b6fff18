package stream

import "sync"

// appender appends a fixture's ticks in a goroutine, up to a seq that the test moves.
type appender struct {
	mu      sync.Mutex
	changed sync.Cond
	limit   uint64
	head    uint64
	stopped bool
	done    chan struct{}
}

func startAppender(p *fixture, l *Log) *appender {
	a := &appender{done: make(chan struct{})}
	a.changed.L = &a.mu
	go func() {
		defer close(a.done)
		for a.wait() {
			head := l.Head().Seq
			head = min(head+1+head%7, uint64(len(p.ticks)))
			p.play(l, head)
			a.mu.Lock()
			a.head = head
			a.mu.Unlock()
			a.changed.Broadcast()
		}
	}()
	return a
}

// wait blocks until more may be appended. It returns false after stop.
func (a *appender) wait() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for !a.stopped && a.head >= a.limit {
		a.changed.Wait()
	}
	return !a.stopped
}

// allow lets the ticks up to about seq be appended.
func (a *appender) allow(seq uint64) {
	a.mu.Lock()
	a.limit = max(a.limit, seq)
	a.mu.Unlock()
	a.changed.Broadcast()
}

// await does the same, and waits until they are appended.
func (a *appender) await(seq uint64) {
	a.allow(seq)
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.head < seq {
		a.changed.Wait()
	}
}

// stop waits for the goroutine. It may be called more than once.
func (a *appender) stop() {
	a.mu.Lock()
	a.stopped = true
	a.mu.Unlock()
	a.changed.Broadcast()
	<-a.done
}
