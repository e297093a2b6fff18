package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/quote/batch"
	"ticklane/internal/testkit"
)

// cluster is nodes with the stream between them: batches in the form in which they are sent.
type cluster struct {
	t     testing.TB
	nodes []*clusterNode

	mu     sync.Mutex
	stream [][]byte
	ticks  []quote.Tick // of the stream
	n      [10]uint64
	lost   bool // nothing that is published is stored
}

// clusterNode is a node with what it has read of the stream.
type clusterNode struct {
	*feed
	decoder *batch.Decoder
	read    int
	end     func()
}

func newCluster(t testing.TB, nodes int) *cluster {
	c := &cluster{t: t}
	for range nodes {
		c.add(nil)
	}
	return c
}

// add adds a node, with a state or from the beginning of the stream.
func (c *cluster) add(state []byte) *clusterNode {
	c.t.Helper()
	s, err := New(Options{MaxInstruments: 10, MaxLine: 4096, LogSize: 1000, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		c.t.Fatal(err)
	}
	n := &clusterNode{feed: &feed{Source: s, t: c.t}, decoder: batch.NewDecoder(s.universe, s.events)}
	if state != nil {
		var x batch.Batch
		if err := errors.Join(n.decoder.DecodeState(state, &x), s.Resume(&x)); err != nil {
			c.t.Fatal(err)
		}
		n.read = len(c.stream)
	}
	c.nodes = append(c.nodes, n)
	return n
}

// catchUp lets a node read the rest of the stream.
func (c *cluster) catchUp(n *clusterNode) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for ; n.read < len(c.stream); n.read++ {
		var x batch.Batch
		if err := errors.Join(n.decoder.Decode(c.stream[n.read], &x), n.Apply(&x)); err != nil {
			c.t.Error(err)
			return
		}
	}
}

var errLost = errors.New("the batch isn't stored")

// lead lets a node publish until its end is called. What it publishes is stored at once, or never.
func (c *cluster) lead(n *clusterNode) {
	c.catchUp(n)
	encoder := batch.NewEncoder(10, n.events)
	publish := func(x *batch.Batch) func(context.Context) error {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.lost {
			return func(context.Context) error { return errLost }
		}
		for i := range x.Ticks {
			k := &x.Ticks[i]
			c.n[k.Symbol]++
			k.N, k.Seq = c.n[k.Symbol], uint64(len(c.ticks)+1)
			c.ticks = append(c.ticks, *k)
		}
		c.stream = append(c.stream, encoder.Append(nil, x))
		return func(context.Context) error { return nil }
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- n.Lead(ctx, publish) }()
	testkit.Eventually(c.t, func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		return n.publish != nil
	})
	n.end = func() {
		cancel()
		if err := <-done; err != nil {
			c.t.Error(err)
		}
	}
}

// send sends lines to a node on a connection. ok is false if they may not be stored.
func (n *clusterNode) try(source, lines string) (r Result, ok bool) {
	n.t.Helper()
	x := open(n.t, n.Source, source)
	defer x.Close()
	err := x.Write(n.t.Context(), []byte(lines))
	if err != nil && !errors.Is(err, ErrStopped) {
		n.t.Error(err)
	}
	return x.Take(), err == nil
}

// lines makes random lines of the four instruments, with times.
type lines struct {
	*rand.Rand
	n int
}

func (l *lines) next() string {
	l.n++
	symbol := []string{"EURUSD", "ACME", "BTC/USD", "CL=F"}[l.IntN(4)]
	at := 1_780_000_000_000_000 + int64(l.n)*7_000_000_000 - l.Int64N(20_000_000_000)
	price := func() string { return fmt.Sprintf("%.2f", 1+l.Float64()*5) }
	head := fmt.Sprintf(`"S":%q,"n":%d,"t":%d`, symbol, l.n+l.IntN(4)*l.IntN(2), at)
	switch l.IntN(6) {
	case 0:
		return fmt.Sprintf(`{"T":"trade",%s,"p":%s,"s":%d}`, head, price(), l.IntN(90))
	case 1:
		return fmt.Sprintf(`{"T":"status",%s,"status":%q}`, head, []string{"halted", "trading"}[l.IntN(2)])
	case 2:
		return fmt.Sprintf(`{"T":"q",%s,"p":%s,"v":%d}`, head, price(), l.IntN(9000))
	case 3:
		return fmt.Sprintf(`{"T":"q",%s,"bp":%s}`, head, price())
	}
	return fmt.Sprintf(`{"T":"q",%s,"bp":1.0%d,"ap":8.5,"bs":%d}`, head, l.IntN(9), l.IntN(50))
}

// normal returns ticks without what differs between two runs.
func normal(ticks []quote.Tick) []quote.Tick {
	ticks = slices.Clone(ticks)
	for i := range ticks {
		ticks[i].Received, ticks[i].Event, ticks[i].N, ticks[i].Seq = 0, 0, 0, 0
	}
	return ticks
}

// TestFailover: whichever node publishes, the ticks and the results are those of one that isn't disturbed. Nodes that begin with a state
// know the same.
func TestFailover(t *testing.T) {
	r := testkit.Rand(t)
	for range testkit.Rounds(10, 1000) {
		single, c, l := newFeed(t, Options{}), newCluster(t, 3), &lines{Rand: r}
		each := strings.SplitAfter(strings.TrimSpace(instruments), "\n")
		leader := c.nodes[0]
		c.lead(leader)
		for range 60 {
			var text strings.Builder
			for range 1 + r.IntN(4) {
				if len(each) > 0 && r.IntN(3) == 0 {
					text.WriteString(strings.TrimSpace(each[0]) + "\n")
					each = each[1:]
				}
				text.WriteString(l.next() + "\n")
			}
			source := []string{"a", "b"}[r.IntN(2)]
			got, ok := leader.try(source, text.String())
			if want := single.send(source, text.String()); !ok || !reflect.DeepEqual(got, want) {
				t.Fatalf("%s: got %+v, want %+v", text.String(), got, want)
			}
			for _, n := range c.nodes {
				if r.IntN(2) == 0 {
					c.catchUp(n)
				}
			}
			switch r.IntN(8) {
			case 0:
				leader.end()
				leader = c.nodes[r.IntN(len(c.nodes))]
				c.lead(leader)
			case 1:
				c.catchUp(leader)
				data := batch.NewEncoder(10, leader.events).AppendState(nil, leader.State())
				if len(c.nodes) > 3 {
					c.nodes = []*clusterNode{leader}
				}
				c.add(data)
			}
		}
		leader.end()
		if got, want := normal(c.ticks), normal(single.ticks); !slices.Equal(got, want) {
			for i := range want {
				if i >= len(got) || got[i] != want[i] {
					t.Fatalf("tick %d of %d:\ngot  %+v\nwant %+v", i, len(want), got[min(i, len(got)-1)], want[i])
				}
			}
			t.Fatalf("%d ticks, want %d", len(got), len(want))
		}
		for _, n := range c.nodes {
			c.catchUp(n)
			for _, source := range []string{"a", "b", "none"} {
				if got, want := n.stored(source), single.stored(source); !reflect.DeepEqual(got, want) {
					t.Fatalf("progress of %s: %+v, want %+v", source, got, want)
				}
			}
			if !reflect.DeepEqual(n.universe.Instruments(), single.universe.Instruments()) {
				t.Fatal("other instruments")
			}
		}
	}
}

// TestProgressOfTheWriter: what was accepted is in the progress before the node has read it from the stream, and not before it is stored.
func TestProgressOfTheWriter(t *testing.T) {
	c := newCluster(t, 2)
	a := c.nodes[0]
	c.lead(a)
	a.try("s", `{"T":"instrument","S":"A","n":1}`+"\n")
	if last := a.stored("s").Last; last != 1 {
		t.Errorf("last %d, want 1", last)
	}
	if last := c.nodes[1].stored("s").Last; last != 0 {
		t.Errorf("last %d on a node that has read nothing", last)
	}
	a.end()
	if last := a.stored("s").Last; a.Publishing() || last != 0 {
		t.Errorf("last %d, publishing %v", last, a.Publishing())
	}
}

// TestHaltedBeforeItsFirstQuote: a status that makes no tick is known to the next node.
func TestHaltedBeforeItsFirstQuote(t *testing.T) {
	c := newCluster(t, 2)
	c.lead(c.nodes[0])
	c.nodes[0].try("", `{"T":"instrument","S":"A"}`+"\n"+`{"T":"instrument","S":"B"}`+"\n"+`{"T":"status","S":"B","status":"halted"}`+"\n")
	c.nodes[0].end()
	c.lead(c.nodes[1])
	c.nodes[1].try("", `{"T":"q","S":"B","p":5}`+"\n")
	c.nodes[1].end()
	if len(c.ticks) != 1 || !c.ticks[0].Halted || c.ticks[0].Symbol != 1 {
		t.Errorf("%+v", c.ticks)
	}
}

// TestLostBatch: what isn't stored isn't accepted. The next node takes the same lines, and gives the IDs of lost instruments to others.
func TestLostBatch(t *testing.T) {
	c := newCluster(t, 2)
	a, b := c.nodes[0], c.nodes[1]
	c.lead(a)
	first := `{"T":"instrument","S":"A","n":1}` + "\n" + `{"T":"q","S":"A","p":5,"n":2}` + "\n"
	if r, ok := a.try("s", first); !ok || r.Accepted != 2 {
		t.Fatalf("%+v, %v", r, ok)
	}
	c.catchUp(a)
	c.lost = true
	second := `{"T":"q","S":"A","p":6,"n":3}` + "\n" + `{"T":"instrument","S":"B","n":4}` + "\n"
	if r, ok := a.try("s", second); ok || r.Accepted != 0 || a.universe.Len() != 1 {
		t.Errorf("%+v, %v; %d instruments", r, ok, a.universe.Len())
	}
	// These are duplicates only on this node, so they aren't either.
	if r, ok := a.try("s", second); ok || r.Duplicates != 0 {
		t.Errorf("%+v, %v", r, ok)
	}
	if accepted, _, duplicates := a.Lines(); accepted != 2 || duplicates != 0 {
		t.Errorf("%d accepted, %d duplicates", accepted, duplicates)
	}
	if r, err := a.Progress(t.Context(), "s"); !errors.Is(err, ErrStopped) {
		t.Errorf("%+v, %v: it has lines that aren't stored", r, err)
	}
	a.end()
	if last := a.stored("s").Last; last != 2 {
		t.Errorf("last %d", last)
	}
	if _, ok := a.try("s", second); ok {
		t.Error("a node that doesn't publish has accepted lines")
	}
	c.lost = false
	c.lead(b)
	if last := b.stored("s").Last; last != 2 {
		t.Errorf("last %d", last)
	}
	third := `{"T":"instrument","S":"C","n":5}` + "\n"
	if r, ok := b.try("s", third+second); !ok || r.Accepted != 3 || r.Last != 5 || len(r.Holes) > 0 {
		t.Errorf("%+v, %v", r, ok)
	}
	b.end()
	c.catchUp(a)
	c.catchUp(b)
	for _, n := range c.nodes {
		if id, ok := n.universe.Lookup("B"); !ok || id != 2 {
			t.Errorf("B has ID %d, %v", id, ok)
		}
	}
	if len(c.ticks) != 2 || c.ticks[1].Last != 600 {
		t.Errorf("%+v", c.ticks)
	}
}

// TestAcceptedWhenStored: lines are accepted once they are stored, duplicates of them too; meanwhile others are published.
func TestAcceptedWhenStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Options{MaxInstruments: 2, MaxLine: 100, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Apply(&batch.Batch{Instruments: []quote.Instrument{{Symbol: "A", Sector: "x", Decimals: 2}}}); err != nil {
			t.Fatal(err)
		}
		published, stored := 0, make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			done <- s.Lead(ctx, func(*batch.Batch) func(context.Context) error {
				published++
				return func(ctx context.Context) error {
					select {
					case <-stored:
						return nil
					case <-ctx.Done():
						return ctx.Err()
					}
				}
			})
		}()
		synctest.Wait()
		write := func(line string) chan error {
			x, result := open(t, s, "s"), make(chan error, 1)
			go func() {
				defer x.Close()
				limited, cancel := context.WithTimeout(ctx, time.Minute)
				defer cancel()
				result <- x.Write(limited, []byte(line+"\n"))
			}()
			synctest.Wait()
			return result
		}
		all := []chan error{write(`{"T":"q","S":"A","p":1,"n":1}`), write(`{"T":"q","S":"A","p":1,"n":1}`), write(`{"T":"q","S":"A","p":2,"n":2}`)}
		time.Sleep(time.Second)
		if accepted, _, duplicates := s.Lines(); published != 2 || accepted != 0 || duplicates != 0 {
			t.Errorf("%d published, %d accepted, %d duplicates", published, accepted, duplicates)
		}
		close(stored)
		for _, result := range all {
			if err := <-result; err != nil {
				t.Error(err)
			}
		}
		if accepted, _, duplicates := s.Lines(); accepted != 2 || duplicates != 1 {
			t.Errorf("%d accepted, %d duplicates", accepted, duplicates)
		}
		cancel()
		<-done
	})
}

// TestSequencesOfNodes: an input that was opened before its node publishes has the sequence that is stored then; a sequence belongs to
// its subject on all nodes, and one that begins anew does so everywhere.
func TestSequencesOfNodes(t *testing.T) {
	c := newCluster(t, 2)
	a, b := c.nodes[0], c.nodes[1]
	early, err := b.Open("s", Client{Subject: "ana"})
	if err != nil {
		t.Fatal(err)
	}
	c.lead(a)
	x, err := a.Open("s", Client{Subject: "ana"})
	if err != nil {
		t.Fatal(err)
	}
	line := func(n int) []byte { return fmt.Appendf(nil, `{"T":"instrument","S":"A","n":%d}`+"\n", n) }
	if err := errors.Join(x.Write(t.Context(), line(1)), x.Write(t.Context(), line(2))); err != nil {
		t.Fatal(err)
	}
	a.end()
	c.lead(b)
	if err := errors.Join(early.Write(t.Context(), line(2)), early.Write(t.Context(), line(4))); err != nil {
		t.Fatal(err)
	}
	if r := early.Take(); r.Duplicates != 1 || r.Accepted != 1 || r.Last != 4 || !slices.Equal(r.Holes, []Range{{3, 3}}) {
		t.Errorf("%+v", r)
	}
	c.catchUp(a)
	for _, n := range c.nodes {
		if _, err := n.Open("s", Client{Subject: "bob"}); !errors.Is(err, ErrForeignSource) {
			t.Error(err)
		}
		if err := errors.Join(n.CheckOwner("s", "ana"), n.Claim("s", "ana")); err != nil {
			t.Error(err)
		}
		if n.CheckOwner("s", "bob") == nil || n.Claim("s", "bob") == nil {
			t.Error("a source of another subject")
		}
	}
	b.end()
	begin := batch.Batch{Progress: []batch.Progress{{Source: "s", Subject: "bob", New: true, Ranges: []batch.Range{{From: 1, To: 1}}}}}
	if err := a.Apply(&begin); err != nil || a.stored("s").Last != 1 || a.CheckOwner("s", "bob") != nil {
		t.Errorf("last %d, %v", a.stored("s").Last, err)
	}
}

func TestApplyErrors(t *testing.T) {
	n := newCluster(t, 1).nodes[0]
	list := []quote.Instrument{{Symbol: "A", Sector: "x"}, {Symbol: "B", Sector: "x"}}
	if err := errors.Join(n.Apply(&batch.Batch{Instruments: list[:1]}), n.Apply(&batch.Batch{Instruments: list})); err != nil || n.universe.Len() != 2 {
		t.Fatal(err)
	}
	for want, x := range map[string]*batch.Batch{
		"instruments of another node: A has ID 3: instruments before it are missing":     {FirstID: 3, Instruments: list[:1]},
		"instruments of another node: B has the ID 0 of A: their logs aren't the same; ": {Instruments: list[1:]},
	} {
		if err := n.Apply(x); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestTakeRange compares it with taking each number.
func TestTakeRange(t *testing.T) {
	r := testkit.Rand(t)
	for range 300 {
		var one, each sequence
		for range 60 {
			from := 1 + r.Uint64N(60)
			to := from + r.Uint64N(8)
			one.takeRange(Range{from, to})
			for n := from; n <= to; n++ {
				each.take(n)
			}
			if one.last != each.last || !slices.Equal(one.holes, each.holes) {
				t.Fatalf("%d to %d: last %d, holes %v, want %d, %v", from, to, one.last, one.holes, each.last, each.holes)
			}
		}
	}
}
