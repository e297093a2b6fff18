package handlers_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"ticklane/handlers"
	"ticklane/internal/auth"
	"ticklane/internal/cluster/relay"
	"ticklane/internal/market/ingest"
	"ticklane/internal/quote"
	"ticklane/internal/quote/batch"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/natstest"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

// relayedFeed is servers with one feed, one of which publishes it. All read a batch as soon as it is published.
type relayedFeed struct {
	testing.TB
	servers []*relayedServer
	term    atomic.Uint64
	encoder *batch.Encoder
	n       uint64 // ticks
	mu      sync.Mutex
}

type relayedServer struct {
	*feedServer
	feed    *relayedFeed
	relay   *relay.Relay
	decoder *batch.Decoder
	end     func() // of its term
}

// inputs is a relay as handlers use it.
type inputs struct{ *relay.Relay }

func (r inputs) Open(name string, p *auth.Principal) handlers.IngestInput {
	return r.Relay.Open(name, p.Subject, &p.Rights)
}

func (r inputs) Progress(ctx context.Context, name string, p *auth.Principal) (ingest.Result, error) {
	return r.Relay.Progress(ctx, name, p.Subject)
}

// newRelayedFeed starts two servers, which wait this long for one that publishes.
func newRelayedFeed(t *testing.T, wait time.Duration, deps func(*handlers.Deps)) *relayedFeed {
	t.Helper()
	url := natstest.New(t, nil).URL()
	f := &relayedFeed{TB: t, encoder: batch.NewEncoder(20, quote.NewEvents(1000))}
	for range 2 {
		source, err := ingest.New(ingest.Options{MaxInstruments: 20, MaxLine: 1000, LogSize: 1000, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		conn, err := nats.Connect(url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(conn.Close)
		r, err := relay.New(relay.Options{Conn: conn, Prefix: "test", Term: f.term.Load, Source: source, MaxLine: 1000, Wait: wait, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		s := &relayedServer{feed: f, relay: r, decoder: batch.NewDecoder(source.Universe(), source.Events())}
		s.feedServer = &feedServer{source: source}
		o := testserver.Options{Universe: source.Universe(), Deps: func(d *handlers.Deps) {
			d.Ingest, d.Relay, d.Feed = source, inputs{r}, handlers.FeedInfo{Source: "ingest", Timed: true}
			if deps != nil {
				deps(d)
			}
		}}
		o.Log.Events = source.Events()
		s.Server = newTestServer(t, o)
		source.Attach(s.TickLog)
		t.Cleanup(func() { s.Stop(testserver.Timeout) })
		f.servers = append(f.servers, s)
	}
	return f
}

// publish passes a batch to all servers.
func (f *relayedFeed) publish(x *batch.Batch) func(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range x.Ticks {
		f.n++
		x.Ticks[i].Seq, x.Ticks[i].N = f.n, f.n
	}
	text := f.encoder.Append(nil, x)
	for _, s := range f.servers {
		var stored batch.Batch
		if err := s.decoder.Decode(text, &stored); err != nil {
			f.Error(err)
		}
		if err := s.source.Apply(&stored); err != nil {
			f.Error(err)
		}
		s.Bus.Publish(stored.Ticks)
	}
	return nil
}

// lead makes a server publish.
func (s *relayedServer) lead() {
	s.feed.term.Add(1)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = s.source.Lead(ctx, s.feed.publish) })
	running.Go(func() { _ = s.relay.Serve(ctx) })
	s.end = func() {
		cancel()
		running.Wait()
	}
	s.Cleanup(s.end)
	testkit.Eventually(s, s.source.Publishing)
}

// TestFeedThroughAnotherServer: lines that are sent to any server, as a body, in chunks and by WebSocket, have the same answers and are on
// the streams of all. A socket goes on when another server publishes.
func TestFeedThroughAnotherServer(t *testing.T) {
	t.Parallel()
	f := newRelayedFeed(t, testserver.Timeout, nil)
	a, b := f.servers[0], f.servers[1]
	a.lead()
	_, text := b.Post("/api/ingest?source=s", `{"T":"instrument","S":"A","sector":"x","n":1}`+"\n{}\n"+trades("A", 2, 3), ndjson)
	if r := answer(t, text); counts(r) != "+3 -1 =0 last 3" || r.Errors[0].Line != 2 {
		t.Error(text)
	}
	for _, s := range f.servers {
		if _, text := s.Get("/api/ingest?source=s"); !strings.Contains(text, `"last":3`) {
			t.Error(text)
		}
	}
	streams := []*testserver.Client{a.SSE("topics=A"), b.WS("topics=A")}
	c := b.Dial()
	c.Send("POST /api/ingest?source=s HTTP/1.1\r\nHost: " + b.Addr + "\r\n" + ndjson + "\r\nTransfer-Encoding: chunked\r\n\r\n")
	lines := trades("A", 3, 4)
	for _, part := range []string{lines[:10], lines[10:60], lines[60:]} {
		c.Send(fmt.Sprintf("%x\r\n%s\r\n", len(part), part))
	}
	c.Send("0\r\n\r\n")
	c.ReadHead()
	if text := c.ReadBody(); c.Status != 200 || counts(answer(t, text)) != "+1 -0 =1 last 4" {
		t.Errorf("%d %s", c.Status, text)
	}
	socket, first := b.feedSocket("?source=s")
	if first.Last != 4 {
		t.Errorf("last %d", first.Last)
	}
	socket.SendText(trades("A", 5, 5))
	if r := b.acknowledgement(socket); counts(r) != "+1 -0 =0 last 5" {
		t.Errorf("%+v", r)
	}
	for i, next := range []*relayedServer{b, a} {
		[]*relayedServer{a, b}[i].end()
		next.lead()
		socket.SendText(trades("A", 6+i, 6+i) + "{}")
		if r := b.acknowledgement(socket); counts(r) != fmt.Sprint("+1 -1 =0 last ", 6+i) || r.Errors[0].Line != uint64(3+2*i) {
			t.Errorf("%+v", r)
		}
	}
	for _, stream := range streams {
		var got []string
		for len(got) < 4 {
			if m := stream.Next(); m.T == "q" {
				_, price, _ := strings.Cut(m.Text, `"p":`)
				got = append(got, price[:1])
			}
		}
		if !slices.Equal(got, []string{"4", "5", "6", "7"}) {
			t.Errorf("prices %v", got)
		}
	}
}

// TestFeedWithoutWriter: when no server publishes, the answer says to send again.
func TestFeedWithoutWriter(t *testing.T) {
	t.Parallel()
	f := newRelayedFeed(t, time.Millisecond, nil)
	s := f.servers[0]
	const detail = "No server runs the feed at the moment"
	c, text := s.Post("/api/ingest?source=s", trades("A", 1, 1), ndjson)
	if r := answer(t, text); c.Status != 503 || c.Header.Get("Retry-After") != "1" || r.Accepted > 0 || !strings.Contains(text, `"detail":"`+detail) {
		t.Errorf("%d %s", c.Status, text)
	}
	if c, text := s.Get("/api/ingest?source=s"); c.Status != 503 || c.Header.Get("Retry-After") != "1" || !strings.Contains(text, detail) {
		t.Errorf("%d %s", c.Status, text)
	}
	open := s.Dial()
	open.Send("POST /api/ingest HTTP/1.1\r\nHost: " + s.Addr + "\r\n" + ndjson + "\r\nContent-Length: 1000000\r\n\r\n{}\n")
	open.ReadHead()
	if text := open.ReadBody(); open.Status != 503 || open.Header.Get("Retry-After") != "1" || !strings.Contains(text, detail) {
		t.Errorf("%d %s", open.Status, text)
	}
	socket, _ := s.feedSocket("")
	socket.WantClose(wire.CloseOverload)
}

// TestRightsOnAnotherServer: the subject and the rights are those of the server that has checked the token.
func TestRightsOnAnotherServer(t *testing.T) {
	t.Parallel()
	all := tokens{}
	for name, rights := range map[string]string{"ana": `[{"write":["A"]}]`, "bob": `[{"write":["*"]}]`} {
		all[name] = principal(t, name, rights)
	}
	f := newRelayedFeed(t, testserver.Timeout, func(d *handlers.Deps) { d.Auth = all })
	f.servers[0].lead()
	s := f.servers[1]
	lines := `{"T":"instrument","S":"A","n":1}` + "\n" + `{"T":"instrument","S":"B","n":2}` + "\n"
	if c, text := s.Post("/api/ingest?source=s", lines, ndjson, withToken("ana")); c.Status != 200 || counts(answer(t, text)) != "+1 -1 =0 last 2" {
		t.Errorf("%d %s", c.Status, text)
	}
	for _, server := range f.servers {
		if c, text := server.Post("/api/ingest?source=s", lines, ndjson, withToken("bob")); c.Status != 403 || !strings.Contains(text, "another subject") {
			t.Errorf("%d %s", c.Status, text)
		}
		if c, text := server.Get("/api/ingest?source=s", withToken("bob")); c.Status != 403 {
			t.Errorf("%d %s", c.Status, text)
		}
	}
}
