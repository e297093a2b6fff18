package handlers

import (
	"net"
	"time"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// closeWait is how long a client gets to answer a close frame before its connection is closed (RFC 6455 §7.1.1).
const closeWait = 2 * time.Second

// subscribeWS is GET /ws/subscribe. After the 101 the connection is ours: this goroutine writes what the log has
// rendered, another reads commands. Nothing of fasthttp's or Fiber's is touched after the handler.
func (s *Server) subscribeWS(c *fiber.Ctx) error {
	opt, err := s.options(c.Context().QueryArgs(), wire.WS)
	if err != nil {
		return err
	}
	if err := s.handshake(c); err != nil {
		return err
	}
	opt.Address = s.address(c)
	v := s.gate.enter(opt.Address)
	if v != admitted {
		reason := s.refusal(v)
		c.Context().Hijack(func(nc net.Conn) { refuseWS(nc, reason) })
		return nil
	}
	opt.Meter = new(stream.Meter)
	mc := unwrap(c.Context().Conn())
	if mc != nil {
		mc.meter.Store(opt.Meter)
	}
	sub := s.stream.Subscribe(opt)
	c.Context().Hijack(func(nc net.Conn) {
		s.serve(sub, mc, func() error { return s.converse(nc, sub) })
	})
	return nil
}

// converse runs one stream: it returns when the client is gone, or was told bye and had its time to close.
func (s *Server) converse(nc net.Conn, sub *stream.Subscriber) error {
	in := newInbound(s, nc, sub)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		defer s.contain("websocket reader")
		in.read()
	}()
	// Whatever happens here, panics included, the reader is told to stop and waited for.
	defer func() {
		nc.SetReadDeadline(time.Now())
		<-gone
	}()
	w := &frameWriter{nc: nc}
	defer w.release()
	if err := sub.Run(w, gone); err != nil {
		return err
	}
	code, reason := closeCodes[sub.Reason()], sub.Reason()
	if code == 0 {
		<-gone // Run ended because of the reader
		if code, reason = in.code, in.reason; code == 0 {
			return in.err
		}
	}
	if _, err := nc.Write(wire.AppendClose(nil, code, reason)); err != nil {
		return err
	}
	nc.SetReadDeadline(time.Now().Add(closeWait))
	<-gone
	return nil
}

var closeCodes = map[string]uint16{
	wire.ByeLimit:    wire.CloseNormal,
	wire.ByeDuration: wire.CloseNormal,
	wire.ByeShutdown: wire.CloseGoingAway,
	wire.ByeOverload: wire.CloseOverload,
	wire.ByeSlow:     wire.CloseSlow,
}

// refuseWS says bye at once. A refused handshake would tell a browser's page nothing.
func refuseWS(nc net.Conn, reason string) {
	b := wire.WS.Append(nil, wire.Bye(reason, stream.ByeRetry(reason, overloadRetry)))
	nc.Write(wire.AppendClose(b, closeCodes[reason], reason))
	nc.SetReadDeadline(time.Now().Add(closeWait))
	for b := make([]byte, 512); ; {
		if _, err := nc.Read(b); err != nil {
			return
		}
	}
}
