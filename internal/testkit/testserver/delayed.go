package testserver

import (
	"context"
	"sync"
	"time"

	"ticklane/internal/delay"
	"ticklane/internal/delayed"
	"ticklane/internal/stream"
)

// addDelayed adds a view for each delay, behind the server's bus. live is the configuration of its log.
func (s *Server) addDelayed(delays []time.Duration, live stream.Config) (views []*delayed.View) {
	s.Helper()
	if len(delays) == 0 {
		return nil
	}
	s.Line = delay.New(live.Events)
	for _, d := range delays {
		v, err := delayed.NewView(d, s.Line, live, s.History)
		if err != nil {
			s.Fatal(err)
		}
		views = append(views, v)
	}
	s.Bus.Attach(s.Line.Add)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { s.Line.Run(ctx) })
	s.stopDelayed = func() {
		cancel()
		running.Wait()
		for _, v := range views {
			v.Log.Close()
		}
	}
	return views
}
