package bars

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"

	"github.com/nats-io/nats.go"

	"ticklane/internal/history"
	"ticklane/internal/quote"
	"ticklane/internal/testkit/natstest"
)

const (
	epoch   = 7
	symbols = 20
)

func universe(t *testing.T) *quote.Universe {
	t.Helper()
	in := make([]quote.Instrument, symbols)
	for i := range in {
		in[i] = quote.Instrument{Symbol: fmt.Sprintf("S%d", i), Name: "n", Sector: "x", Decimals: 2}
	}
	u, err := quote.NewUniverse(in)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func newStore(t *testing.T, u *quote.Universe, ticks int) *history.Store {
	t.Helper()
	s, err := history.New(u, history.DefaultKeep)
	if err != nil {
		t.Fatal(err)
	}
	s.Follow(epoch)
	all := make([]quote.Tick, ticks)
	for i := range all {
		all[i] = quote.Tick{Symbol: quote.ID(i % symbols), Due: int64(i) * 1e6, Last: quote.Price(i), Volume: quote.Size(i), Seq: uint64(i + 1)}
	}
	s.Add(all)
	return s
}

func connect(t *testing.T, s *natstest.Server) *nats.Conn {
	t.Helper()
	c, err := nats.Connect(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// serve answers requests until the test ends.
func serve(t *testing.T, server *natstest.Server, node string, store *history.Store, u *quote.Universe, epoch uint64) {
	t.Helper()
	conn := connect(t, server)
	s, err := Serve(conn, "p", node, store, u, epoch, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if err := conn.Flush(); err != nil { // the NATS server has the subscriptions then
		t.Fatal(err)
	}
}

// TestFetch: a store gets the bars of the server that has most, of those that follow its epoch.
func TestFetch(t *testing.T) {
	u, nats, logger := universe(t), natstest.New(t, nil), slog.New(slog.NewTextHandler(t.Output(), nil))
	most := newStore(t, u, 1000)
	for i, c := range []struct {
		store *history.Store
		epoch uint64
	}{{newStore(t, u, 500), epoch}, {most, epoch}, {newStore(t, u, 2000), epoch + 1}} {
		serve(t, nats, fmt.Sprint(i), c.store, u, c.epoch)
	}
	got := newStore(t, u, 0)
	newest, err := Fetch(context.Background(), connect(t, nats), "p", got, u, epoch, logger)
	if err != nil || newest != 1000 || got.Follow(epoch) != 1000 {
		t.Fatalf("newest %d, complete %d, %v", newest, got.Follow(epoch), err)
	}
	for id := range quote.ID(symbols) {
		a, err := got.Bars(id, history.TenSeconds, history.Latest, 1000)
		b, err2 := most.Bars(id, history.TenSeconds, history.Latest, 1000)
		if err != nil || err2 != nil || len(b.Bars) == 0 || !slices.Equal(a.Bars, b.Bars) {
			t.Errorf("symbol %d: %d bars, want %d, %v %v", id, len(a.Bars), len(b.Bars), err, err2)
		}
	}
}

// TestFetchWithoutServers: without another server there is nothing to wait for.
func TestFetchWithoutServers(t *testing.T) {
	u, nats := universe(t), natstest.New(t, nil)
	newest, err := Fetch(context.Background(), connect(t, nats), "p", newStore(t, u, 0), u, epoch, slog.Default())
	if newest != 0 || err != nil {
		t.Errorf("newest %d, %v", newest, err)
	}
}

// TestFetchGoesOn: a server that fails is followed by the next one.
func TestFetchGoesOn(t *testing.T) {
	u, server, logger := universe(t), natstest.New(t, nil), slog.New(slog.NewTextHandler(t.Output(), nil))
	other, err := quote.NewUniverse([]quote.Instrument{{Symbol: "Z", Name: "n", Sector: "x", Decimals: 2}})
	if err != nil {
		t.Fatal(err)
	}
	for i, known := range []*quote.Universe{other, u} {
		serve(t, server, fmt.Sprint(i), newStore(t, u, 1000-i), known, epoch)
	}
	got := newStore(t, u, 0)
	if newest, err := Fetch(context.Background(), connect(t, server), "p", got, u, epoch, logger); newest != 999 || err != nil {
		t.Errorf("newest %d, %v", newest, err)
	}
}

func TestFetchEnds(t *testing.T) {
	u, server := universe(t), natstest.New(t, nil)
	serve(t, server, "a", newStore(t, u, 10), u, epoch)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Fetch(ctx, connect(t, server), "p", newStore(t, u, 0), u, epoch, slog.Default()); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want %v", err, context.Canceled)
	}
}

// FuzzRequest: what isn't a request gets an answer that says so.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(`{"epoch":7,"symbol":"S1","wanted":{"from":[0,0,0,0],"before":[9,9,9,9]}}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		u := universe(t)
		s := &Server{store: newStore(t, u, 100), u: u, epoch: epoch, logger: slog.New(slog.DiscardHandler)}
		s.send(&nats.Msg{Data: b})
		s.offer(&nats.Msg{Data: b})
	})
}
