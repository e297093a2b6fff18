package natsbus

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"ticklane/internal/bus"
	"ticklane/internal/market/ingest"
	"ticklane/internal/quote/batch"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/natstest"
)

// feedNode is a node of a live feed.
type feedNode struct {
	*node
	*ingest.Source
	terms chan struct{} // receives when the node has become the writer
}

func openFeed(t *testing.T, o Options) *feedNode {
	t.Helper()
	return openFeedOf(t, o, 100)
}

// openFeedOf opens a node that has room for a number of instruments.
func openFeedOf(t *testing.T, o Options, instruments int) *feedNode {
	t.Helper()
	s, err := ingest.New(ingest.Options{MaxInstruments: instruments, MaxLine: 1000, LogSize: 1000, Logger: o.Logger})
	if err != nil {
		t.Fatal(err)
	}
	o.Source, o.Universe, o.Events = s, s.Universe(), s.Events()
	n := &feedNode{openNode(t, o), s, make(chan struct{}, 100)}
	n.run()
	return n
}

// lead lets the node compete for the lease.
func (n *feedNode) lead() {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		n.node.lead = n.LeadBatches(ctx, func(ctx context.Context, _ bus.State, publish Publish) error {
			n.terms <- struct{}{}
			return n.Source.Lead(ctx, publish)
		})
	}()
	n.end = func() {
		stop()
		<-ended
	}
}

// send sends lines of a client. Each %d is replaced by the next number of its sequence.
func (n *feedNode) send(t *testing.T, from int, lines ...string) ingest.Result {
	t.Helper()
	var r ingest.Result
	testkit.Eventually(t, func() bool { // the term begins before the source accepts lines
		in, err := n.Source.Open("client", ingest.Client{})
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		var text strings.Builder
		for i, l := range lines {
			fmt.Fprintf(&text, l+"\n", from+i)
		}
		err = in.Write(t.Context(), []byte(text.String()))
		if err != nil && !errors.Is(err, ingest.ErrStopped) {
			t.Fatal(err)
		}
		r = in.Take()
		return err == nil
	}, "lines accepted")
	return r
}

var feedLines = []string{
	`{"T":"instrument","S":"A","n":%d}`, `{"T":"instrument","S":"B","n":%d}`,
	`{"T":"status","S":"B","status":"halted","n":%d}`, // without a tick
	`{"T":"q","S":"A","bp":1,"ap":2,"n":%d}`, `{"T":"trade","S":"A","p":1.5,"s":7,"id":"x","n":%d}`,
}

// TestFeedMoves sends lines to a node and then to another: instruments, numbers of lines and ticks go on, also in a node that starts
// later, wherever its log begins.
func TestFeedMoves(t *testing.T) {
	t.Parallel()
	server := natstest.New(t, nil)
	open := func(name string, logSize int) *feedNode {
		o := options(t, name)
		o.URL, o.LogSize = server.URL(), logSize
		return openFeed(t, o)
	}
	a, b := open("a", 100), open("b", 100)
	a.lead()
	<-a.terms
	b.lead()
	if r := a.send(t, 1, feedLines...); r.Accepted != 5 || r.Rejected != 0 {
		t.Fatalf("%+v", r)
	}
	b.got.Wait(t, 2)
	if u := b.Universe(); u.Len() != 2 || u.Instrument(1).Symbol != "B" {
		t.Errorf("instruments of the reader: %+v", u.Instruments())
	}
	if r, err := b.Progress(t.Context(), "client"); r.Last != 5 || err != nil {
		t.Errorf("progress at the reader: %+v, %v", r, err)
	}
	a.close()
	<-b.terms
	more := append(slices.Clone(feedLines), `{"T":"instrument","S":"C","n":%d}`, `{"T":"q","S":"C","bp":3,"ap":4,"n":%d}`, `{"T":"q","S":"B","bp":5,"ap":6,"n":%d}`)
	if r := b.send(t, 1, more...); r.Duplicates != 5 || r.Accepted != 3 || r.Rejected != 0 || r.Last != 8 {
		t.Fatalf("%+v", r)
	}
	ticks := b.got.Wait(t, 4)
	if c, halted := ticks[2], ticks[3]; c.Symbol != 2 || c.N != 1 || c.Seq != 3 || halted.Symbol != 1 || !halted.Halted {
		t.Errorf("ticks %+v", ticks)
	}
	if trade := b.Events().Get(ticks[1].Event).Trade; trade == nil || trade.ID != "x" {
		t.Errorf("trade %+v", trade)
	}
	want := b.Source.State()
	for _, logSize := range []int{1, 2, 100} {
		n := open(fmt.Sprint("later", logSize), logSize)
		testkit.Eventually(t, n.Ready, "ready")
		sameState(t, n, want)
		n.close()
	}
	b.close() // stores the state
	for _, logSize := range []int{1, 3, 100} {
		n := open(fmt.Sprint("last", logSize), logSize)
		testkit.Eventually(t, n.Ready, "ready")
		sameState(t, n, want)
		if s := n.node.State(); s.Position.Seq != 4 || len(s.Newest) != 3 {
			t.Errorf("state %+v", s)
		}
		n.close()
	}
}

// sameState compares states without the numbers of events, which differ between nodes.
func sameState(t *testing.T, n *feedNode, want *batch.Batch) {
	t.Helper()
	got := n.Source.State()
	for _, x := range []*batch.Batch{got, want} {
		for i := range x.Ticks {
			x.Ticks[i].Event = 0
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("state of the feed:\n%+v, want\n%+v", got, want)
	}
}

// TestFeedTooLarge: a node that hasn't room for all instruments ends with an error that names the setting. The others go on.
func TestFeedTooLarge(t *testing.T) {
	t.Parallel()
	server := natstest.New(t, nil)
	open := func(name string, instruments int) *feedNode {
		o := options(t, name)
		o.URL = server.URL()
		return openFeedOf(t, o, instruments)
	}
	a, small := open("a", 2), open("small", 1)
	a.lead()
	<-a.terms
	if r := a.send(t, 1, feedLines...); r.Accepted != 5 {
		t.Fatalf("%+v", r)
	}
	const want = "2 are more than feed.ingest.instruments of this server, 1"
	if err := small.ended(); err == nil || !strings.Contains(err.Error(), want) || errors.Is(err, ErrEpoch) {
		t.Errorf("error %v", err)
	}
	if r := a.send(t, 6, feedLines[3]); r.Accepted != 1 {
		t.Errorf("%+v", r)
	}
	epoch := a.Start().Position.Epoch
	a.close() // stores the state
	o := options(t, "late")
	o.URL, o.Source, o.Universe, o.Events = server.URL(), small.Source, small.Universe(), small.Events()
	if b, err := Open(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v", err)
		b.Close()
	}
	if b := open("b", 2); b.Start().Position.Epoch != epoch {
		t.Error("there is a new epoch")
	}
}

// TestFeedSurvivesItsStore: a node that starts again with an embedded server goes on with the lines of a client.
func TestFeedSurvivesItsStore(t *testing.T) {
	t.Parallel()
	o := options(t, "a")
	o.Dir = t.TempDir()
	for round := range 3 {
		n := openFeed(t, o)
		n.lead()
		<-n.terms
		lines := feedLines
		for range round {
			lines = append(lines, `{"T":"q","S":"B","bp":5,"ap":6,"n":%d}`)
		}
		if r := n.send(t, 1, lines...); int(r.Last) != 5+round || round > 0 && (r.Duplicates != uint64(4+round) || r.Accepted != 1) {
			t.Errorf("round %d: %+v", round, r)
		}
		testkit.Eventually(t, func() bool { return n.node.State().Position.Seq == uint64(2+round) }, "ticks read")
		n.close()
	}
}
