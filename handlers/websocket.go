package handlers

import (
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/netconn"
	"ticklane/internal/shard"
	"ticklane/internal/stream"
	"ticklane/internal/websocket"
	"ticklane/internal/wire"
)

// The subprotocols that a client may list in Sec-WebSocket-Protocol. Without one it gets JSON.
const (
	subprotocolJSON  = "ticklane.v1.json"
	subprotocolProto = "ticklane.v1.protobuf"
)

// subscribeWS is GET /ws/subscribe. After the response 101 the connection is detached from fasthttp, and nothing of
// fasthttp's or Fiber's is used any more.
func (s *streams) subscribeWS(c *fiber.Ctx) error {
	x := credentialOf(c)
	p := x.principal
	if errors.Is(x.err, errNoCredentials) {
		p = nil // it may send a token as its first message
	}
	opt, err := s.subscriptions.parse(p, c.Context().QueryArgs(), wire.WSJSON)
	if err != nil {
		return err
	}
	if x.expired() { // a browser's script can't read the response to a refused handshake
		return s.refuseHandshake(c, s.expiredRefusal())
	}
	if done, err := s.injectPending(c, &opt); done {
		return err
	}
	deflate, err := s.negotiateDeflate(c, &opt)
	if err != nil {
		return err
	}
	if opt.Format, err = s.handshake(c); err != nil {
		return err
	}
	if deflate.Response != "" {
		c.Set("Sec-WebSocket-Extensions", deflate.Response)
	}
	opt.Address = s.access.clientAddress(c)
	opt.Meter = new(stream.Meter)
	conn := netconn.Of(c.Context().Conn())
	conn.StartStream(opt.Meter.Add, nil)
	// fasthttp calls the function after it has written the response, and keeps the request in memory until it returns. So
	// the stream runs in another goroutine, which closes the connection (fasthttp's KeepHijackedConns).
	c.Context().Hijack(func(hijacked net.Conn) {
		defer s.containHijack(conn)
		nc, received, ok := conn.Detach(hijacked)
		if !ok {
			return
		}
		if opt.Principal == nil {
			go s.serveUnauthenticated(nc, conn, opt, received)
			return
		}
		s.serveAdmitted(nc, conn, opt, received)
	})
	return nil
}

// serveAdmitted opens the stream of a WebSocket if it is admitted.
func (s *streams) serveAdmitted(nc net.Conn, conn *netconn.Conn, opt subscription, received []byte) {
	if refused := s.admit(&opt); refused != nil {
		defer nc.Close()
		s.refuseWS(nc, opt.Format, refused)
		return
	}
	if opt.Engine == engineShard {
		s.handToShard(nc, conn, opt, shard.Handoff{Received: received})
		return
	}
	sub := s.subscribe(&opt)
	go s.serveWS(nc, conn, sub, received, opt.delay)
}

// negotiateDeflate negotiates permessage-deflate, unless the server or a lab's parameter switches compression off, and sets
// opt.Compress. The error is a problem.
func (s *streams) negotiateDeflate(c *fiber.Ctx, opt *subscription) (websocket.Deflate, error) {
	if !s.views.compressionEnabled() {
		return websocket.Deflate{}, nil
	}
	d, err := websocket.NegotiateDeflate(values(&c.Request().Header, "Sec-WebSocket-Extensions"))
	switch {
	case err != nil:
		return d, problemOf(http.StatusBadRequest, "Sec-WebSocket-Extensions: "+err.Error()+".")
	case d.Response == "" || opt.plain:
		return websocket.Deflate{}, nil
	case d.PerMessage:
		opt.Compress = stream.CompressPerMessage
	default:
		opt.Compress = stream.CompressDeflate
	}
	return d, nil
}

// handshake checks an opening handshake (RFC 6455 §4.2), prepares the response and returns the format of the stream. The
// error is a problem.
func (s *streams) handshake(c *fiber.Ctx) (wire.Format, error) {
	head := &c.Request().Header
	if c.Method() != fiber.MethodGet || !websocket.IsUpgrade(values(head, fiber.HeaderConnection), values(head, fiber.HeaderUpgrade)) {
		c.Set(fiber.HeaderUpgrade, "websocket")
		c.Set(fiber.HeaderConnection, "Upgrade") // required beside Upgrade (RFC 9110 §7.8)
		return 0, problemOf(http.StatusUpgradeRequired, "This is a WebSocket: open it with a WebSocket client, or use /sse/subscribe. If the client is one: a proxy may have dropped the header Upgrade.")
	}
	if !websocket.IsVersion13(values(head, "Sec-WebSocket-Version")) {
		c.Set("Sec-WebSocket-Version", "13")
		return 0, problemOf(http.StatusUpgradeRequired, "Sec-WebSocket-Version: want 13.")
	}
	accept, ok := websocket.AcceptKey(values(head, "Sec-WebSocket-Key"))
	if !ok {
		return 0, problemOf(http.StatusBadRequest, "Sec-WebSocket-Key: want 16 bytes in base64.")
	}
	if !s.access.sameOrigin(c) {
		return 0, s.access.foreignOrigin(c)
	}
	subprotocol, ok := websocket.Subprotocol(values(head, "Sec-WebSocket-Protocol"), subprotocolJSON, subprotocolProto)
	if !ok {
		return 0, problemOf(http.StatusBadRequest, "Sec-WebSocket-Protocol: want "+subprotocolJSON+", "+subprotocolProto+", or none.")
	}
	if subprotocol != "" {
		c.Set("Sec-WebSocket-Protocol", subprotocol)
	}
	c.Status(http.StatusSwitchingProtocols)
	c.Set(fiber.HeaderConnection, "Upgrade")
	c.Set(fiber.HeaderUpgrade, "websocket")
	c.Set("Sec-WebSocket-Accept", accept)
	if subprotocol == subprotocolProto {
		return wire.WSProto, nil
	}
	return wire.WSJSON, nil
}

// serveWS is the goroutine of a stream on engine stream.
func (s *streams) serveWS(nc net.Conn, conn *netconn.Conn, sub *stream.Subscriber, received []byte, delay time.Duration) {
	defer nc.Close()
	err := s.run(sub, func() error { return s.writeWS(nc, conn, sub, received, delay) })
	s.ended(sub, conn, err)
}

// writeWS writes one stream, while another goroutine reads from the client. It returns when the client has closed the
// connection, or after the bye and the closing handshake. received is what the client sent right after its request.
func (s *streams) writeWS(nc net.Conn, conn *netconn.Conn, sub *stream.Subscriber, received []byte, delay time.Duration) error {
	in := s.newInput(sub)
	var readErr error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer s.observer.contain("websocket reader")
		if in.Feed(received) {
			readErr = in.Read(nc)
		}
	}()
	defer func() { // after a panic too
		nc.SetReadDeadline(time.Now())
		<-ended
	}()
	frames := &bufferedWriter{out: nc}
	defer frames.release()
	w, done := s.faults.Writer(sub, frames, conn.Reset, delay)
	defer done()
	if err := sub.Run(w, ended); err != nil {
		return err
	}
	closing := closeOf(sub.Reason())
	if closing.Code == 0 && sub.Ended() {
		closing.Code = wire.CloseGoingAway // stopped without a bye
	}
	if closing.Code == 0 { // Run returned because the client's input ended
		<-ended
		if closing, _ = in.End(); closing.Code == 0 {
			return readErr
		}
	}
	if _, err := nc.Write(wire.AppendClose(nil, closing.Code, closing.Reason)); err != nil {
		return err
	}
	nc.SetReadDeadline(time.Now().Add(s.set.CloseWait))
	<-ended
	if _, received := in.End(); !received {
		netconn.Drain(nc)
	}
	return nil
}

// refuseHandshake accepts a handshake and refuses the stream with a bye. The error is a problem.
func (s *streams) refuseHandshake(c *fiber.Ctx, r *refusal) error {
	format, err := s.handshake(c)
	if err != nil {
		return err
	}
	conn := netconn.Of(c.Context().Conn())
	conn.StartStream(func(int, int) {}, nil)
	c.Context().Hijack(func(hijacked net.Conn) {
		defer s.containHijack(conn)
		if nc, _, ok := conn.Detach(hijacked); ok {
			defer nc.Close()
			s.refuseWS(nc, format, r)
		}
	})
	return nil
}

// refuseWS sends a bye and closes. It comes after the handshake because a browser's script can't read the response to a
// refused one.
func (s *streams) refuseWS(nc net.Conn, format wire.Format, r *refusal) {
	b, _ := format.Append(nil, wire.Bye(r.reason, r.retry))
	closing := closeOf(r.reason)
	_, _ = nc.Write(wire.AppendClose(b, closing.Code, closing.Reason))
	nc.SetReadDeadline(time.Now().Add(s.set.CloseWait))
	netconn.Drain(nc)
}
