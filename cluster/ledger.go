//go:build linux

package main

import (
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"slices"
	"sync"
	"time"
)

// ledger holds every tick that any client has received. A seq of an epoch must be the same tick for all of them. It is safe for
// concurrent use.
type ledger struct {
	mu       sync.Mutex
	seed     maphash.Seed
	epochs   map[string]*epochTicks
	current  string   // epoch of the newest first arrival
	moves    stall    // of the feed: first arrivals
	findings []string // what must not be, the first maxFindings
}

// epochTicks are the ticks of one epoch.
type epochTicks struct {
	bySeq   map[uint64]seen
	last    map[string]seen // newest verified tick of each symbol
	checked uint64          // verified up to this seq
	head    uint64
	bySize  map[uint64]int // how many ticks have a size of the bid
}

// seen is a tick as the first client received it.
type seen struct {
	text   uint64 // hash of the message
	symbol string
	n      uint64
	price  float64
	by     string // the client
}

const (
	maxFindings = 20
	// maxStep bounds the relative change of a price from one tick of a symbol to the next. The simulator's are a tenth of it at most.
	maxStep = 0.05
)

func newLedger() *ledger {
	return &ledger{seed: maphash.MakeSeed(), epochs: map[string]*epochTicks{}}
}

// add records that a client has received a tick.
func (l *ledger) add(client, epoch string, text []byte, m *message, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.epochs[epoch]
	if e == nil {
		e = &epochTicks{bySeq: map[uint64]seen{}, last: map[string]seen{}, bySize: map[uint64]int{}}
		l.epochs[epoch] = e
	}
	hash := maphash.Bytes(l.seed, text)
	if first, ok := e.bySeq[m.I]; ok {
		if first.text != hash {
			l.find("%s-%d is %.120s for %s and another tick for %s", epoch, m.I, text, client, first.by)
		}
		return
	}
	e.bySeq[m.I] = seen{text: hash, symbol: m.S, n: m.N, price: m.P, by: client}
	e.bySize[m.BidSize]++
	e.head = max(e.head, m.I)
	l.current = epoch
	l.moves.tick(at)
}

func (l *ledger) find(format string, a ...any) {
	if len(l.findings) < maxFindings {
		l.findings = append(l.findings, fmt.Sprintf(format, a...))
	}
}

// report records what must not be.
func (l *ledger) report(format string, a ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.find(format, a...)
}

// head returns the newest position that any client has received.
func (l *ledger) head() (epoch string, seq uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.epochs[l.current]; e != nil {
		seq = e.head
	}
	return l.current, seq
}

// verify checks the ticks since the call before: seqs have no holes, the numbers of a symbol no holes, and its prices no jumps. It
// returns what was found since then, by the clients too.
func (l *ledger) verify() (findings []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for epoch, e := range l.epochs {
		seqs := make([]uint64, 0, len(e.bySeq))
		for seq := range e.bySeq {
			if seq > e.checked {
				seqs = append(seqs, seq)
			}
		}
		slices.Sort(seqs)
		for _, seq := range seqs {
			if e.checked > 0 && seq != e.checked+1 {
				l.find("%s: no client has received %d to %d", epoch, e.checked+1, seq-1)
			}
			e.checked = seq
			x := e.bySeq[seq]
			before, known := e.last[x.symbol]
			e.last[x.symbol] = x
			switch {
			case !known:
			case x.n != before.n+1:
				l.find("%s-%d: %s has n %d after %d", epoch, seq, x.symbol, x.n, before.n)
			case math.Abs(x.price-before.price) > maxStep*before.price:
				l.find("%s-%d: the price of %s is %g after %g", epoch, seq, x.symbol, x.price, before.price)
			}
		}
	}
	findings, l.findings = l.findings, nil
	return findings
}

// lines returns an error unless each line of a feeder up to the number is one tick of the current epoch, and none is two.
func (l *ledger) lines(upto uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.epochs[l.current]
	if e == nil {
		return errors.New("no ticks")
	}
	for n, ticks := range e.bySize {
		if ticks > 1 {
			return fmt.Errorf("line %d is %d ticks", n, ticks)
		}
	}
	for n := uint64(1); n <= upto; n++ {
		if e.bySize[n] == 0 {
			return fmt.Errorf("line %d of %d that were accepted is no tick", n, upto)
		}
	}
	return nil
}

// stalled returns the longest time without a new tick of the feed since begin.
func (l *ledger) stalled(now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.moves.until(now)
}

// begin starts a measurement of stalled.
func (l *ledger) begin(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.moves.begin(now)
}

// stall measures the longest time between two ticks.
type stall struct {
	last    time.Time
	longest time.Duration
}

func (s *stall) begin(at time.Time) { *s = stall{last: at} }

func (s *stall) tick(at time.Time) {
	s.longest = s.until(at)
	if at.After(s.last) {
		s.last = at
	}
}

// until returns the longest time, that since the newest tick included.
func (s *stall) until(now time.Time) time.Duration {
	if s.last.IsZero() {
		return 0
	}
	return max(s.longest, now.Sub(s.last))
}
