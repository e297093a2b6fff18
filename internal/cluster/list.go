package cluster

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"
)

// Options are the options of a List. Run calls the functions, Head from several goroutines.
type Options struct {
	Conn   *nats.Conn // nil for a single node
	Prefix string     // of the subject: <prefix>.nodes

	Report func() Report                    // of this node. The list sets Behind, Ticks and Bytes
	Sent   func() (ticks, bytes uint64)     // to clients since the start
	Head   func() (epoch string, at uint64) // of this node's log

	Settings func() []Setting // that should be the same on all nodes; nil for none

	Logger *slog.Logger
}

const (
	interval     = time.Second     // between the reports of a node
	lostAfter    = 5 * time.Second // without a report
	forgetAt     = 5 * time.Minute // after the newest report
	idleAfter    = 2 * interval    // without a writer
	duplicateFor = 3 * interval    // another node may have the same name after the newest report
	maxNodes     = 256             // other nodes
	maxChanges   = 50              // changes of the writer
	maxPoints    = 300             // of a node at least: five minutes
)

// List is the list of nodes as this one knows them. Its methods may be called from any goroutine.
type List struct {
	o       Options
	id      string
	ticks   uint64 // Sent at the newest report
	bytes   uint64
	sampled time.Time

	mu         sync.Mutex
	entries    map[string]*entry // by id
	behind     uint64            // largest difference to a head since the newest report
	changes    []Change
	idle       time.Time       // since when no node writes; zero while one does
	ignored    map[string]bool // names of nodes whose reports have another version, and errors, logged once
	duplicates map[string]bool // names that several nodes have, as logged
	settings   []Setting       // of this node

	settingsLogged int // differences that were logged
}

// entry is what is known of one start of a node.
type entry struct {
	message
	first, reported time.Time
	points          []Point
	inherited       int // how many of the points are of an earlier start
	differs         map[string]*difference
}

// New returns a list, which is empty until Run.
func New(o Options) *List {
	o.Logger = cmp.Or(o.Logger, slog.Default())
	return &List{o: o, id: nuid.Next(), entries: make(map[string]*entry), ignored: make(map[string]bool), duplicates: make(map[string]bool)}
}

// Run publishes this node's reports and receives those of the others, until ctx is done. Then it reports that this node leaves.
func (l *List) Run(ctx context.Context) {
	if l.o.Conn != nil {
		sub, err := l.o.Conn.Subscribe(l.subject(), func(m *nats.Msg) { l.receive(m.Data, time.Now()) })
		if err != nil { // the connection was closed
			l.o.Logger.Error("the other nodes are unknown", "err", err)
			return
		}
		defer func() { _ = sub.Unsubscribe() }()
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		l.publish(l.report(time.Now()))
		select {
		case <-ctx.Done():
			m := l.report(time.Now())
			m.Leaving, m.Ready, m.Reason = true, false, ReasonStopping
			l.publish(m)
			if l.o.Conn != nil && l.o.Conn.IsConnected() {
				_ = l.o.Conn.FlushTimeout(interval)
			}
			return
		case <-tick.C:
		}
	}
}

func (l *List) subject() string { return l.o.Prefix + ".nodes" }

// publish sends a message. Without a connection it is lost: the next one follows in a second.
func (l *List) publish(m message) {
	if l.o.Conn != nil {
		_ = l.o.Conn.Publish(l.subject(), m.encode())
	}
}

// report makes a report of this node and adds it to the list.
func (l *List) report(now time.Time) message {
	m := message{Format: format, ID: l.id, Report: l.o.Report()}
	ticks, bytes := l.o.Sent()
	if took := now.Sub(l.sampled).Seconds(); !l.sampled.IsZero() && took > 0 {
		m.Ticks, m.Bytes = float64(ticks-min(l.ticks, ticks))/took, float64(bytes-min(l.bytes, bytes))/took
	}
	l.ticks, l.bytes, l.sampled = ticks, bytes, now
	l.setSettings(&m)
	l.mu.Lock()
	defer l.mu.Unlock()
	m.Behind, l.behind = l.behind, 0
	l.add(m, now)
	l.sweep(now)
	return m
}

// receive adds the message of another node.
func (l *List) receive(data []byte, now time.Time) {
	m, err := parse(data)
	if err == nil && m.ID == l.id {
		return
	}
	epoch, head := l.o.Head()
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err != nil:
		if why := err.Error(); !l.ignored[why] && len(l.ignored) < 10 {
			l.ignored[why] = true
			l.o.Logger.Warn("report of a node ignored", "err", err)
		}
		return
	case l.entries[m.ID] == nil && len(l.entries) > maxNodes && !l.makeRoom(now):
		return
	case m.Epoch == epoch:
		// Both heads are of this moment, whatever the clocks are: reports take the same way as ticks.
		l.behind = max(l.behind, m.Head-min(m.Head, head))
	}
	l.add(*m, now)
	l.noteWriter(now)
}

// makeRoom removes the node that has been silent for longest, and reports whether there was one that isn't up. The list is locked.
func (l *List) makeRoom(now time.Time) bool {
	oldest := ""
	for id, e := range l.entries {
		if id != l.id && e.state(now) != StateUp && (oldest == "" || e.reported.Before(l.entries[oldest].reported)) {
			oldest = id
		}
	}
	delete(l.entries, oldest)
	return oldest != ""
}

// add adds or replaces the report of a node. The list is locked.
func (l *List) add(m message, now time.Time) {
	e := l.entries[m.ID]
	if e == nil {
		e = &entry{first: now}
		for id, old := range l.entries {
			if old.Name != m.Name {
				continue
			}
			if len(old.points) > len(e.points) {
				e.points, e.inherited = append([]Point(nil), old.points...), len(old.points) // the node was started anew
			}
			if old.Leaving {
				delete(l.entries, id)
			}
		}
		l.entries[m.ID] = e
	}
	e.message, e.reported = m, now
	if m.Leaving {
		return
	}
	if len(e.points) == 2*maxPoints {
		e.points = append(e.points[:0], e.points[maxPoints:]...)
	}
	e.points = append(e.points, Point{now.UnixMicro(), m.Role == RoleWriter, m.Behind, m.Read.P50, m.Read.P99})
}

// sweep removes nodes without a report for long, and logs names that several nodes have and settings that differ. The list is locked.
func (l *List) sweep(now time.Time) {
	for id, e := range l.entries {
		if now.Sub(e.reported) > forgetAt || l.replaced(e) && now.Sub(e.reported) > duplicateFor {
			delete(l.entries, id)
		}
	}
	l.noteWriter(now)
	duplicates := make(map[string]bool)
	for _, e := range l.entries {
		if e.ID != l.id && e.state(now) == StateUp {
			l.compareSettings(e, now)
		}
		if !l.duplicate(e, now) {
			continue
		}
		if !l.duplicates[e.Name] && !duplicates[e.Name] {
			l.o.Logger.Warn("two nodes have the same name: set bus.node to a different one on each", "name", e.Name)
		}
		duplicates[e.Name] = true
		e.points, e.inherited = e.points[min(e.inherited, len(e.points)):], 0 // it wasn't started anew
	}
	l.duplicates = duplicates
}

// noteWriter notes that another node writes, or that none has for a while. The list is locked.
func (l *List) noteWriter(now time.Time) {
	change := Change{At: now.UnixMicro()}
	if change.Node, change.Term = l.writer(now); change.Node != "" {
		l.idle = time.Time{}
	} else {
		if l.idle.IsZero() {
			l.idle = now
		}
		if now.Sub(l.idle) < idleAfter {
			return // another one may have reported nothing yet
		}
		change.At = l.idle.UnixMicro()
	}
	n := len(l.changes)
	if n == 0 && change.Node == "" || n > 0 && l.changes[n-1].Node == change.Node {
		return
	}
	l.changes = append(l.changes[max(0, n+1-maxChanges):], change)
}

// writer returns the name and the term of the node that writes, empty if none does.
func (l *List) writer(now time.Time) (name string, term uint64) {
	for _, e := range l.entries {
		if e.Role == RoleWriter && e.state(now) == StateUp && (name == "" || e.Term > term || e.Term == term && e.Name < name) {
			name, term = e.Name, e.Term
		}
	}
	return name, term
}

// replaced reports whether a node with the name of e was started after the newest report of e.
func (l *List) replaced(e *entry) bool {
	for _, x := range l.entries {
		if x != e && x.Name == e.Name && x.first.After(e.reported) {
			return true
		}
	}
	return false
}

// duplicate reports whether another node has the name of e: both reported after both were known.
func (l *List) duplicate(e *entry, now time.Time) bool {
	for _, x := range l.entries {
		if x != e && x.Name == e.Name && x.state(now) == StateUp && e.state(now) == StateUp && x.reported.After(e.first) && e.reported.After(x.first) {
			return true
		}
	}
	return false
}

func (e *entry) state(now time.Time) string {
	switch {
	case e.Leaving:
		return StateLeft
	case now.Sub(e.reported) > lostAfter:
		return StateLost
	}
	return StateUp
}
