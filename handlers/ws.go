package handlers

import (
	"net"
	"time"

	"github.com/gofiber/fiber/v2"

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
	mc := unwrap(c.Context().Conn())
	if mc != nil {
		mc.meter.Store(opt.Meter)
	}
	// The stream begins after the 101: fasthttp doesn't call this when it can't write that. It keeps the whole request
	// for as long as this runs, so the stream has a goroutine of its own, which closes the connection
	// (KeepHijackedConns).
	c.Context().Hijack(func(nc net.Conn) {
		v := s.gate.enter(opt.Address)
		if v == admitted && opt.Engine == engineShard {
			mc.afterwards(func() { s.gate.leave(opt.Address) }) // for one that is closed before it is handed over
			s.handOver(nc, mc, opt, shard.Handoff{})
			return
		}
		nc, early := escape(nc)
		if v != admitted {
			defer nc.Close()
			s.refuseWS(nc, opt.Format, s.refusal(v))
			return
		}
		sub := s.stream.Subscribe(opt.Options)
		go s.speak(nc, mc, sub, early, opt.delay)
	})
	return nil
}

// speak is a stream's goroutine.
func (s *Server) speak(nc net.Conn, mc *conn, sub *stream.Subscriber, early []byte, delay time.Duration) {
	defer nc.Close()
	s.serve(sub, mc, func() error { return s.converse(nc, mc, sub, early, delay) })
}

// converse runs one stream: it returns when the client is gone, or was told bye and had its time to close. early is what the
// client sent with its request.
func (s *Server) converse(nc net.Conn, mc *conn, sub *stream.Subscriber, early []byte, delay time.Duration) error {
	in := newInbound(s, sub)
	in.deflate = sub.Compression() != stream.CompressNone
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		defer s.contain("websocket reader")
		in.feed(early)
		in.read(nc)
	}()
	// Whatever happens here, panics included, the reader is told to stop and waited for.
	defer func() {
		nc.SetReadDeadline(time.Now())
		<-gone
	}()
	frames := &bufferedWriter{out: nc}
	defer frames.release()
	w, done := s.lab.rig(sub, mc, frames, delay)
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
		drain(nc)
	}
	return nil
}

// drain sends FIN and takes what the client still has on its way, until its end or the read deadline: a socket that
// is closed with unread bytes in it sends RST, and with that the close frame may be lost.
func drain(nc net.Conn) {
	if half, ok := nc.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
	for b := make([]byte, 512); ; {
		if _, err := nc.Read(b); err != nil {
			return
		}
	}
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
	drain(nc)
}
