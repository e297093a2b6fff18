package relay

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"ticklane/internal/auth"
	"ticklane/internal/market/ingest"
	"ticklane/internal/quote"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/natstest"
)

// sender is an input of the relay or of a source.
type sender interface {
	Write(context.Context, []byte) error
	Add(context.Context, []byte, time.Time) error
	Message(context.Context, []byte, time.Time) error
	Flush(context.Context) error
	End(context.Context) error
	Take() ingest.Result
	Close()
}

// randomLines returns lines of every kind: valid, invalid, too long, empty, repeated, and with holes.
func randomLines(r *rand.Rand) string {
	var b strings.Builder
	n := 1
	for range r.IntN(60) {
		switch r.IntN(10) {
		case 0:
			fmt.Fprintf(&b, `{"T":"instrument","S":"S%d","n":%d}`, r.IntN(25), n)
		case 1:
			b.WriteString(strings.Repeat("x", maxLine-2+r.IntN(6)))
		case 2:
			b.WriteString(strings.Repeat("y", 3*maxLine))
		case 3: // an empty line
		case 4:
			n += r.IntN(3)
			b.WriteString(`{"T":"q","S":"S1","bp":5}`)
		default:
			fmt.Fprintf(&b, `{"T":"q","S":"S%d","p":%d,"n":%d}`, r.IntN(12), 1+r.IntN(9), max(1, n-r.IntN(3)))
			n++
		}
		if r.IntN(5) == 0 {
			b.WriteByte('\r')
		}
		b.WriteByte('\n')
	}
	return strings.TrimSuffix(b.String(), []string{"", "\n"}[r.IntN(2)])
}

// sendPieces sends lines in pieces, either as a body or as messages of whole lines, and returns the result of all.
func sendPieces(t *testing.T, x sender, r *rand.Rand, lines string) (sum ingest.Result) {
	t.Helper()
	ctx, messages := t.Context(), r.IntN(2) == 0
	taken := func() {
		o := x.Take()
		sum.Add(&o, 0)
	}
	for rest := []byte(lines); len(rest) > 0; {
		size := 1 + r.IntN(min(len(rest), 500))
		if messages {
			if end := strings.IndexByte(string(rest[size:]), '\n'); end < 0 {
				size = len(rest)
			} else {
				size += end + r.IntN(2)
			}
		}
		piece, err := rest[:size], error(nil)
		rest = rest[size:]
		if messages {
			err = x.Message(ctx, piece, time.Now())
		} else {
			err = x.Add(ctx, piece, time.Now())
		}
		if err == nil && r.IntN(2) == 0 {
			err = x.Flush(ctx)
			taken()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := x.End(ctx); err != nil {
		t.Fatal(err)
	}
	taken()
	return sum
}

// TestResultsAreThoseOfTheWriter: lines that are sent to any node, in any pieces, have the results that they have in one process.
func TestResultsAreThoseOfTheWriter(t *testing.T) {
	r := testkit.Rand(t)
	c := newCluster(t, 2, quick, 700)
	c.nodes[0].lead()
	single := newSource(t)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	running.Go(func() { _ = single.Run(ctx, func([]quote.Tick) {}) })
	testkit.Eventually(t, single.Publishing)
	for i := range testkit.Rounds(60, 1000) {
		lines, seed, name := randomLines(r), r.Uint64(), fmt.Sprint("s", r.IntN(4))
		if r.IntN(4) == 0 {
			name = ""
		}
		x, err := single.Open(name, ingest.Client{})
		if err != nil {
			t.Fatal(err)
		}
		want := sendPieces(t, x, rand.New(rand.NewPCG(seed, 1)), lines)
		x.Close()
		y := c.nodes[i%2].Open(name, "", nil)
		got := sendPieces(t, y, rand.New(rand.NewPCG(seed, 1)), lines)
		y.Close()
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("lines:\n%s\ngot  %+v\nwant %+v", lines, got, want)
		}
	}
	for _, n := range c.nodes {
		if got, want := n.Source.Universe().Instruments(), single.Universe().Instruments(); !reflect.DeepEqual(got, want) {
			t.Errorf("instruments %v, want %v", got, want)
		}
	}
}

// TestProgress: the progress on every node is that of the writer, also of lines that the node hasn't read from the stream.
func TestProgress(t *testing.T) {
	c := newCluster(t, 2, quick, 0)
	a, b := c.nodes[0], c.nodes[1]
	c.nodes = c.nodes[:1] // b reads nothing
	a.lead()
	if r := b.mustSend("s", quotes(1, 3)); r.Accepted != 4 || r.Last != 3 {
		t.Errorf("%+v", r)
	}
	for _, n := range []*node{a, b} {
		if r, err := n.Progress(t.Context(), "s", ""); err != nil || r.Last != 3 || r.Holes == nil {
			t.Errorf("%+v, %v", r, err)
		}
		if _, err := n.Progress(t.Context(), "s", "eve"); !errors.Is(err, ingest.ErrForeignSource) {
			t.Error(err)
		}
	}
	x := b.Open("s", "", nil)
	defer x.Close()
	if err := x.Flush(t.Context()); err != nil || x.Take().Last != 3 {
		t.Errorf("the first flush: %v, last %d", err, x.Take().Last)
	}
	a.end()
	if r, err := a.Progress(canceled(t), "s", ""); !errors.Is(err, context.Canceled) || r.Last != 3 {
		t.Errorf("%v, last %d: want what the node has", err, r.Last)
	}
}

func canceled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// TestRights: the writer checks the subject and the rights of a client of another node.
func TestRights(t *testing.T) {
	c := newCluster(t, 2, quick, 0)
	c.nodes[0].lead()
	rights, err := auth.ParseRights([]byte(`[{"write":["A","sector:fx"]}]`))
	if err != nil {
		t.Fatal(err)
	}
	lines := `{"T":"instrument","S":"A","n":1}` + "\n" + `{"T":"instrument","S":"B","n":2}` + "\n" + `{"T":"instrument","S":"C","sector":"fx","n":3}` + "\n"
	for i, n := range []*node{c.nodes[1], c.nodes[0]} {
		name := fmt.Sprint("ana", i)
		x := n.Open(name, "ana", &rights)
		defer x.Close()
		if err := x.Write(t.Context(), []byte(lines)); err != nil {
			t.Fatal(err)
		}
		if r := x.Take(); r.Accepted != 2 || len(r.Errors) != 1 || r.Errors[0].Line != 2 || !strings.Contains(r.Errors[0].Reason, "forbidden") {
			t.Errorf("%+v", r)
		}
		y := n.Open(name, "bob", nil)
		defer y.Close()
		if err := y.Write(t.Context(), []byte(lines)); !errors.Is(err, ingest.ErrForeignSource) {
			t.Errorf("%v", err)
		}
	}
	many := make([]string, 512)
	for i := range many {
		many[i] = fmt.Sprintf(`"SYMBOL-WITH-A-LONG-NAME-%08d"`, i)
	}
	entry := `{"write":[` + strings.Join(many, ",") + `]}`
	rights, err = auth.ParseRights([]byte("[" + strings.Repeat(entry+",", 4) + entry + "]"))
	if err != nil {
		t.Fatal(err)
	}
	x := c.nodes[1].Open("", "ana", &rights)
	defer x.Close()
	if err := x.Write(t.Context(), []byte(lines)); err == nil || !strings.Contains(err.Error(), "rights") {
		t.Errorf("%v: these rights don't fit into a request", err)
	}
}

func TestNoWriter(t *testing.T) {
	c := newCluster(t, 1, quick, 0)
	c.nodes[0].Wait = 50 * time.Millisecond
	if r, err := c.nodes[0].send("s", quotes(1, 1)); !errors.Is(err, ErrNoWriter) || !errors.Is(err, ingest.ErrStopped) || r.Accepted > 0 {
		t.Errorf("%+v, %v", r, err)
	}
	c.nodes[0].Conn.Close()
	if _, err := c.nodes[0].send("s", quotes(1, 1)); !errors.Is(err, ErrNoWriter) {
		t.Errorf("%v: without a connection", err)
	}
	x := c.nodes[0].Open("", "", nil)
	defer x.Close()
	if err := x.Write(canceled(t), []byte("{}\n")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestNextWriter: an input goes on with the next writer, for which it waits; its lines are numbered on.
func TestNextWriter(t *testing.T) {
	c := newCluster(t, 3, quick, 0)
	x := c.nodes[2].Open("s", "", nil)
	defer x.Close()
	for round := range 4 {
		writer := c.nodes[round%3]
		sent, before := make(chan error, 1), c.nodes[2].Conn.Stats().OutMsgs
		go func() { sent <- x.Write(t.Context(), []byte(quotes(round+1, round+1)+"{}\n")) }()
		if round%2 == 0 {
			testkit.Eventually(t, func() bool { return c.nodes[2].Conn.Stats().OutMsgs > before }, "a request without a writer")
		}
		writer.lead()
		if err := <-sent; err != nil {
			t.Fatal(err)
		}
		if r := x.Take(); r.Accepted != 2 || r.Errors[0].Line != uint64(3*round+3) || r.Last != uint64(round+1) {
			t.Errorf("round %d: %+v", round, r)
		}
		writer.end()
	}
	if got := c.prices(); !slices.Equal(got, []int{1, 2, 3, 4}) {
		t.Errorf("prices %v", got)
	}
}

// TestTermEndsMeanwhile: lines whose batch isn't confirmed are not counted; those that were stored nevertheless are duplicates when
// they are sent again.
func TestTermEndsMeanwhile(t *testing.T) {
	c := newCluster(t, 3, quick, 0)
	a, b := c.nodes[0], c.nodes[1]
	a.lead()
	x := c.nodes[2].Open("s", "", nil)
	defer x.Close()
	if err := x.Write(t.Context(), []byte(quotes(1, 2))); err != nil || x.Take().Accepted != 3 {
		t.Fatal(err)
	}
	waiting := make(chan struct{})
	c.mu.Lock()
	c.confirm = func(ctx context.Context) error {
		close(waiting)
		<-ctx.Done()
		return ctx.Err()
	}
	c.mu.Unlock()
	sent := make(chan error)
	go func() { sent <- x.Write(t.Context(), []byte(strings.SplitN(quotes(3, 4), "\n", 2)[1])) }()
	<-waiting
	c.mu.Lock()
	c.confirm = nil
	c.mu.Unlock()
	a.end()
	if err := <-sent; !errors.Is(err, ingest.ErrStopped) {
		t.Error(err)
	}
	if err := x.Write(t.Context(), []byte("{}\n")); !errors.Is(err, ingest.ErrStopped) {
		t.Errorf("%v: the input has ended", err)
	}
	if r := x.Take(); r.Accepted > 0 || r.Last < 2 {
		t.Errorf("%+v", r)
	}
	b.lead()
	if r := c.nodes[2].mustSend("s", quotes(3, 5)); r.Accepted != 2 || r.Duplicates != 2 || r.Last != 5 {
		t.Errorf("%+v", r)
	}
	if got := c.prices(); !slices.Equal(got, []int{1, 2, 3, 4, 5}) {
		t.Errorf("prices %v", got)
	}
}

// TestSlowWriter: a writer that is slow isn't given up, one that doesn't reply is, and one that has a successor.
func TestSlowWriter(t *testing.T) {
	times := quick
	times.silent = 2 * time.Second // far longer than a busy machine delays a reply
	c := newCluster(t, 2, times, 0)
	a, b := c.nodes[0], c.nodes[1]
	a.lead()
	c.mu.Lock()
	slow := sync.OnceFunc(func() { time.Sleep(times.silent * 5 / 4) })
	c.confirm = func(context.Context) error {
		slow()
		return nil
	}
	c.mu.Unlock()
	if r := b.mustSend("s", quotes(1, 1)); r.Accepted != 2 {
		t.Errorf("%+v", r)
	}
	a.end()
	c.term.Add(1)
	b.timing.silent = 300 * time.Millisecond
	silent, err := a.Conn.SubscribeSync(a.subject(c.term.Load()))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Conn.Flush(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.send("s", quotes(2, 2)); !errors.Is(err, errSilent) || !errors.Is(err, ingest.ErrStopped) {
		t.Error(err)
	}
	if n, _, _ := silent.Pending(); n != 1 {
		t.Errorf("%d requests: lines that may have been handled must not be sent again", n)
	}
	b.timing.silent = time.Hour
	changed := make(chan error)
	go func() {
		_, err := b.send("s", quotes(2, 2))
		changed <- err
	}()
	if _, err := silent.NextMsg(20 * time.Second); err != nil { // the first one
		t.Fatal(err)
	}
	if _, err := silent.NextMsg(20 * time.Second); err != nil {
		t.Fatal(err)
	}
	c.term.Add(1)
	if err := <-changed; !errors.Is(err, errChanged) || !errors.Is(err, ingest.ErrStopped) {
		t.Error(err)
	}
}

// TestEndedTerm: requests that arrive at the end of a term are not lost.
func TestEndedTerm(t *testing.T) {
	c := newCluster(t, 2, quick, 0)
	const clients, each = 8, 10
	var sending sync.WaitGroup
	for i := range clients {
		sending.Go(func() {
			x := c.nodes[1].Open(fmt.Sprint(i), "", nil)
			defer func() { x.Close() }()
			for n := 1; n <= each; n++ {
				for x.Write(t.Context(), []byte(quotes(n, n))) != nil {
					x.Close()
					x = c.nodes[1].Open(fmt.Sprint(i), "", nil)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() {
		sending.Wait()
		close(done)
	}()
	for running := true; running; {
		c.nodes[0].lead()
		select {
		case <-done:
			running = false
		case <-time.After(5 * time.Millisecond):
		}
		c.nodes[0].end()
	}
	if got := len(c.prices()); got != clients*each {
		t.Errorf("%d ticks, want %d", got, clients*each)
	}
}

// TestOtherVersion: a request that the writer can't read has an error, and so has a reply.
func TestOtherVersion(t *testing.T) {
	c := newCluster(t, 1, quick, 0)
	n := c.nodes[0]
	n.lead()
	other := connect(t, c.url)
	m, err := other.Request(n.subject(c.term.Load()), []byte(`{"v":2}`+"\n"), 20*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	a, err := parseReply(m.Data)
	if err != nil || !errors.Is(a.err(), errInvalid) {
		t.Errorf("%s: %v", m.Data, err)
	}
	n.end()
	c.term.Add(1)
	sub, err := other.Subscribe(n.subject(c.term.Load()), func(m *nats.Msg) { _ = m.Respond([]byte("?")) })
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := other.Flush(); err != nil {
		t.Fatal(err)
	}
	if _, err := n.send("", "{}\n"); !errors.Is(err, errInvalid) || !errors.Is(err, ingest.ErrStopped) {
		t.Error(err)
	}
}

func TestMessagesOfTheServerAreTooSmall(t *testing.T) {
	s := natstest.New(t, func(o *server.Options) { o.MaxPayload = 100_000 })
	conn := connect(t, s.URL())
	if _, err := New(Options{Conn: conn, MaxLine: 50_000}); err == nil || !strings.Contains(err.Error(), "line_size") || !strings.Contains(err.Error(), "100000") {
		t.Error(err)
	}
	r, err := New(Options{Conn: conn, MaxLine: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if most := maxHead + r.chunk + lineRoom(1000); most > 100_000 {
		t.Errorf("a request may have %d bytes", most)
	}
}
