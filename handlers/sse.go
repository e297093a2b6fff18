package handlers

import (
	"bufio"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/quote"
	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

const (
	// maxRead bounds one write of engine stream, in bytes: fasthttp's pipe copies each write and holds up to four.
	maxRead = 16 << 10
	// chunkSize is the write buffer of a connection, in bytes: the 4 KiB that fasthttp reads from a stream writer's pipe
	// at once, with room for the header and the end of the chunk, so that a chunk leaves in one write.
	chunkSize = 4<<10 + 16
)

// subscribeSSE is GET and HEAD /sse/subscribe.
func (s *Server) subscribeSSE(c *fiber.Ctx) error {
	opt, err := s.subscription(c.Context().QueryArgs(), wire.SSEJSON)
	if err != nil {
		return err
	}
	switch id := c.Get("Last-Event-ID"); {
	case id == "":
	case id == wire.EndID:
		// The standard's way to say 'don't come back' (WHATWG HTML, "Server-sent events").
		c.Set(fiber.HeaderCacheControl, "no-store")
		return c.SendStatus(http.StatusNoContent)
	default:
		// An error status would end an EventSource for good, so what can't be read is a position of another log.
		opt.From = stream.FromUnknown
		if opt.Position, err = quote.ParsePosition(strings.Clone(id)); err == nil {
			opt.From = stream.FromPosition
		}
	}
	opt.Compress = opt.agreed(s.gzipOffered(c))
	if c.Method() == fiber.MethodHead {
		eventStream(c)
		if s.stream.WouldCompress(&opt.Options) {
			c.Set(fiber.HeaderContentEncoding, "gzip")
		}
		return nil
	}
	if done, err := s.drilled(c, &opt); done {
		return err
	}
	opt.Address = s.address(c)
	if v := s.gate.enter(opt.Address); v != admitted {
		return s.refuseSSE(c, v)
	}
	eventStream(c)
	opt.Meter = new(stream.Meter)
	nc := unwrap(c.Context().Conn())
	if nc != nil {
		nc.meter.Store(opt.Meter)
	}
	if opt.Engine == engineShard {
		s.shardSSE(c, opt, nc)
		return nil
	}
	if !c.Request().Header.IsHTTP11() {
		s.unchunkedSSE(c, opt, nc)
		return nil
	}
	sub := s.stream.Subscribe(opt.Options)
	if sub.Compression() == stream.CompressGzip {
		c.Set(fiber.HeaderContentEncoding, "gzip")
	}
	// fasthttp runs the writer in a goroutine that starts now and outlives the handler, so it must not use c; all strings
	// of opt are copies. The first flush sends the response header.
	c.Context().SetBodyStreamWriter(func(body *bufio.Writer) {
		s.serve(sub, nc, func() error {
			w, done := s.lab.rig(sub, nc, body, opt.delay)
			defer done()
			return sub.Run(w, nil) // Next, Write, Flush, wait; until the bye or a failed flush
		})
	})
	return nil
}

// serve runs a stream to its end on either lane, and contains its panics: one in a stream writer would take the
// process with it. It stays on the stack for hours, so what it does besides is in functions of their own.
func (s *Server) serve(sub *stream.Subscriber, nc *conn, run func() error) {
	var err error
	defer func() {
		if p := recover(); p != nil {
			s.streamPanicked(sub, p)
		}
		finish := func() { s.ended(sub, nc, err) }
		if nc == nil {
			finish()
			return
		}
		nc.afterwards(finish)
	}()
	s.opened(sub)
	if nc != nil {
		nc.onAbort(sub.Stop)
	}
	err = run()
}

// opened begins a stream, on whatever engine.
func (s *Server) opened(sub *stream.Subscriber) {
	info := sub.Info()
	s.log.Debug("stream opened", "lane", info.Lane, "engine", info.Engine, "id", info.ID, "user", info.User, "address", info.Address)
	if s.gate.shut() {
		sub.End(wire.ByeShutdown) // Shutdown may have told all others before this one was there
	}
}

// ended gives back what a stream had, on whatever engine; nc is nil where no connection of fasthttp's is left.
func (s *Server) ended(sub *stream.Subscriber, nc *conn, err error) {
	if nc != nil && nc.slow.Load() {
		sub.MarkSlow()
	}
	end := sub.Info()
	s.log.Debug("stream ended", "lane", end.Lane, "engine", end.Engine, "id", end.ID, "user", end.User, "reason", sub.Reason(), "slow", end.Slow,
		"err", err, "ticks", end.Ticks, "wire_bytes", end.Wire, "gaps", end.Gaps, "after", time.Since(time.UnixMicro(end.Since)))
	sub.Close()
	s.paces.Delete(sub)
	s.gate.leave(end.Address)
}

func (s *Server) streamPanicked(sub *stream.Subscriber, p any) {
	s.counts.panics.Add(1)
	s.log.Error("stream panicked", "lane", sub.Lane().String(), "id", sub.ID(), "panic", p, "stack", stack())
}

// refuseSSE answers when there is no place. An EventSource that gets an error status never comes back, so it gets a
// stream that says when to; others get the status, so that a load tester counts it.
func (s *Server) refuseSSE(c *fiber.Ctx, v verdict) error {
	reason := s.refusal(v)
	retry := stream.ByeRetry(reason, overloadRetry)
	if !accepted(listed(&c.Request().Header, fiber.HeaderAccept), "text/event-stream") {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int(retry/time.Second)))
		return problemOf(http.StatusServiceUnavailable, "No stream can be opened now: "+refusalWords[reason])
	}
	eventStream(c)
	b, _ := wire.SSEJSON.Append(nil, wire.Bye(reason, retry))
	return c.Send(b)
}

// refusal counts a refused stream and names the reason of its bye.
func (s *Server) refusal(v verdict) string {
	if v == shutting {
		return wire.ByeShutdown
	}
	s.counts.overloads.Add(1)
	return wire.ByeOverload
}

// overloadRetry is the least time after which a refused client shall come back.
const overloadRetry = 2 * time.Second

var refusalWords = map[string]string{
	wire.ByeOverload: "limits.connections or limits.per_address is reached.",
	wire.ByeShutdown: "the server is shutting down.",
}

func eventStream(c *fiber.Ctx) {
	c.Set(fiber.HeaderContentType, "text/event-stream")
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set("X-Accel-Buffering", "no") // nginx would buffer the stream
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	if len(c.Response().Header.Peek("Cross-Origin-Resource-Policy")) == 0 {
		c.Set("Cross-Origin-Resource-Policy", "same-origin")
	}
}
