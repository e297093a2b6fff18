package handlers

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"ticklane/internal/bus"
	"ticklane/internal/history"
	"ticklane/internal/metrics"
	"ticklane/internal/quote"
	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// patience bounds every wait of a test, and what a server gives its clients unless a test says otherwise: reached only
// by one that is broken, however little of the machine the test gets.
const patience = time.Minute

// house is a whole server on a free port of loopback, with a feed that the test works by hand.
type house struct {
	testing.TB
	addr   string
	server *Server
	log    *stream.Log
	bus    *bus.Local
	tape   *tape
	secure bool
	offer  string // the subprotocol that its WebSocket clients ask for; empty for none

	served chan error
	stop   func(time.Duration) error
}

// plan is what a test wants other than the defaults.
type plan struct {
	symbols  int // S0 … ; the last is quiet: only publishOf ticks it
	log      stream.Config
	settings func(*Settings)
	listener func(net.Listener) net.Listener
	logger   *slog.Logger
	deps     func(*Deps)
	offer    string
}

func open(t testing.TB, p plan) *house {
	t.Helper()
	if p.symbols == 0 {
		p.symbols = 20
	}
	list := make([]quote.Symbol, p.symbols)
	for i := range list {
		list[i] = quote.Symbol{Ticker: fmt.Sprintf("S%d", i), Name: fmt.Sprintf("Test %d", i), Sector: []string{"even", "odd"}[i%2]}
	}
	u, err := quote.NewUniverse(list)
	if err != nil {
		t.Fatal(err)
	}
	b := bus.NewLocal(u.Len())
	p.log.Universe, p.log.Epoch, p.log.CompressBudget = u, b.Epoch(), time.Hour
	p.log.Heartbeat = cmp.Or(p.log.Heartbeat, time.Hour)
	if p.log.Size == 0 {
		p.log.Size = 65536
	}
	log, err := stream.New(p.log)
	if err != nil {
		t.Fatal(err)
	}
	past, err := history.New(u, 100)
	if err != nil {
		t.Fatal(err)
	}
	h := &house{TB: t, log: log, bus: b, tape: &tape{u: u, epoch: b.Epoch()}, served: make(chan error, 1), offer: p.offer}
	b.Attach(h.tape.add)
	b.Attach(past.Add)
	b.Attach(log.Append)

	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h.addr = ln.Addr().String()
	if p.listener != nil {
		ln = p.listener(ln)
	}
	set := Settings{
		Addr: h.addr, ReadTimeout: patience, IdleTimeout: patience, WriteTimeout: patience, CloseWait: patience, CommandWait: patience,
		Interval: 50 * time.Millisecond, MaxStreams: 1000, MaxPerAddress: 100, MaxTopics: 8,
		MessageSize: 4096, MessageRate: 10, MessageBurst: 20, HeaderSize: 8192, BodySize: 65536, Engine: under, Shards: 2,
	}
	if p.settings != nil {
		p.settings(&set)
	}
	h.secure = set.TLS != nil
	if p.logger == nil {
		p.logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	deps := Deps{
		Settings: set, Listener: ln, Stream: log, History: past, Feed: FeedInfo{Source: "simulator", Seed: 7, Timed: true},
		Files: slim(), Logger: p.logger, Version: "test",
		Metrics: func(s *Server) http.Handler { return metrics.Handler(metrics.Sources{Stream: log, Server: s.Counts}) },
	}
	if p.deps != nil {
		p.deps(&deps)
	}
	if h.server, err = New(deps); err != nil {
		t.Fatal(err)
	}
	go func() { h.served <- h.server.Serve() }()
	var once sync.Once
	var late error
	h.stop = func(limit time.Duration) error {
		once.Do(func() {
			ctx, cancel := context.WithTimeout(context.Background(), limit)
			defer cancel()
			late = h.server.Shutdown(ctx)
			if err := <-h.served; err != nil {
				t.Errorf("Serve: %v", err)
			}
			log.Close()
		})
		return late
	}
	t.Cleanup(func() { h.stop(patience) })
	return h
}

// slim is the server's files without the bundle, whose compression would cost each test a third of a second.
var slim = sync.OnceValue(func() fs.FS {
	root, all := os.DirFS(".."), fstest.MapFS{}
	for _, dir := range []string{"views", "public", "docs/api"} {
		err := fs.WalkDir(root, dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasPrefix(name, "public/assets/") {
				return err
			}
			b, err := fs.ReadFile(root, name)
			all[name] = &fstest.MapFile{Data: b}
			return err
		})
		if err != nil {
			panic(err)
		}
	}
	return all
})

// tape is every tick that was published, and its JSON: what a client must get.
type tape struct {
	u     *quote.Universe
	epoch uint64

	mu    sync.RWMutex
	json  [][]byte
	bytes [wire.Formats][]byte // rendered one after the other
	end   [wire.Formats][]int  // where each ends there
}

func (p *tape) add(ticks []quote.Tick) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range ticks {
		t := ticks[i]
		j := wire.AppendQuote(nil, p.u.Symbol(t.Symbol).Ticker, &t)
		p.json = append(p.json, j)
		for format := range wire.Formats {
			body := format.Encoding().AppendQuote(nil, p.u.Symbol(t.Symbol).Ticker, &t)
			p.bytes[format] = format.AppendTick(p.bytes[format], p.epoch, t.Seq, body)
			p.end[format] = append(p.end[format], len(p.bytes[format]))
		}
	}
}

// text is the JSON of the tick at seq, "" when there is none.
func (p *tape) text(seq uint64) string {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if seq == 0 || seq > uint64(len(p.json)) {
		return ""
	}
	return string(p.json[seq-1])
}

// publish makes n ticks of all symbols but the quiet one, by turns.
func (h *house) publish(n int) {
	ids := make([]quote.ID, n)
	turn := h.log.Head().Seq
	for i := range ids {
		ids[i] = quote.ID((turn + uint64(i)) % uint64(h.tape.u.Len()-1))
	}
	h.publishOf(ids...)
}

func (h *house) publishOf(ids ...quote.ID) {
	ticks := make([]quote.Tick, len(ids))
	now := time.Now().UnixMicro()
	for i, id := range ids {
		p := quote.Price(10_000 + now%500 + int64(i%100))
		ticks[i] = quote.Tick{
			Symbol: id, BidSize: 100, AskSize: 200, Bid: p, Ask: p + 2, Last: p + 1, Open: 10_000, High: 11_000, Low: 9_000,
			PrevClose: 9_950, Volume: now % 1_000_000, Due: now,
		}
	}
	h.bus.Publish(ticks)
}

// quiet is the symbol that publish leaves alone.
func (h *house) quiet() quote.ID { return quote.ID(h.tape.u.Len() - 1) }

// steady publishes so many ticks a second until the returned func is called; that waits for the end. What a machine
// that is too busy leaves out isn't made up for: its clients are as slow.
func (h *house) steady(rate int) (stop func()) {
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		const step = 5 * time.Millisecond
		tick := time.NewTicker(step)
		defer tick.Stop()
		owed := 0 // in ticks × nanoseconds
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				owed += rate * int(step)
				h.publish(owed / int(time.Second))
				owed %= int(time.Second)
			}
		}
	}()
	var once sync.Once
	stop = func() { once.Do(func() { close(quit); <-ended }) }
	h.Cleanup(stop)
	return stop
}

// until waits for a condition.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("waited %s for: %s", patience, what)
		case <-tick.C:
		}
	}
}

// live returns the number of open streams. A stream releases its place in the limiter after everything else.
func (h *house) live() int { return h.server.limiter.Open() }
