package testserver

import (
	"net/url"

	"ticklane/internal/wire"
)

// SSE opens an event stream and reads its hello.
func (s *Server) SSE(query string, lines ...string) *Client {
	s.Helper()
	return s.Stream(wire.SSE, query, lines...)
}

// WS opens a WebSocket and reads its hello.
func (s *Server) WS(query string, lines ...string) *Client {
	s.Helper()
	return s.Stream(wire.WS, query, lines...)
}

// Stream opens a stream of a lane and reads its hello.
func (s *Server) Stream(lane wire.Lane, query string, lines ...string) *Client {
	s.Helper()
	c := s.Dial()
	c.RequestStream(lane, query, lines...)
	c.ReadHello()
	return c
}

// SmallStream is Stream over a connection of DialSmall.
func (s *Server) SmallStream(lane wire.Lane, query string) *Client {
	s.Helper()
	c := s.DialSmall()
	c.RequestStream(lane, query)
	c.ReadHello()
	return c
}

// Header lines with which a client accepts compressed streams.
const (
	AcceptGzip   = "Accept-Encoding: gzip, deflate"
	OfferDeflate = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
)

// CompressedStream is Stream for a client that accepts compression.
func (s *Server) CompressedStream(lane wire.Lane, query string) *Client {
	s.Helper()
	if lane == wire.SSE {
		return s.SSE(query, AcceptGzip)
	}
	return s.WS(query, OfferDeflate)
}

// ResumeStream opens a stream at a position: by the query or, on SSE, by Last-Event-ID if byHeader is set.
func (s *Server) ResumeStream(lane wire.Lane, position, query string, byHeader bool) *Client {
	s.Helper()
	if lane == wire.SSE && byHeader {
		return s.SSE(query+"&from=oldest", "Last-Event-ID: "+position)
	}
	return s.Stream(lane, query+"&from="+url.QueryEscape(position))
}
