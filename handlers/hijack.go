package handlers

import (
	"net"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"ticklane/internal/netconn"
	"ticklane/internal/stream"
)

// hijackSSE takes the connection of an event stream from fasthttp, which then writes nothing: f writes the whole response
// and closes the connection. f also owns the stream's slot in the limiter. received is what the client sent after its
// request. request is valid until f returns.
func (s *streams) hijackSSE(c *fiber.Ctx, opt subscription, conn *netconn.Conn, f func(nc net.Conn, received []byte, request *fasthttp.RequestCtx)) {
	conn.StartStream(opt.Meter.Add, func() { s.admission.release(opt.Principal, opt.Address) })
	request := c.Context() // fasthttp's context lives until f returns, Fiber's doesn't
	request.HijackSetNoResponse(true)
	request.Hijack(func(hijacked net.Conn) {
		defer s.containHijack(conn)
		if nc, received, ok := conn.Detach(hijacked); ok {
			f(nc, received, request)
		}
	})
}

// containHijack recovers from a panic in a hijack handler, which fasthttp calls in another goroutine, and closes the
// connection. It must be deferred itself.
func (s *streams) containHijack(conn *netconn.Conn) {
	if v := recover(); v != nil {
		s.observer.panicked("hijack handler", v)
		conn.Close()
	}
}

// responseHead returns the response header of a hijacked event stream. The connection ends with the stream, so it has
// Connection: close.
func responseHead(request *fasthttp.RequestCtx, sub *stream.Subscriber, chunked bool) []byte {
	head := &request.Response.Header
	head.Del(fiber.HeaderConnection) // fasthttp has already answered an HTTP/1.0 client's keep-alive
	head.SetConnectionClose()
	head.SetContentLength(-2) // the body ends with the connection
	if chunked {
		head.SetContentLength(-1)
	}
	if sub.Compression() == stream.CompressGzip {
		head.SetContentEncoding("gzip")
	}
	return append([]byte(nil), head.Header()...)
}

// unchunkedSSE serves a client of HTTP/1.0 on engine stream. Such a client must not be sent chunks (RFC 9112 §6.1), which
// fasthttp would send; the events follow the response header as they are.
func (s *streams) unchunkedSSE(c *fiber.Ctx, opt subscription, conn *netconn.Conn) {
	s.hijackSSE(c, opt, conn, func(nc net.Conn, _ []byte, request *fasthttp.RequestCtx) {
		sub := s.subscribe(&opt)
		conn.LimitInput(maxSSEInput)
		head := responseHead(request, sub, false)
		// In another goroutine, so that fasthttp frees the request.
		go func() {
			defer nc.Close()
			_, _ = nc.Write(head) // if it fails, the next write fails too
			err := s.run(sub, func() error {
				events := &bufferedWriter{out: nc}
				defer events.release()
				w, done := s.faults.Writer(sub, events, conn.Reset, opt.delay)
				defer done()
				return sub.Run(w, nil)
			})
			s.ended(sub, conn, err)
			if failed, _ := conn.WriteErr(); failed == nil {
				nc.SetReadDeadline(time.Now().Add(s.set.CloseWait))
				netconn.Drain(nc)
			}
		}()
	})
}
