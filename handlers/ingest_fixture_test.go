package handlers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"ticklane/handlers"
	"ticklane/internal/market/ingest"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

// feedServer is a server whose feed clients send.
type feedServer struct {
	*testserver.Server
	source *ingest.Source
	stop   func() // the feed
}

// newFeedServer starts a server whose feed has the instruments A and B in the sector x.
func newFeedServer(t testing.TB, engine string, settings func(*handlers.Settings)) *feedServer {
	t.Helper()
	source, err := ingest.New(ingest.Options{MaxInstruments: 20, MaxLine: 1000, LogSize: 65536, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	f := runFeed(t, source, testserver.Options{Engine: engine, Settings: settings})
	x, err := source.Open("", ingest.Client{})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	lines := `{"T":"instrument","S":"A","sector":"x"}` + "\n" + `{"T":"instrument","S":"B","sector":"x"}` + "\n"
	if err := x.Write(t.Context(), []byte(lines)); err != nil {
		t.Fatal(err)
	}
	return f
}

// runFeed starts a server and its feed.
func runFeed(t testing.TB, source *ingest.Source, o testserver.Options) *feedServer {
	t.Helper()
	f := &feedServer{source: source}
	o.Universe, o.Log.Events = source.Universe(), source.Events()
	more := o.Deps
	o.Deps = func(d *handlers.Deps) {
		d.Ingest, d.Feed = source, handlers.FeedInfo{Source: "ingest", Timed: true, Stale: source.Stale}
		if more != nil {
			more(d)
		}
	}
	f.Server = newTestServer(t, o)
	source.Attach(f.TickLog)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- source.Run(ctx, f.Bus.Publish) }()
	f.stop = func() {
		cancel()
		if err, running := <-done; running && err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(func() {
		cancel()
		f.Stop(testserver.Timeout) // before the feed, as a process stops
	})
	x, err := source.Open("", ingest.Client{})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	testkit.Eventually(t, func() bool { return x.Write(t.Context(), []byte("{}\n")) == nil }, "the feed")
	return f
}

// last returns the largest number of a source's sequence.
func (f *feedServer) last(source string) uint64 {
	r, err := f.source.Progress(f.Context(), source)
	if err != nil {
		f.Error(err)
	}
	return r.Last
}

// trades returns lines of trades of a symbol, numbered from one number to another.
func trades(symbol string, from, to int) string {
	var b strings.Builder
	for n := from; n <= to; n++ {
		fmt.Fprintf(&b, `{"T":"trade","S":"%s","p":%d.25,"s":1,"n":%d}`+"\n", symbol, n, n)
	}
	return b.String()
}

var ndjson = "Content-Type: application/x-ndjson"

// answer returns an answer to lines, which must be a result.
func answer(t testing.TB, text string) (r ingest.Result) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &r); err != nil || r.Holes == nil || r.Errors == nil {
		t.Fatalf("%v: %s", err, text)
	}
	return r
}

func counts(r ingest.Result) string {
	return fmt.Sprintf("+%d -%d =%d last %d", r.Accepted, r.Rejected, r.Duplicates, r.Last)
}

// feedSocket opens a WebSocket and reads its first acknowledgement.
func (f *feedServer) feedSocket(query string, lines ...string) (*testserver.Client, ingest.Result) {
	f.Helper()
	c := f.Dial()
	c.Request("GET", "/ws/ingest"+query, append(append([]string{}, testserver.Upgrade...), lines...)...)
	if c.Status != 101 {
		f.Fatalf("status %d: %s", c.Status, c.ReadBody())
	}
	c.Format = wire.WSJSON
	return c, f.acknowledgement(c)
}

// acknowledgement reads one.
func (f *feedServer) acknowledgement(c *testserver.Client) ingest.Result {
	f.Helper()
	op, payload := f.frame(c)
	if op != ws.OpText {
		f.Fatalf("opcode %x: %s", op, payload)
	}
	return answer(f, payload)
}

// frame reads one frame of the server.
func (f *feedServer) frame(c *testserver.Client) (op ws.OpCode, payload string) {
	f.Helper()
	head, err := ws.ReadHeader(c.Reader)
	if err != nil || head.Length > 1<<16 {
		f.Fatalf("%v, %d bytes", err, head.Length)
	}
	b := make([]byte, head.Length)
	if _, err := io.ReadFull(c.Reader, b); err != nil {
		f.Fatal(err)
	}
	return head.OpCode, string(b)
}

// acknowledged reads acknowledgements until the source has a last number, and returns their sum.
func (f *feedServer) acknowledged(c *testserver.Client, last uint64) (sum ingest.Result) {
	f.Helper()
	for sum.Last < last {
		r := f.acknowledgement(c)
		r.Accepted, r.Rejected, r.Duplicates = r.Accepted+sum.Accepted, r.Rejected+sum.Rejected, r.Duplicates+sum.Duplicates
		sum = r
	}
	return sum
}
