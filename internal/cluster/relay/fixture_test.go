package relay

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"ticklane/internal/market/ingest"
	"ticklane/internal/quote"
	"ticklane/internal/quote/batch"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/natstest"
)

const maxLine = 300

// quick are times for tests. A writer is given up late, so that a busy machine has one.
var quick = timing{again: 5 * time.Millisecond, work: 10 * time.Millisecond, silent: 10 * time.Second}

// cluster is nodes with a stream between them, which every node has read as soon as a batch is in it.
type cluster struct {
	t     testing.TB
	url   string
	nodes []*node
	term  atomic.Uint64

	mu      sync.Mutex
	encoder *batch.Encoder
	ticks   []quote.Tick // of the stream
	n       [20]uint64   // by ID
	// confirm waits until a batch is stored; nil for no wait.
	confirm func(context.Context) error
}

// node is a node with its own connection.
type node struct {
	*Relay
	c       *cluster
	decoder *batch.Decoder
	end     func() // of its term
}

// newCluster starts a NATS server and nodes. Their inputs send a request for each chunk bytes.
func newCluster(t testing.TB, nodes int, times timing, chunk int) *cluster {
	t.Helper()
	server := natstest.New(t, nil)
	c := &cluster{t: t, url: server.URL(), encoder: batch.NewEncoder(len(cluster{}.n), quote.NewEvents(1000))}
	for range nodes {
		source := newSource(t)
		conn := connect(t, c.url)
		r, err := New(Options{Conn: conn, Prefix: "test", Term: c.term.Load, Source: source, MaxLine: maxLine, Wait: 20 * time.Second, Logger: testLogger(t), timing: times, chunk: chunk})
		if err != nil {
			t.Fatal(err)
		}
		c.nodes = append(c.nodes, &node{Relay: r, c: c, decoder: batch.NewDecoder(source.Universe(), source.Events())})
	}
	return c
}

func testLogger(t testing.TB) *slog.Logger { return slog.New(slog.NewTextHandler(t.Output(), nil)) }

func newSource(t testing.TB) *ingest.Source {
	t.Helper()
	s, err := ingest.New(ingest.Options{MaxInstruments: len(cluster{}.n), MaxLine: maxLine, LogSize: 1000, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func connect(t testing.TB, url string) *nats.Conn {
	t.Helper()
	conn, err := nats.Connect(url, nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond), nats.ReconnectBufSize(-1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// publish puts a batch into the stream.
func (c *cluster) publish(x *batch.Batch) func(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range x.Ticks {
		k := &x.Ticks[i]
		c.n[k.Symbol]++
		k.N, k.Seq = c.n[k.Symbol], uint64(len(c.ticks)+1)
		k.Event = 0
		c.ticks = append(c.ticks, *k)
	}
	text := c.encoder.Append(nil, x)
	for _, n := range c.nodes {
		var stored batch.Batch
		if err := n.decoder.Decode(text, &stored); err != nil {
			c.t.Error(err)
		}
		if err := n.Source.Apply(&stored); err != nil {
			c.t.Error(err)
		}
	}
	return c.confirm
}

// lead begins a term of a node.
func (n *node) lead() {
	n.c.term.Add(1)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := n.Source.Lead(ctx, n.c.publish); err != nil {
			n.c.t.Error(err)
		}
	})
	running.Go(func() {
		if err := n.Serve(ctx); err != nil {
			n.c.t.Error(err)
		}
	})
	n.end = sync.OnceFunc(func() {
		cancel()
		running.Wait()
	})
	n.c.t.Cleanup(n.end)
	testkit.Eventually(n.c.t, n.Source.Publishing)
}

// send sends lines on a new input.
func (n *node) send(name, lines string) (ingest.Result, error) {
	x := n.Open(name, "", nil)
	defer x.Close()
	err := x.Write(n.c.t.Context(), []byte(lines))
	if err == nil {
		err = x.End(n.c.t.Context())
	}
	return x.Take(), err
}

// mustSend is send without an error.
func (n *node) mustSend(name, lines string) ingest.Result {
	n.c.t.Helper()
	r, err := n.send(name, lines)
	if err != nil {
		n.c.t.Fatal(err)
	}
	return r
}

// quotes returns the instrument A and quotes of it, numbered from one number to another.
func quotes(from, to int) string {
	lines := `{"T":"instrument","S":"A"}` + "\n"
	for n := from; n <= to; n++ {
		lines += fmt.Sprintf(`{"T":"q","S":"A","p":%d,"n":%d}`+"\n", n, n)
	}
	return lines
}

// prices returns the last prices of the ticks in the stream.
func (c *cluster) prices() (all []int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.ticks {
		all = append(all, int(c.ticks[i].Last)/100)
	}
	return all
}
