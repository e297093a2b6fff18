package cluster

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// States of a node.
const (
	StateUp   = "up"
	StateLost = "lost" // no report for 5 s
	StateLeft = "left" // it has ended in order
)

// View is the list at a time.
type View struct {
	Bus       string   `json:"bus"`       // "nats" or "memory"
	Self      string   `json:"self"`      // name of the node whose list it is
	Connected bool     `json:"connected"` // this node to NATS; if not, the list is that of the moment when it lost the connection
	Now       int64    `json:"now"`
	Writer    string   `json:"writer"` // empty if none is known
	Nodes     []Node   `json:"nodes"`  // by name
	Changes   []Change `json:"changes"`

	Differences []Difference `json:"differences"` // by setting and node
}

// Node is a node with its newest report.
type Node struct {
	Report
	State     string  `json:"state"`
	Reported  int64   `json:"reported"`  // when its newest report came
	Self      bool    `json:"self"`      // this node
	Duplicate bool    `json:"duplicate"` // another node has the same name
	Points    []Point `json:"points"`    // the oldest first
}

// Point is a figure of a node at a time.
type Point struct {
	At     int64  `json:"at"`
	Writes bool   `json:"writes"` // it was the writer
	Behind uint64 `json:"behind"`
	P50    int64  `json:"p50"` // Report.Read
	P99    int64  `json:"p99"`
}

// Change is the moment at which another node became the writer.
type Change struct {
	At   int64  `json:"at"`
	Node string `json:"node"` // empty if there was none
	Term uint64 `json:"term"`
}

// View returns the list, with the points after a time in µs since 1970.
func (l *List) View(after int64) View { return l.view(after, time.Now()) }

func (l *List) view(after int64, now time.Time) View {
	l.mu.Lock()
	defer l.mu.Unlock()
	v := View{Bus: "memory", Connected: true, Now: now.UnixMicro(), Nodes: make([]Node, 0, len(l.entries)), Changes: append([]Change{}, l.changes...)}
	if l.o.Conn != nil {
		v.Bus, v.Connected = "nats", l.o.Conn.IsConnected()
	}
	v.Writer, _ = l.writer(now)
	v.Differences = l.differences(now)
	sorted := slices.SortedFunc(maps.Values(l.entries), func(a, b *entry) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	for _, e := range sorted {
		if l.replaced(e) {
			continue
		}
		n := Node{Report: e.Report, State: e.state(now), Reported: e.reported.UnixMicro(), Self: e.ID == l.id, Duplicate: l.duplicate(e, now), Points: []Point{}}
		if n.Self {
			v.Self, n.State = n.Name, StateUp
		}
		points := e.points[max(0, len(e.points)-maxPoints):]
		if i := slices.IndexFunc(points, func(p Point) bool { return p.At > after }); i >= 0 {
			n.Points = append(n.Points, points[i:]...)
		}
		v.Nodes = append(v.Nodes, n)
	}
	return v
}
