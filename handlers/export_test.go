package handlers

import (
	"net"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/netconn"
	"ticklane/internal/wire"
)

// What tests of package handlers_test read and change of a server's state.

// LiveStreams returns how many streams hold a slot of the limiter.
func (s *Server) LiveStreams() int { return s.streams.limiter.Open() }

// AcquireStream takes a slot of the limiter of streams as a client's request does.
func (s *Server) AcquireStream(client string) bool {
	return s.streams.limiter.Acquire(client) == netconn.Admitted
}

// ReleaseStream releases the slot of AcquireStream.
func (s *Server) ReleaseStream(client string) { s.streams.limiter.Release(client) }

// OpenConns returns the number of open connections.
func (s *Server) OpenConns() int { return s.listener.Open() }

// CloseConns closes all connections.
func (s *Server) CloseConns() { s.listener.CloseAll() }

// Accept accepts from the server's listener.
func (s *Server) Accept() (net.Conn, error) { return s.listener.Accept() }

// CommandLimiters returns how many streams have a limiter of their commands.
func (s *Server) CommandLimiters() (n int) {
	s.streams.commandLimiters.all.Range(func(any, any) bool { n++; return true })
	return n
}

// Routes returns the registered routes.
func (s *Server) Routes() []fiber.Route { return s.app.GetRoutes(true) }

// SetReady sets what /readyz reports.
func (s *Server) SetReady(ready bool) { s.health.ready.Store(ready) }

// EnginesOf returns the engines that a lane can use on this server, the default first.
func (s *Server) EnginesOf(lane wire.Lane) []string { return s.streams.subscriptions.engines(lane) }

// RejectPendingFaults makes the lab reject faults that wait for a client's next request.
func (s *Server) RejectPendingFaults() { s.streams.faults.MaxPending = 0 }

// LiveFeeds returns how many request bodies and WebSockets send a feed.
func (s *Server) LiveFeeds() int {
	s.ingest.mu.Lock()
	defer s.ingest.mu.Unlock()
	return len(s.ingest.conns)
}
