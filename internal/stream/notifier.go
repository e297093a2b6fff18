package stream

import "time"

// The notifier is the log's own group, for subscribers that have a goroutine each.

func (g *Group) start() {
	g.quit = make(chan struct{})
	g.done = make(chan struct{})
	go g.run()
}

// stop ends the goroutine and waits for it.
func (g *Group) stop() {
	close(g.quit)
	<-g.done
}

func (g *Group) run() {
	defer close(g.done)
	for {
		select {
		case <-g.quit:
			return
		case <-g.signals:
		}
		g.notifyAll(g.log.head.Load())
		if interval := g.log.cfg.FlushInterval; interval > 0 {
			t := time.NewTimer(interval)
			select {
			case <-g.quit:
				t.Stop()
				return
			case <-t.C:
			}
		}
	}
}

// notifyAll notifies the waiting subscribers that have new ticks up to head.
func (g *Group) notifyAll(head uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.rotation = g.rotation.next()
	g.every.notify(g.rotation)
	for _, id := range g.newSymbols(head) {
		g.bySymbol[id].notify(g.rotation)
	}
	g.sweep(head, (*Subscriber).notifyWaiting)
}

func (w *waitlist) notify(r rotation) {
	for s := range w.rotated(r) {
		s.notifyWaiting()
	}
}

// notifyWaiting notifies the subscriber if it waits for a tick.
func (s *Subscriber) notifyWaiting() {
	if s.waiting.Load() && s.waiting.CompareAndSwap(true, false) {
		s.Notify()
	}
}
