package handlers

import (
	"net"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"ticklane/internal/stream"
)

// takeOver takes an event stream's connection from fasthttp, which then writes nothing: f writes the answer's head and all
// that follows, and closes the connection. f gets the stream's place at the gate with it.
func (s *Server) takeOver(c *fiber.Ctx, opt subscription, mc *conn, f func(nc net.Conn, request *fasthttp.RequestCtx)) {
	mc.afterwards(func() { s.gate.leave(opt.Address) }) // for a connection that is closed before f has it
	request := c.Context()                              // fasthttp's own is kept until f returns; Fiber's isn't
	request.HijackSetNoResponse(true)
	request.Hijack(func(nc net.Conn) { f(nc, request) })
}

// ownHead is the answer's head on a connection that isn't given back after the stream, so it says Connection: close.
func ownHead(request *fasthttp.RequestCtx, sub *stream.Subscriber, chunked bool) []byte {
	head := &request.Response.Header
	head.Del(fiber.HeaderConnection) // fasthttp has promised a client of HTTP/1.0 what it asked for
	head.SetConnectionClose()
	head.SetContentLength(-2) // the end of the connection ends the body
	if chunked {
		head.SetContentLength(-1)
	}
	if sub.Compression() == stream.CompressGzip {
		head.SetContentEncoding("gzip")
	}
	return append([]byte(nil), head.Header()...)
}

// buffered returns what the client sent after its request and fasthttp has read already. A deadline in the past lets
// nothing more come from the socket.
func buffered(nc net.Conn) []byte {
	nc.SetReadDeadline(time.Unix(1, 0))
	var early []byte
	for b := make([]byte, readSize); ; {
		n, err := nc.Read(b)
		early = append(early, b[:n]...)
		if err != nil || n == 0 {
			return early
		}
	}
}

// escape returns what of a hijacked connection may be used when its hijack handler has returned, and what the client sent
// after its request. fasthttp's reader of the two reads from whichever connection its RequestCtx then serves.
func escape(hijacked net.Conn) (nc net.Conn, early []byte) {
	early = buffered(hijacked)
	hijacked.SetReadDeadline(time.Time{})
	return hijacked.(interface{ UnsafeConn() net.Conn }).UnsafeConn(), early
}

// unchunkedSSE is engine stream's answer to a client of HTTP/1.0, which must get no chunks (RFC 9112 §6.1), as
// fasthttp would send them: the events follow the head as they are.
func (s *Server) unchunkedSSE(c *fiber.Ctx, opt subscription, mc *conn) {
	s.takeOver(c, opt, mc, func(nc net.Conn, request *fasthttp.RequestCtx) {
		if !mc.claim() {
			return
		}
		nc, _ = escape(nc)
		sub := s.stream.Subscribe(opt.Options)
		head := ownHead(request, sub, false)
		// As on WebSocket, a goroutine of its own lets go of the request.
		go func() {
			defer nc.Close()
			nc.Write(head) // after a failed write, the next one fails, too
			s.serve(sub, mc, func() error {
				frames := &bufferedWriter{out: nc}
				defer frames.release()
				w, done := s.lab.rig(sub, mc, frames, opt.delay)
				defer done()
				return sub.Run(w, nil)
			})
			if !mc.broken.Load() {
				nc.SetReadDeadline(time.Now().Add(s.set.CloseWait))
				drain(nc)
			}
		}()
	})
}
