package handlers

import (
	"net"
	"time"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/netconn"
	"ticklane/internal/shard"
	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// closeWait is the default of Settings.CloseWait.
const closeWait = 2 * time.Second

// subscribeWS is GET /ws/subscribe. After the 101 the connection is ours: this goroutine writes what the log has
// rendered, another reads commands. Nothing of fasthttp's or Fiber's is touched after the handler.
func (s *Server) subscribeWS(c *fiber.Ctx) error {
	opt, err := s.subscription(c.Context().QueryArgs(), wire.WSJSON)
	if err != nil {
		return err
	}
	if done, err := s.drilled(c, &opt); done {
		return err
	}
	var extension string
	if opt.Compress, extension, err = s.deflateOffered(c); err != nil {
		return err
	}
	if opt.Format, err = s.handshake(c); err != nil {
		return err
	}
	if opt.Compress = opt.agreed(opt.Compress); opt.Compress != stream.CompressNone {
		c.Set("Sec-WebSocket-Extensions", extension)
	}
	opt.Address = s.address(c)
	opt.Meter = new(stream.Meter)
	conn := netconn.Of(c.Context().Conn())
	conn.StartStream(opt.Meter.Wrote, nil)
	// The stream begins after the 101: fasthttp doesn't call this when it can't write that. It keeps the whole request
	// for as long as this runs, so the stream has a goroutine of its own, which closes the connection
	// (KeepHijackedConns).
	c.Context().Hijack(func(hijacked net.Conn) {
		nc, received, ok := conn.Detach(hijacked)
		if !ok {
			return
		}
		if a := s.limiter.Acquire(opt.Address); a != netconn.Admitted {
			defer nc.Close()
			s.refuseWS(nc, opt.Format, s.refusal(a))
			return
		}
		if opt.Engine == engineShard {
			s.handOver(nc, conn, opt, shard.Handoff{Received: received})
			return
		}
		sub := s.stream.Subscribe(opt.Options)
		go s.serveWS(nc, conn, sub, received, opt.delay)
	})
	return nil
}

// serveWS is the goroutine of a stream on engine stream.
func (s *Server) serveWS(nc net.Conn, conn *netconn.Conn, sub *stream.Subscriber, received []byte, delay time.Duration) {
	defer nc.Close()
	err := s.run(sub, func() error { return s.writeWS(nc, conn, sub, received, delay) })
	s.ended(sub, conn, err)
}

// writeWS runs one stream. It returns when the client has closed the connection, or after the bye and the closing handshake.
// received is what the client sent right after its request.
func (s *Server) writeWS(nc net.Conn, conn *netconn.Conn, sub *stream.Subscriber, received []byte, delay time.Duration) error {
	in := newInbound(s, sub)
	in.deflate = sub.Compression() != stream.CompressNone
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		defer s.contain("websocket reader")
		in.feed(received)
		in.read(nc)
	}()
	// Whatever happens here, panics included, the reader is told to stop and waited for.
	defer func() {
		nc.SetReadDeadline(time.Now())
		<-gone
	}()
	frames := &bufferedWriter{out: nc}
	defer frames.release()
	w, done := s.lab.rig(sub, conn, frames, delay)
	defer done()
	if err := sub.Run(w, gone); err != nil {
		return err
	}
	code, reason := closeCodes[sub.Reason()], sub.Reason()
	switch {
	case code == 0 && sub.Ended():
		code = wire.CloseGoingAway // stopped without a bye
	case code == 0:
		<-gone // Run ended because of the reader
		if code, reason = in.code, in.reason; code == 0 {
			return in.err
		}
	}
	if _, err := nc.Write(wire.AppendClose(nil, code, reason)); err != nil {
		return err
	}
	nc.SetReadDeadline(time.Now().Add(s.set.CloseWait))
	<-gone
	if !in.closed {
		netconn.Drain(nc)
	}
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
func (s *Server) refuseWS(nc net.Conn, format wire.Format, reason string) {
	b, _ := format.Append(nil, wire.Bye(reason, stream.ByeRetry(reason, overloadRetry)))
	nc.Write(wire.AppendClose(b, closeCodes[reason], reason))
	nc.SetReadDeadline(time.Now().Add(s.set.CloseWait))
	netconn.Drain(nc)
}
