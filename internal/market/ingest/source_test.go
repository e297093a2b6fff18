package ingest

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ticklane/internal/quote"
)

// observed notes what a source reports.
type observed struct {
	mu     sync.Mutex
	events []string
}

func (o *observed) add(event string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.events = append(o.events, event)
}

// take returns the events since the last call.
func (o *observed) take() (events []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	events, o.events = o.events, nil
	return events
}

func (o *observed) UniverseGrown() { o.add("grown") }

func (o *observed) FeedStale(since time.Time) {
	if since.IsZero() {
		o.add("live")
	} else {
		o.add("stale since " + since.Format(time.TimeOnly))
	}
}

// TestStale: the feed is stale after a time without a tick, also before the first, and live with the next.
func TestStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o observed
		s, err := New(Options{MaxInstruments: 2, MaxLine: 100, StaleAfter: 30 * time.Second, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		s.Attach(&o)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Run(ctx, func([]quote.Tick) {}) }()
		synctest.Wait()
		start := time.Now()
		want := func(stale bool, events ...string) {
			t.Helper()
			synctest.Wait()
			got := o.take()
			if _, is := s.Stale(); is != stale || !slices.Equal(got, events) {
				t.Errorf("after %v: stale %v, %v, want %v", time.Since(start), is, got, events)
			}
		}
		x := open(t, s, "")
		defer x.Close()
		send := func(line string) {
			t.Helper()
			if err := x.Write(ctx, []byte(line+"\n")); err != nil {
				t.Fatal(err)
			}
		}
		at := func() string { return time.Now().Format(time.TimeOnly) }
		began := at()
		time.Sleep(29 * time.Second)
		want(false)
		time.Sleep(time.Second)
		want(true, "stale since "+began)
		time.Sleep(time.Hour)
		want(true)
		send(`{"T":"instrument","S":"A"}`)
		want(true, "grown")
		send(`{"T":"q","S":"A","p":1}`)
		want(false, "live")
		time.Sleep(20 * time.Second)
		send(`{"T":"q","S":"A","p":1}`)
		newest := at()
		time.Sleep(29 * time.Second)
		want(false)
		time.Sleep(time.Second)
		want(true, "stale since "+newest)
		for range 5 {
			send(`{"T":"q","S":"A","p":1}`)
		}
		want(false, "live")
		for _, set := range []time.Duration{-time.Hour, time.Hour} { // the wall clock, after the tick came
			received := time.Now().Add(-set)
			if err := errors.Join(x.Add(ctx, []byte(`{"T":"q","S":"A","p":1}`+"\n"), received), x.flush(ctx, received.UnixMicro())); err != nil {
				t.Fatal(err)
			}
			time.Sleep(29 * time.Second)
			want(false)
			time.Sleep(time.Second)
			want(true, "stale since "+received.Format(time.TimeOnly))
			send(`{"T":"q","S":"A","p":1}`)
			want(false, "live")
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestRate: lines are read no faster than the rate, apart from a first batch.
func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Options{MaxInstruments: 1, MaxLine: 100, Rate: 100})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Run(ctx, func([]quote.Tick) {}) }()
		synctest.Wait()
		start := time.Now()
		x := open(t, s, "")
		for range 5000 {
			if err := x.Write(ctx, []byte("{}\n")); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took < 38*time.Second || took > 50*time.Second {
			t.Errorf("5,000 lines at 100 a second took %v", took)
		}
		cancel()
		<-done
	})
}
