package stream

import "sync"

// exchange appends a tape in a goroutine of its own, as far as it is allowed.
type exchange struct {
	mu       sync.Mutex
	changed  sync.Cond
	upto     uint64
	head     uint64
	shut     bool
	finished chan struct{}
}

func openExchange(p *tape, l *Log) *exchange {
	c := &exchange{finished: make(chan struct{})}
	c.changed.L = &c.mu
	go func() {
		defer close(c.finished)
		for c.next() {
			head := l.Head().Seq
			head = min(head+1+head%7, uint64(len(p.ticks)))
			p.play(l, head)
			c.mu.Lock()
			c.head = head
			c.mu.Unlock()
			c.changed.Broadcast()
		}
	}()
	return c
}

// next waits until more may be appended; false when it shall stop.
func (c *exchange) next() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.shut && c.head >= c.upto {
		c.changed.Wait()
	}
	return !c.shut
}

func (c *exchange) allow(upto uint64) {
	c.mu.Lock()
	c.upto = max(c.upto, upto)
	c.mu.Unlock()
	c.changed.Broadcast()
}

// await lets the market go on to seq, and waits for it.
func (c *exchange) await(seq uint64) {
	c.allow(seq)
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.head < seq {
		c.changed.Wait()
	}
}

func (c *exchange) stop() {
	c.mu.Lock()
	c.shut = true
	c.mu.Unlock()
	c.changed.Broadcast()
	<-c.finished
}
