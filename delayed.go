package main

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"time"

	"ticklane/handlers"
	"ticklane/internal/config"
	"ticklane/internal/delay"
	"ticklane/internal/delayed"
	"ticklane/internal/history"
	"ticklane/internal/market/ingest"
	"ticklane/internal/metrics"
	"ticklane/internal/quote"
	"ticklane/internal/stream"
)

// maxDelays is the largest number of different delays: each needs a log and bars.
const maxDelays = 8

// delayedFeed is the feed for clients with delayed rights. A nil one has no clients.
type delayedFeed struct {
	line  *delay.Line
	views []*delayed.View // by delay
}

// delaysOf returns the delays for which there must be a view, of the settings and of the tokens. It also passes them to the service,
// which warns of delays that are added later.
func delaysOf(c config.Auth, a access) ([]time.Duration, error) {
	if c.Mode == "none" {
		return nil, nil
	}
	all := append(slices.Clone(c.Delays), a.service.Delays()...)
	slices.Sort(all)
	if all = slices.Compact(all); len(all) > maxDelays {
		return nil, fmt.Errorf("auth.delays: %d different delays, with those of auth.tokens; want at most %d: a right gets the next longer one, so some of the tokens' may be left out", len(all), maxDelays)
	}
	a.service.KeepDelays(all)
	return all, nil
}

// newDelayedFeed returns a feed with a view for each of the delays, nil for none. live is the configuration of the live log, and past
// has the bars at the start. The caller must close it.
func newDelayedFeed(delays []time.Duration, live stream.Config, past *history.Store) (*delayedFeed, error) {
	if len(delays) == 0 {
		return nil, nil
	}
	f := &delayedFeed{line: delay.New(live.Events)}
	for _, d := range delays {
		v, err := delayed.NewView(d, f.line, live, past)
		if err != nil {
			f.close()
			return nil, err
		}
		f.views = append(f.views, v)
	}
	return f, nil
}

// close stops the logs.
func (f *delayedFeed) close() {
	if f == nil {
		return
	}
	for _, v := range f.views {
		v.Log.Close()
	}
}

// run publishes ticks after their delays until ctx is done.
func (f *delayedFeed) run(ctx context.Context) {
	if f != nil {
		f.line.Run(ctx)
	}
}

// addDays stores days of the simulated past, after the live store has them.
func (f *delayedFeed) addDays(ticks []quote.Tick) {
	if f == nil {
		return
	}
	for _, v := range f.views {
		v.History.AddDays(ticks)
	}
}

// addPast stores ticks of the simulated past, after the live store has them: those that are old enough for all views at once, the
// others when they are.
func (f *delayedFeed) addPast(ticks []quote.Tick) {
	if f == nil {
		return
	}
	limit := time.Now().Add(-f.views[len(f.views)-1].Delay).UnixMicro()
	n := sort.Search(len(ticks), func(i int) bool { return ticks[i].Due > limit })
	for _, v := range f.views {
		v.History.Add(ticks[:n])
	}
	f.line.AddPast(ticks[n:])
}

// addTo adds the views to the parts that handlers need.
func (f *delayedFeed) addTo(d *handlers.Deps) {
	if f != nil {
		d.Delayed = f.views
	}
}

// measure adds the figures of the views to the sources of the metrics.
func (f *delayedFeed) measure(of *metrics.Sources) {
	if f == nil {
		return
	}
	of.HeldBytes = f.line.Bytes
	for _, v := range f.views {
		of.Delayed = append(of.Delayed, metrics.Delayed{Delay: v.Delay, Stream: v.Log, Held: v.Outlet.Held, Late: v.Outlet.Late})
	}
}

// logs returns the live log and those of the views.
func (f *delayedFeed) logs(live *stream.Log) []*stream.Log {
	all := []*stream.Log{live}
	if f != nil {
		for _, v := range f.views {
			all = append(all, v.Log)
		}
	}
	return all
}

// observer returns the observer of changes of the feed: the live log and, after their delays, the views. New symbols are known to
// all at once.
func (f *delayedFeed) observer(live *stream.Log) ingest.Observer {
	if f == nil {
		return live
	}
	return &feedObserver{live, f}
}

type feedObserver struct {
	live    *stream.Log
	delayed *delayedFeed
}

func (o *feedObserver) UniverseGrown() {
	for _, log := range o.delayed.logs(o.live) {
		log.UniverseGrown()
	}
}

func (o *feedObserver) FeedStale(since time.Time) {
	o.live.FeedStale(since)
	o.delayed.line.FeedStale(since)
}
