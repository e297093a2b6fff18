package recipes

import (
	"fmt"
	"strconv"
	"sync"
)

// Symbols returns the names of n symbols.
func Symbols(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("S%04d", i)
	}
	return names
}

// market is the state that a snapshot shows: the newest tick of each symbol.
type market struct {
	names []string

	mu    sync.Mutex // guards what follows, and orders ticks and snapshots
	seq   int64
	ticks []string // JSON without the last brace
}

func newMarket(symbols int) *market {
	m := &market{names: Symbols(symbols), ticks: make([]string, symbols)}
	for range symbols {
		m.record(m.seq+1, 1)
	}
	return m
}

// next returns the next tick. The first seqs are those of the market's start.
func (m *market) next(seq, due int64) *Tick {
	seq += int64(len(m.names))
	json := append(m.tick(seq, due), '}')
	t := &Tick{ID: strconv.FormatInt(seq, 10), JSON: json, seq: seq, due: due}
	t.SSE = fmt.Appendf(nil, "data: %s\nid: %d\n\n", json, seq)
	return t
}

func (m *market) tick(seq, due int64) []byte {
	n := int64(len(m.names))
	return fmt.Appendf(nil, `{"T":"q","S":"%s","bp":187.21,"bs":30,"ap":187.24,"as":5,"p":187.22,"v":4815,"t":%d,"n":%d,"i":%d`,
		m.names[(seq-1)%n], due, 1+(seq-1)/n, seq)
}

// record keeps a tick as the newest of its symbol. The caller holds mu, except while the market is made.
func (m *market) record(seq, due int64) {
	k := (seq - 1) % int64(len(m.names))
	m.seq, m.ticks[k] = seq, string(m.tick(seq, due))
}

// snapshot renders the state, as each of these recipes does for each client. The caller holds mu.
func (m *market) snapshot() []byte {
	b := fmt.Appendf(nil, `{"T":"snapshot","i":%d,"quotes":[`, m.seq)
	for i, t := range m.ticks {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, t...), `,"o":187.00,"h":188.10,"l":186.90,"c":187.05}`...)
	}
	return append(b, `]}`...)
}

// join returns a new client's queue, and the snapshot that precedes its first tick.
func join[T any](m *market, h *hub[T]) (snapshot []byte, ticks chan T) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.snapshot(), h.join()
}

// publish records a tick and sends it to the clients of a hub.
func publish[T any](m *market, h *hub[T], t *Tick, rendered T) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.record(t.seq, t.due)
	h.publish(rendered)
}
