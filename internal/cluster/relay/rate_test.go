package relay

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"ticklane/internal/market"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/natstest"
)

// newRate starts a node with a market.
func newRate(t *testing.T, url string, configured float64) *Rate {
	t.Helper()
	sim, err := market.NewSimulator(market.Options{Seed: 1, Rate: configured, Symbols: 2})
	if err != nil {
		t.Fatal(err)
	}
	js, err := jetstream.New(connect(t, url))
	if err != nil {
		t.Fatal(err)
	}
	r := NewRate(RateOptions{JetStream: js, Prefix: "test", Replicas: 1, Market: sim, Configured: configured, Logger: testLogger(t)})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { r.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return r
}

// TestRate: what is set on one node is the rate of all with the same setting, of those that start later, too.
func TestRate(t *testing.T) {
	server := natstest.New(t, nil)
	a, b := newRate(t, server.URL(), 100), newRate(t, server.URL(), 100)
	want := func(rate float64, nodes ...*Rate) {
		t.Helper()
		for _, n := range nodes {
			testkit.Eventually(t, func() bool { return n.Market.Rate() == rate }, "the rate")
		}
	}
	if err := b.Set(250); err != nil {
		t.Fatal(err)
	}
	want(250, a, b)
	if err := a.Set(50); err != nil {
		t.Fatal(err)
	}
	want(50, a, b)
	if err := a.Set(-1); err == nil || errors.Is(err, ErrNotShared) || a.Market.Rate() != 50 {
		t.Errorf("%v, rate %v", err, a.Market.Rate())
	}
	other := newRate(t, server.URL(), 70)
	want(50, newRate(t, server.URL(), 100))

	server.Stop()
	if err := a.Set(60); !errors.Is(err, ErrNotShared) || a.Market.Rate() != 50 {
		t.Errorf("%v, rate %v: without a server it must not change", err, a.Market.Rate())
	}
	server.Start()
	testkit.Eventually(t, func() bool { return a.Set(80) == nil }, "the server")
	want(80, a, b)
	if rate := other.Market.Rate(); rate != 70 {
		t.Errorf("rate %v with another market.rate", rate)
	}
	for _, value := range []string{"{", `{"rate":1e99,"configured":100}`} {
		if err := a.apply([]byte(value)); err == nil || a.Market.Rate() != 80 {
			t.Errorf("%s: %v, rate %v", value, err, a.Market.Rate())
		}
	}
}
