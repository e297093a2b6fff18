package testserver

import (
	"context"
	"sync"
	"time"

	"ticklane/handlers"
	"ticklane/internal/delay"
	"ticklane/internal/history"
	"ticklane/internal/quote"
	"ticklane/internal/stream"
)

// delayedView is the sink of an outlet.
type delayedView struct {
	log     *stream.Log
	history *history.Store
}

func (v delayedView) Publish(ticks []quote.Tick) {
	v.history.Add(ticks)
	v.log.Append(ticks)
}

func (v delayedView) Past(ticks []quote.Tick)   { v.history.Add(ticks) }
func (v delayedView) FeedStale(since time.Time) { v.log.FeedStale(since) }

// addDelayed adds a view for each delay, behind the server's bus. live is the configuration of its log.
func (s *Server) addDelayed(delays []time.Duration, live stream.Config) (views []handlers.DelayedView) {
	s.Helper()
	if len(delays) == 0 {
		return nil
	}
	s.Line = delay.New(live.Events)
	for _, d := range delays {
		cfg := live
		cfg.Delay, cfg.Events = d, quote.NewEvents(cfg.Size)
		log, err := stream.New(cfg)
		if err != nil {
			s.Fatal(err)
		}
		v := delayedView{log, s.History.Delayed(d)}
		s.Line.Outlet(d, cfg.Events, v)
		views = append(views, handlers.DelayedView{Delay: d, Stream: log, History: v.history})
	}
	s.Bus.Attach(s.Line.Add)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { s.Line.Run(ctx) })
	s.stopDelayed = func() {
		cancel()
		running.Wait()
		for _, v := range views {
			v.Stream.Close()
		}
	}
	return views
}
