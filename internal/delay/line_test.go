package delay

import (
	"context"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ticklane/internal/quote"
)

// recorder is a Sink that checks the time of what it receives.
type recorder struct {
	t      testing.TB
	delay  time.Duration
	events *quote.Events

	mu    sync.Mutex
	ticks []published
	past  []quote.Tick
	stale []time.Time
	took  func() time.Duration // of each Publish
}

// published is a tick with its event instead of the event's number.
type published struct {
	quote.Tick
	event quote.Event
}

// counts returns how many ticks were published and passed on so far.
func (r *recorder) counts() (published, past int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.ticks), len(r.past)
}

func (r *recorder) Publish(ticks []quote.Tick) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range ticks {
		if age := time.Since(time.UnixMicro(ticks[i].Due)); age < r.delay || age > r.delay+time.Second {
			r.t.Errorf("tick %d is published %v after it was due, want %v", ticks[i].Seq, age, r.delay)
		}
		p := published{ticks[i], r.events.Get(ticks[i].Event)}
		p.Event = 0
		r.ticks = append(r.ticks, p)
	}
	if r.took != nil {
		time.Sleep(r.took())
	}
}

func (r *recorder) Past(ticks []quote.Tick) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range ticks {
		if age := time.Since(time.UnixMicro(ticks[i].Due)); age < r.delay {
			r.t.Errorf("a past tick is passed on %v after it was due, want %v", age, r.delay)
		}
	}
	r.past = append(r.past, ticks...)
}

func (r *recorder) FeedStale(since time.Time) { r.stale = append(r.stale, since) }

// TestLine: each outlet publishes every tick once, in order, as it was and with its event, when its time plus the delay has come:
// never before, and not later because an earlier batch was slow.
func TestLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		rng := rand.New(rand.NewPCG(seed, 1))
		events := quote.NewEvents(200_000)
		l := New(events)
		sinks, outlets := []*recorder{}, []*Outlet{}
		for _, delay := range []time.Duration{time.Second, 15 * time.Minute} {
			r := &recorder{t: t, delay: delay, events: quote.NewEvents(200_000), took: func() time.Duration { return rand.N(200 * time.Microsecond) }}
			sinks = append(sinks, r)
			outlets = append(outlets, l.Outlet(delay, r.events, r))
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { l.Run(ctx); close(ended) }()

		var want []published
		var stale []time.Time
		random := newTicks(rng, 40)
		for began := time.Now(); time.Since(began) < 20*time.Minute; {
			batch := random.batch(1+rng.IntN(400), events)
			for i := range batch {
				p := published{batch[i], events.Get(batch[i].Event)}
				p.Event = 0
				want = append(want, p)
			}
			l.Add(batch)
			if rng.IntN(50) == 0 {
				stale = append(stale, time.Time{}, time.UnixMicro(batch[0].Due))
				l.FeedStale(time.Time{})
				l.FeedStale(time.UnixMicro(batch[0].Due))
			}
			time.Sleep(time.Duration(rng.Int64N(int64(rng.IntN(10_000)+1) * int64(time.Millisecond))))
		}
		synctest.Wait()
		if n, _ := sinks[1].counts(); outlets[1].Held() != uint64(len(want)-n) || n == len(want) {
			t.Errorf("%d of %d ticks are held, %d were published", outlets[1].Held(), len(want), n)
		}
		if l.Bytes() <= chunkBytes {
			t.Errorf("%d bytes are held", l.Bytes())
		}
		time.Sleep(15*time.Minute + time.Second)
		cancel()
		<-ended
		for i, r := range sinks {
			if !reflect.DeepEqual(r.ticks, want) {
				t.Errorf("%v: %d ticks, want %d", r.delay, len(r.ticks), len(want))
			}
			if !slices.EqualFunc(r.stale, stale, time.Time.Equal) {
				t.Errorf("%v: stale %v, want %v", r.delay, r.stale, stale)
			}
			if o := outlets[i]; o.Held() != 0 || o.Late() > time.Second {
				t.Errorf("%v: %d held, %v late", r.delay, o.Held(), o.Late())
			}
		}
		if l.Bytes() != chunkBytes {
			t.Errorf("%d bytes are held at the end", l.Bytes())
		}
	})
}

// TestPast: ticks of the time before the start are passed on when they are old enough, before any other.
func TestPast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{t: t, delay: time.Minute}
		l := New(nil)
		l.Outlet(r.delay, nil, r)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		now := time.Now()
		var ticks []quote.Tick
		for s := -100; s <= 0; s++ {
			ticks = append(ticks, quote.Tick{Symbol: 2, Last: quote.Price(s), Due: now.Add(time.Duration(s) * time.Second).UnixMicro()})
		}
		l.AddPast(ticks[:50])
		l.AddPast(ticks[50:])
		go func() { l.Run(ctx); close(ended) }()
		l.Add([]quote.Tick{{Symbol: 2, Due: now.UnixMicro(), N: 1, Seq: 1}})
		for s := range 60 {
			synctest.Wait()
			published, past := r.counts()
			if want := 41 + s; past < want-1 || past > want || published > 0 {
				t.Fatalf("after %d s: %d ticks of the past, want %d, and %d others", s, past, want, published)
			}
			time.Sleep(time.Second)
		}
		time.Sleep(time.Second)
		cancel()
		<-ended
		if !slices.Equal(r.past, ticks) || len(r.ticks) != 1 {
			t.Errorf("%d ticks of the past and %d others", len(r.past), len(r.ticks))
		}
	})
}

// TestAddDoesNotAllocate: except for memory that holds the ticks.
func TestAddDoesNotAllocate(t *testing.T) {
	l := New(nil)
	batch := []quote.Tick{{Symbol: 1}, {Symbol: 3, Bid: 5}}
	seq := uint64(0)
	if n := testing.AllocsPerRun(1000, func() {
		for i := range batch {
			seq++
			batch[i].Seq = seq
		}
		l.Add(batch)
	}); n > 0.5 {
		t.Errorf("%v allocations", n)
	}
}
