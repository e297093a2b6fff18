package handlers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ticklane/internal/wire"
)

// NotReady makes /readyz answer 503. Streams are still opened, until Shutdown.
func (s *Server) NotReady() { s.health.ready.Store(false) }

// Ready reports whether the server accepts streams.
func (s *Server) Ready() bool { return s.health.ready.Load() }

// Shutdown makes /readyz answer 503, sends a bye to every stream, waits until all have ended or ctx is done, and closes the
// remaining connections. It returns an error if streams had to be closed before they ended.
func (s *Server) Shutdown(ctx context.Context) error {
	s.NotReady()
	drained := s.streams.limiter.Close()
	s.streams.endAll(ctx)
	s.ingest.close(ctx)
	var late error
	select {
	case <-drained:
	case <-ctx.Done():
		late = fmt.Errorf("streams were cut: %w", ctx.Err())
	}
	if late != nil {
		s.listener.CloseAll()
		s.streams.shard.closeAll()
	}
	if err := s.app.ShutdownWithContext(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		late = errors.Join(late, err)
	}
	s.listener.Close() // if Serve was not called, fasthttp doesn't know the listener
	s.listener.CloseAll()
	s.admin.close()
	s.streams.shard.close()
	<-drained // streams end once their connections are closed
	return late
}

// endSlice is the minimum time between two parts of the streams that a shutdown ends.
const endSlice = 20 * time.Millisecond

// endAll ends all streams with a bye, in a way that their clients don't reconnect all at once. It ends them in parts, over the
// time that so many clients need to reconnect, but at most half of the time until ctx's deadline. Their retry times are
// spread over the time that so many clients need.
func (s *streams) endAll(ctx context.Context) {
	all := s.views.subscribers()
	spread := s.admission.spread(len(all))
	for _, view := range s.views.all {
		view.log.SpreadRetries(spread)
	}
	window := spread
	if deadline, ok := ctx.Deadline(); ok {
		window = min(window, time.Until(deadline)/2)
	}
	parts := max(1, min(len(all), int(window/endSlice)))
	for k := range parts {
		for _, sub := range all[k*len(all)/parts : (k+1)*len(all)/parts] {
			sub.End(wire.ByeShutdown)
		}
		if k == parts-1 || ctx.Err() != nil {
			break
		}
		time.Sleep(window / time.Duration(parts))
	}
	for _, view := range s.views.all {
		view.log.End(wire.ByeShutdown) // also those that were opened meanwhile
	}
}
