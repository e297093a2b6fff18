// Package delayed provides the feed as it was a fixed time ago, for clients with delayed rights.
package delayed

import (
	"time"

	"ticklane/internal/delay"
	"ticklane/internal/history"
	"ticklane/internal/quote"
	"ticklane/internal/stream"
)

// View has the log and the bars of the ticks that are as old as its delay. It is the sink of a line's outlet.
type View struct {
	Delay   time.Duration
	Log     *stream.Log
	History *history.Store
	Outlet  *delay.Outlet
}

// NewView returns a view behind a line. live is the configuration of the live log, and past has the bars at the start. The caller must
// close the log.
func NewView(d time.Duration, line *delay.Line, live stream.Config, past *history.Store) (*View, error) {
	live.Delay, live.Events = d, quote.NewEvents(live.Size)
	log, err := stream.New(live)
	if err != nil {
		return nil, err
	}
	v := &View{Delay: d, Log: log, History: past.Delayed(d)}
	v.Outlet = line.Outlet(d, live.Events, v)
	return v, nil
}

// Publish stores ticks as the live parts did, the bars first.
func (v *View) Publish(ticks []quote.Tick) {
	v.History.Add(ticks)
	v.Log.Append(ticks)
}

// Past stores ticks of the time before the start.
func (v *View) Past(ticks []quote.Tick) { v.History.Add(ticks) }

// FeedStale makes the streams report since when the feed has had no tick; zero means that ticks come again.
func (v *View) FeedStale(since time.Time) { v.Log.FeedStale(since) }
