package stream

import (
	"fmt"
	"slices"
	"testing"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// checker checks a client's messages against the protocol, and against the ticks that the fixture appends.
type checker struct {
	t       testing.TB
	fixture *fixture
	topics  quote.Topics
	latest  bool   // mode latest
	checked uint64 // all ticks up to this seq were received, or weren't due
	hello   message
	ticks   uint64
	gaps    []message

	due            bool              // a snapshot is: nothing is a position before its last part
	parts          []message         // of the snapshot
	starts         bool              // the stream starts at the snapshot
	snapshotTopics quote.Topics      // of the next snapshot
	n              map[string]uint64 // of each symbol's last tick, in mode latest
	conflated      uint64            // ticks left out, in mode latest

	onHello func(message)
}

func newChecker(t testing.TB, p *fixture, topics quote.Topics, mode Mode) *checker {
	return &checker{t: t, fixture: p, topics: topics, snapshotTopics: topics, latest: mode == ModeLatest, n: map[string]uint64{}}
}

// start sets where the stream begins, when that isn't seq 0.
func (w *checker) start(seq uint64) {
	w.checked = seq
	w.noteState()
}

// check checks the next messages.
func (w *checker) check(got ...message) {
	for i := range got {
		if problem := w.checkOne(&got[i]); problem != "" {
			w.t.Helper()
			w.t.Fatalf("at %d: %s: %.300s", w.checked, problem, got[i].text)
		}
	}
}

func (w *checker) checkOne(m *message) (problem string) {
	if w.hello.T == "" && m.T != "hello" {
		return "before the hello"
	}
	if w.due && m.id != "" && (m.T != "snapshot" || m.Part < m.Parts) && m.id != wire.EndID {
		return "a position before the end of the snapshot"
	}
	switch m.T {
	case "hello":
		w.due, w.starts = m.Snapshot, m.Snapshot && m.Resume != wire.ResumeGap
		if w.hello.T != "" {
			return "second hello"
		}
		w.hello = *m
		if w.onHello != nil {
			w.onHello(*m)
		}
	case "q":
		w.ticks++
		return w.checkTick(m)
	case "gap":
		return w.checkGap(m)
	case "snapshot":
		return w.checkSnapshot(m)
	case "hb":
		if w.due {
			if m.Head != 0 {
				return "heartbeat with a head before the end of the snapshot"
			}
			return ""
		}
		if m.Head < w.checked {
			return "heartbeat goes back"
		}
		problem = w.missing(m.Head)
		w.checked = m.Head
	case "subscription":
		return w.checkSubscription(m)
	}
	return problem
}

func (w *checker) checkTick(m *message) string {
	if w.due {
		return "a tick before the end of the snapshot"
	}
	if m.I <= w.checked || m.I > uint64(len(w.fixture.ticks)) {
		return "a tick that is out of order"
	}
	k := &w.fixture.ticks[m.I-1]
	switch {
	case w.fixture.u.Instrument(k.Symbol).Symbol != m.S || k.N != m.N:
		return "not the tick of this seq"
	case !w.topics.Has(k.Symbol):
		return "not one of the topics"
	case m.text != string(wire.AppendQuote(nil, w.fixture.u.Instrument(k.Symbol), k)):
		return "torn"
	case m.id != "" && m.id != position(m.I).String():
		return "id " + m.id
	}
	if w.latest {
		w.conflated += m.N - w.n[m.S] - 1
		w.n[m.S] = m.N
	} else if problem := w.missing(m.I - 1); problem != "" {
		return problem
	}
	w.checked = m.I
	return ""
}

func (w *checker) checkGap(m *message) string {
	if m.From <= w.checked || m.To < m.From || m.Missed != m.To-m.From+1 {
		return "not the exact gap"
	}
	// Ticks of other topics aren't lost, so the gap of a client with some topics may begin later, but not after one of its topics.
	if problem := w.missing(m.From - 1); problem != "" {
		return problem
	}
	if m.From != w.checked+1 && w.topics.Every() {
		return "the gap begins late"
	}
	if m.Reason == wire.GapConflated {
		w.latest = true
	}
	w.gaps = append(w.gaps, *m)
	w.checked, w.snapshotTopics, w.due = m.To, w.topics, m.Snapshot
	w.noteState()
	return ""
}

func (w *checker) checkSnapshot(m *message) string {
	if !w.due {
		return "a snapshot that wasn't due"
	}
	w.parts = append(w.parts, *m)
	if m.I != w.parts[0].I || m.Parts != w.parts[0].Parts || m.Parts > 0 && m.Part != len(w.parts) {
		return "a part out of order"
	}
	if m.Part < m.Parts {
		return ""
	}
	for _, part := range w.parts[:len(w.parts)-1] {
		m.Quotes = append(m.Quotes, part.Quotes...)
	}
	w.due, w.parts = false, nil
	if w.starts {
		w.starts = false
		w.start(m.I)
	}
	if m.I != w.checked {
		return "snapshot of another position"
	}
	want := 0
	for _, id := range w.snapshotTopics.IDs() {
		if w.fixture.newest(id, m.I) != nil {
			want++
		}
	}
	if len(m.Quotes) != want {
		return fmt.Sprintf("snapshot of %d symbols, want %d", len(m.Quotes), want)
	}
	for _, q := range m.Quotes {
		id, _ := w.fixture.u.Lookup(q.S)
		if k := w.fixture.newest(id, m.I); k == nil || !w.snapshotTopics.Has(id) || k.Seq != q.I || k.N != q.N {
			return fmt.Sprintf("snapshot's %s is %+v, want %+v", q.S, q, k)
		}
	}
	return ""
}

func (w *checker) checkSubscription(m *message) string {
	if m.I < w.checked {
		return "subscription goes back"
	}
	if problem := w.missing(m.I); problem != "" {
		return problem
	}
	w.checked = m.I
	topics, err := w.fixture.u.Topics(m.Topics, 0)
	if err != nil && len(m.Topics) > 0 {
		return err.Error()
	}
	var added []string
	for _, name := range m.Topics {
		if !slices.Contains(w.topics.Names(), name) {
			added = append(added, name)
		}
	}
	w.topics, w.due = topics, m.Snapshot
	w.snapshotTopics, _ = w.fixture.u.Topics(added, 0)
	if topics.Every() {
		w.snapshotTopics = topics
	}
	w.noteState()
	return ""
}

// noteState notes the ticks that a client in mode latest has of each symbol.
func (w *checker) noteState() {
	if !w.latest {
		return
	}
	for _, id := range w.topics.IDs() {
		name := w.fixture.u.Instrument(id).Symbol
		if k := w.fixture.newest(id, w.checked); k != nil {
			w.n[name] = k.N
		}
	}
}

// expectNone fails the test when a tick was due between what is checked and seq to.
func (w *checker) expectNone(to uint64) {
	if problem := w.missing(to); problem != "" {
		w.t.Helper()
		w.t.Fatal(problem)
	}
}

// missing returns which tick was due between what is checked and seq to, "" for none.
func (w *checker) missing(to uint64) string {
	for seq := w.checked + 1; seq <= to; seq++ {
		k := &w.fixture.ticks[seq-1]
		if w.topics.Has(k.Symbol) && (!w.latest || w.n[w.fixture.u.Instrument(k.Symbol).Symbol] < k.N && w.fixture.newest(k.Symbol, to) == k) {
			return fmt.Sprintf("seq %d was lost", seq)
		}
	}
	return ""
}
