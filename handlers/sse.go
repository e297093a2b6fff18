package handlers

import (
	"bufio"
	"cmp"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/netconn"
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
	s.negotiateGzip(c, &opt)
	if c.Method() == fiber.MethodHead {
		eventStream(c)
		if s.stream.WouldCompress(&opt.Options) {
			c.Set(fiber.HeaderContentEncoding, "gzip")
		}
		return nil
	}
	if done, err := s.injectPending(c, &opt); done {
		return err
	}
	opt.Address = s.access.clientAddress(c)
	if a := s.limiter.Acquire(opt.Address); a != netconn.Admitted {
		return s.refuseSSE(c, a)
	}
	eventStream(c)
	opt.Meter = new(stream.Meter)
	conn := netconn.Of(c.Context().Conn())
	if opt.Engine == engineShard {
		s.shardSSE(c, opt, conn)
		return nil
	}
	if !c.Request().Header.IsHTTP11() {
		s.unchunkedSSE(c, opt, conn)
		return nil
	}
	sub := s.stream.Subscribe(opt.Options)
	if sub.Compression() == stream.CompressGzip {
		c.Set(fiber.HeaderContentEncoding, "gzip")
	}
	conn.StartStream(opt.Meter.Wrote, sub.Stop)
	// fasthttp runs the writer in a goroutine that starts now and outlives the handler, so it must not use c; all strings
	// of opt are copies. The first flush sends the response header.
	c.Context().SetBodyStreamWriter(func(body *bufio.Writer) {
		err := s.run(sub, func() error {
			w, done := s.faults.Writer(sub, body, conn.Reset, opt.delay)
			defer done()
			return sub.Run(w, nil) // Next, Write, Flush, wait; until the bye or a failed flush
		})
		conn.FinishStream(func() { s.ended(sub, conn, err) })
	})
	return nil
}

// negotiateGzip sets opt.Compress from the request's Accept-Encoding, unless the server or a lab's parameter switches
// compression off.
func (s *Server) negotiateGzip(c *fiber.Ctx, opt *subscription) {
	if !s.stream.CompressionEnabled() {
		return
	}
	c.Vary(fiber.HeaderAcceptEncoding)
	if !opt.plain && accepts(c, fiber.HeaderAcceptEncoding, "gzip") {
		opt.Compress = stream.CompressGzip
	}
}

// run writes a stream to its end and recovers its panics, which would end the process. It stays on the stack for hours, so
// everything else is in functions that return.
func (s *Server) run(sub *stream.Subscriber, write func() error) error {
	defer func() {
		if p := recover(); p != nil {
			s.streamPanicked(sub, p)
		}
	}()
	s.opened(sub)
	return write()
}

// opened is called when a stream begins, on both engines.
func (s *Server) opened(sub *stream.Subscriber) {
	info := sub.Info()
	s.log.Debug("stream opened", "lane", info.Lane, "engine", info.Engine, "id", info.ID, "user", info.User, "address", info.Address)
	if s.limiter.Closed() {
		sub.End(wire.ByeShutdown) // it was opened after Shutdown ended all streams
	}
}

// ended releases what a stream holds, on both engines. conn is nil on engine shard, which marks slow clients itself.
func (s *Server) ended(sub *stream.Subscriber, conn *netconn.Conn, err error) {
	if conn != nil {
		failed, timeout := conn.WriteErr()
		if timeout {
			sub.MarkSlow()
		}
		err = cmp.Or(err, failed)
	}
	end := sub.Info()
	s.log.Debug("stream ended", "lane", end.Lane, "engine", end.Engine, "id", end.ID, "user", end.User, "reason", sub.Reason(), "slow", end.Slow,
		"err", err, "ticks", end.Ticks, "wire_bytes", end.Wire, "gaps", end.Gaps, "after", time.Since(time.UnixMicro(end.Since)))
	sub.Close()
	s.paces.Delete(sub)
	s.limiter.Release(end.Address)
}

func (s *Server) streamPanicked(sub *stream.Subscriber, p any) {
	s.observer.panics.Add(1)
	s.log.Error("stream panicked", "lane", sub.Lane().String(), "id", sub.ID(), "panic", p, "stack", string(debug.Stack()))
}

// refuseSSE answers when there is no place. An EventSource that gets an error status never comes back, so it gets a
// stream that says when to; others get the status, so that a load tester counts it.
func (s *Server) refuseSSE(c *fiber.Ctx, a netconn.Admission) error {
	reason := s.refusal(a)
	retry := stream.ByeRetry(reason, overloadRetry)
	if !accepts(c, fiber.HeaderAccept, "text/event-stream") {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int(retry/time.Second)))
		return problemOf(http.StatusServiceUnavailable, "No stream can be opened now: "+refusalWords[reason])
	}
	eventStream(c)
	b, _ := wire.SSEJSON.Append(nil, wire.Bye(reason, retry))
	return c.Send(b)
}

// refusal counts a refused stream and names the reason of its bye.
func (s *Server) refusal(a netconn.Admission) string {
	if a == netconn.ShuttingDown {
		return wire.ByeShutdown
	}
	s.observer.overloads.Add(1)
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
