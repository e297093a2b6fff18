package natsbus

import (
	"errors"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Roles of a node.
const (
	RoleWriter  = "writer"
	RoleStandby = "standby" // it may write, but another node does
	RoleReader  = "reader"
)

// Status describes the node and what it knows of the stream.
type Status struct {
	Role       string
	Writer     string // name of the node with the lease; empty if none has it
	Term       uint64
	Epoch      uint64
	Head       uint64    // number of the newest tick that was read
	Lag        uint64    // messages that were in the stream but not read at the newest check
	Ready      bool      // see Bus.Ready
	Connected  bool      // to a server
	Server     string    // its address, empty if it is embedded
	StaleSince time.Time // since when the node can't know whether it has the newest ticks, or no node writes any; zero otherwise
	Err        string    // why, or why this node can't write; empty if nothing fails
	Read       Latency   // from a server's store to the sinks, by the clocks of the server and this node; of what was stored since the start
	Ack        Latency   // from publishing a batch to its acknowledgement, on the writer
}

// Latency has quantiles of the newest durations, at most 1,024.
type Latency struct{ P50, P99 time.Duration }

var errUnwritten = errors.New("no node runs the feed")

// health is what Status reports of the connection.
type health struct {
	checked    time.Time // newest comparison with the stream
	checkError error     // of the newest
	readError  error     // since the newest message or heartbeat
	leadError  error     // of the newest attempt to write
	failing    time.Time // since when there is a leadError
	unwritten  time.Time // since when no node had the lease at each comparison; zero if one has it
	staleSince time.Time
	last       uint64 // sequence of the newest message at the newest comparison
	holder     string
	reads      durations
	acks       durations
}

// Status returns the status of the node.
func (b *Bus) Status() Status {
	s, reads, acks := b.status()
	s.Read, s.Ack = reads.latency(), acks.latency()
	return s
}

// status returns the status without the latencies, and the durations of these.
func (b *Bus) status() (s Status, reads, acks durations) {
	disconnected := b.disconnected()
	connected := disconnected == nil
	b.mu.Lock()
	defer b.mu.Unlock()
	h := &b.health
	s = Status{
		Role: RoleReader, Writer: h.holder, Term: b.view.term, Epoch: b.view.epoch, Head: b.view.head, Ready: b.view.sequence >= b.target,
		Connected: connected, Lag: h.last - min(h.last, b.view.sequence),
	}
	switch {
	case b.writing != nil:
		s.Role, s.Writer = RoleWriter, b.o.Name
	case b.o.Lead:
		s.Role = RoleStandby
	}
	if b.embedded == nil {
		s.Server = serverOf(b.conn)
	}
	var unwritten error
	long := 2 * b.o.timing.check
	switch {
	case b.writing != nil:
	case !h.unwritten.IsZero() && time.Since(h.unwritten) > long:
		unwritten = errUnwritten
	case h.leadError != nil && time.Since(h.failing) > long: // with the lease
		unwritten = h.leadError
	}
	for _, err := range []error{disconnected, h.checkError, h.readError, h.leadError, unwritten} {
		if err != nil {
			s.Err = err.Error()
			break
		}
	}
	switch {
	case h.checkError != nil || h.readError != nil || !connected || time.Since(h.checked) > 3*b.o.timing.check:
		if h.staleSince.IsZero() {
			h.staleSince = h.checked
		}
	case unwritten != nil:
		if h.staleSince.IsZero() {
			h.staleSince = time.Now().Add(-long)
		}
	default:
		h.staleSince = time.Time{}
	}
	s.StaleSince = h.staleSince
	return s, h.reads, h.acks
}

// Term returns the newest term of a writer in the stream that this node has read; 0 before the first.
func (b *Bus) Term() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.view.term
}

// Conn returns the connection, for what else the nodes exchange. Close closes it.
func (b *Bus) Conn() *nats.Conn { return b.conn }

// JetStream returns the JetStream context of the connection.
func (b *Bus) JetStream() jetstream.JetStream { return b.js }

// durations holds the newest durations.
type durations struct {
	ring [1024]time.Duration
	n    int // added
}

func (d *durations) add(v time.Duration) {
	d.ring[d.n%len(d.ring)] = v
	d.n++
}

func (d *durations) latency() Latency {
	sorted := slices.Clone(d.ring[:min(d.n, len(d.ring))])
	if len(sorted) == 0 {
		return Latency{}
	}
	slices.Sort(sorted)
	return Latency{sorted[len(sorted)/2], sorted[len(sorted)*99/100]}
}
