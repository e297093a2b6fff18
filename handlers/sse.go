package handlers

import (
	"bufio"
	"cmp"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/netconn"
	"ticklane/internal/quote"
	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// chunkSize is the write buffer of a connection, in bytes: the 4 KiB that fasthttp reads from a stream writer's pipe at
// once, with room for the header and the end of the chunk, so that a chunk is sent in one write.
const chunkSize = 4<<10 + 16

// maxSSEInput bounds what a client may send after its request, in bytes. A client that sends more is disconnected.
const maxSSEInput = 64 << 10

// subscribeSSE is GET and HEAD /sse/subscribe.
func (s *streams) subscribeSSE(c *fiber.Ctx) error {
	opt, err := s.subscriptions.parse(principalOf(c), c.Context().QueryArgs(), wire.SSEJSON)
	if err != nil {
		return err
	}
	switch id := cmp.Or(c.Get("Last-Event-ID"), opt.lastEventID); {
	case id == "":
	case id == wire.EndID:
		// An EventSource doesn't reconnect after this status (WHATWG HTML, "Server-sent events").
		c.Set(fiber.HeaderCacheControl, "no-store")
		return c.SendStatus(http.StatusNoContent)
	default:
		// An EventSource doesn't reconnect after an error status, so a malformed id is treated as one of another epoch.
		opt.From = stream.FromUnknown
		if opt.Position, err = quote.ParsePosition(strings.Clone(id)); err == nil {
			opt.From = stream.FromPosition
		}
	}
	if x := credentialOf(c); x.expired() {
		return s.refuseExpiredSSE(c, x)
	}
	s.negotiateGzip(c, &opt)
	if c.Method() == fiber.MethodHead {
		return s.probeSSE(c, &opt)
	}
	if done, err := s.injectPending(c, &opt); done {
		return err
	}
	opt.Address = s.access.clientAddress(c)
	if refused := s.admit(&opt); refused != nil {
		return s.refuseSSE(c, refused)
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
	sub := s.subscribe(&opt)
	if sub.Compression() == stream.CompressGzip {
		c.Set(fiber.HeaderContentEncoding, "gzip")
	}
	conn.StartStream(opt.Meter.Add, sub.Stop)
	conn.LimitInput(maxSSEInput)
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

// probeSSE is HEAD /sse/subscribe: the status and the header that GET would get now.
func (s *streams) probeSSE(c *fiber.Ctx, opt *subscription) error {
	if refused := s.admission.probe(principalOf(c), s.access.clientAddress(c)); refused != nil {
		return s.refuseSSE(c, refused)
	}
	eventStream(c)
	if opt.view.log.WouldCompress(&opt.Options) {
		c.Set(fiber.HeaderContentEncoding, "gzip")
	}
	if opt.Engine == engineShard || !c.Request().Header.IsHTTP11() { // where GET's body ends with the connection
		c.Context().SetConnectionClose()
	}
	return nil
}

// negotiateGzip sets opt.Compress from the request's Accept-Encoding, unless the server or a lab's parameter switches
// compression off.
func (s *streams) negotiateGzip(c *fiber.Ctx, opt *subscription) {
	if !s.views.compressionEnabled() {
		return
	}
	c.Vary(fiber.HeaderAcceptEncoding)
	if !opt.plain && accepts(c, fiber.HeaderAcceptEncoding, "gzip") {
		opt.Compress = stream.CompressGzip
	}
}

// refuseSSE answers when no stream can be opened. An EventSource doesn't reconnect after an error status, so it gets a
// stream that consists of a bye with a retry time. Other clients get the status, so that a load tester counts it.
func (s *streams) refuseSSE(c *fiber.Ctx, r *refusal) error {
	if !accepts(c, fiber.HeaderAccept, "text/event-stream") {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int(math.Ceil(r.retry.Seconds()))))
		return problemOf(http.StatusServiceUnavailable, "No stream can be opened now: "+r.cause+".")
	}
	return sendBye(c, r)
}

// refuseExpiredSSE answers a request whose credential has expired. An EventSource would never reconnect after a 401.
func (s *streams) refuseExpiredSSE(c *fiber.Ctx, x *credential) error {
	if !accepts(c, fiber.HeaderAccept, "text/event-stream") {
		return unauthenticated(c, x.err)
	}
	return sendBye(c, s.expiredRefusal())
}

// sendBye answers with a stream that consists of a bye.
func sendBye(c *fiber.Ctx, r *refusal) error {
	eventStream(c)
	return c.Send(r.events())
}

// events returns the events of a stream that consists of a bye.
func (r *refusal) events() []byte {
	b, _ := wire.SSEJSON.Append(nil, wire.Bye(r.reason, r.retry))
	return b
}

// eventStreamHeader has the header fields of every event stream.
var eventStreamHeader = [][2]string{
	{fiber.HeaderContentType, "text/event-stream"},
	{fiber.HeaderCacheControl, "no-store, no-transform"}, // a compressing proxy would hold each event back until the next
	{"X-Accel-Buffering", "no"},                          // nginx would buffer the stream
	{fiber.HeaderXContentTypeOptions, "nosniff"},
}

// eventStream sets the headers of an event stream.
func eventStream(c *fiber.Ctx) {
	for _, field := range eventStreamHeader {
		c.Set(field[0], field[1])
	}
	if len(c.Response().Header.Peek("Cross-Origin-Resource-Policy")) == 0 {
		c.Set("Cross-Origin-Resource-Policy", "same-origin")
	}
}
