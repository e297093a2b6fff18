// Package ingest is a market.Source of the lines that clients send: newline-delimited JSON, each line an instrument, a quote, a
// trade or a status. docs/ingest.md describes them.
//
// An Input parses the lines of one connection. Its batches go through the Source one at a time, which keeps the newest quote of each
// instrument and, for each name that a client gives itself, which numbers of its sequence have come: a line that is sent again is a
// duplicate, one that was left out is a hole.
package ingest

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"ticklane/internal/quote"
	"ticklane/internal/quote/batch"
)

// ErrStopped is returned when the source doesn't run: the server is starting or shutting down, or another node publishes.
var ErrStopped = errors.New("the feed doesn't run")

// Options are the options of a Source. Their values are not checked: package config has the bounds of the settings.
type Options struct {
	MaxInstruments int
	MaxLine        int           // bytes of a line, without its end
	LogSize        int           // ticks of the log, whose trades and statuses are kept
	Rate           float64       // lines per second of all clients together, which are read no faster; 0 for no limit
	StaleAfter     time.Duration // time without a tick after which the feed is stale; 0 for never
	Logger         *slog.Logger  // slog.Default() if nil
}

// Observer is informed of changes of the feed. Its methods must not block.
type Observer interface {
	// UniverseGrown is called after instruments were added.
	UniverseGrown()
	// FeedStale is called when there was no tick for Options.StaleAfter, with the time of the newest, and with the zero time when ticks
	// come again.
	FeedStale(since time.Time)
}

// Source is a market.Source. Its methods may be called from any goroutine.
type Source struct {
	options  Options
	log      *slog.Logger
	universe *quote.Universe
	events   *quote.Events
	limiter  *rate.Limiter
	observer Observer // may be nil

	mu        sync.Mutex
	publish   Publish                     // nil unless Run or Lead runs
	confirm   func(context.Context) error // of the newest batch
	leading   context.Context             // of Lead
	term      int                         // number of calls of Lead
	states    []instrumentState           // by ID
	sequences sequences
	ticks     []quote.Tick // of a batch
	batch     batch.Batch

	growing  sync.Mutex // serializes grow
	follower follower

	accepted, rejected, duplicates atomic.Uint64 // lines

	created time.Time
	newest  atomic.Int64  // when the newest tick came in, µs since 1970; 0 before
	silent  atomic.Int64  // the same since created, in ns: the wall clock may be set
	stale   atomic.Int64  // since when the feed is stale, µs since 1970; 0 if it isn't
	live    chan struct{} // receives when a tick has come while the feed was stale
}

// New returns a source without instruments.
func New(o Options) (*Source, error) {
	u, err := quote.NewGrowingUniverse(nil, o.MaxInstruments)
	if err != nil {
		return nil, err
	}
	limit := rate.Limit(cmp.Or(o.Rate, math.Inf(1)))
	return &Source{
		options: o, log: cmp.Or(o.Logger, slog.Default()), universe: u, events: quote.NewEvents(o.LogSize),
		limiter: rate.NewLimiter(limit, maxBatch+int(min(o.Rate, 1e6))),
		states:  make([]instrumentState, o.MaxInstruments), sequences: newSequences(), follower: follower{sequences: newSequences()}, leading: context.Background(),
		ticks: make([]quote.Tick, 0, maxBatch), created: time.Now(), live: make(chan struct{}, 1),
	}, nil
}

// Attach sets the observer. It must be called before Run.
func (s *Source) Attach(o Observer) { s.observer = o }

// Universe returns the instruments that clients have sent.
func (s *Source) Universe() *quote.Universe { return s.universe }

// Events returns the trades and statuses of the newest ticks.
func (s *Source) Events() *quote.Events { return s.events }

// Lines returns how many lines took effect, were invalid, and had come before.
func (s *Source) Lines() (accepted, rejected, duplicates uint64) {
	return s.accepted.Load(), s.rejected.Load(), s.duplicates.Load()
}

// Reanchored returns 0: the source has no schedule.
func (s *Source) Reanchored() uint64 { return 0 }

// Run lets inputs publish until ctx is done. Their goroutines call publish, one at a time.
func (s *Source) Run(ctx context.Context, publish func([]quote.Tick)) error {
	s.mu.Lock()
	s.publish = func(b *batch.Batch) func(context.Context) error {
		if len(b.Ticks) > 0 {
			publish(b.Ticks)
		}
		return nil
	}
	s.mu.Unlock()
	s.watch(ctx)
	s.stop()
	return nil
}

// watch reports when the feed becomes stale and when it is live again, until ctx is done.
func (s *Source) watch(ctx context.Context) {
	if s.options.StaleAfter <= 0 {
		<-ctx.Done()
		return
	}
	started, began := time.Now(), time.Since(s.created)
	timer := time.NewTimer(s.options.StaleAfter)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			since, silent := started, began
			if newest := s.newest.Load(); newest > 0 {
				since, silent = time.UnixMicro(newest), time.Duration(s.silent.Load())
			}
			if rest := s.options.StaleAfter - (time.Since(s.created) - silent); rest > 0 {
				timer.Reset(rest)
				continue
			}
			s.stale.Store(since.UnixMicro())
			s.report(since)
			s.log.Warn("feed stale", "since", since, "stale_after", s.options.StaleAfter)
			if s.newest.Load() != since.UnixMicro() && s.newest.Load() > 0 { // a tick came before stale was set
				s.wake()
			}
		case <-s.live:
			if s.stale.Swap(0) == 0 {
				continue // a second tick came before the first was handled
			}
			s.report(time.Time{})
			s.log.Info("feed live again")
			timer.Reset(s.options.StaleAfter)
		}
	}
}

func (s *Source) report(since time.Time) {
	if s.observer != nil {
		s.observer.FeedStale(since)
	}
}

// published is called after ticks that were received at this time, in µs since 1970, were published.
func (s *Source) published(received int64) {
	s.silent.Store(int64(time.Since(s.created)))
	s.newest.Store(received)
	if s.stale.Load() != 0 {
		s.wake()
	}
}

func (s *Source) wake() {
	select {
	case s.live <- struct{}{}:
	default:
	}
}

// Stale returns since when there was no tick; ok is false unless that is longer than Options.StaleAfter.
func (s *Source) Stale() (since time.Time, ok bool) {
	us := s.stale.Load()
	return time.UnixMicro(us), us != 0
}

// Progress returns the largest number of a source's sequence that has come, and its holes below that. Of several nodes, the one that
// publishes waits until the lines that it has are stored; the others have what is stored and has arrived, which may be less. The error is
// ErrStopped if the lines can't be stored, or ctx's.
func (s *Source) Progress(ctx context.Context, name string) (Result, error) {
	r, confirm := s.progress(name)
	if err := confirmed(ctx, confirm); err != nil {
		return Result{}, err
	}
	return r, nil
}

// progress returns the progress of a sequence, and what waits until it is stored.
func (s *Source) progress(name string) (r Result, confirm func(context.Context) error) {
	r.Holes = []Range{}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.publish == nil && s.follower.progress(name, &r) {
		return r, nil
	}
	if q := s.sequences.bySource[name]; q != nil {
		r.setProgress(&q.sequence)
	}
	return r, s.confirm
}

// Publishing reports whether Run or Lead runs: inputs may publish.
func (s *Source) Publishing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.publish != nil
}
