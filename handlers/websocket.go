package handlers

import (
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
	"golang.org/x/time/rate"

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

// closeWait is the default of Settings.CloseWait.
const closeWait = 2 * time.Second

// subscribeWS is GET /ws/subscribe. After the response 101 the connection is detached from fasthttp, and nothing of
// fasthttp's or Fiber's is used any more.
func (s *Server) subscribeWS(c *fiber.Ctx) error {
	opt, err := s.subscription(c.Context().QueryArgs(), wire.WSJSON)
	if err != nil {
		return err
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
	conn.StartStream(opt.Meter.Wrote, nil)
	// fasthttp calls the function after it has written the response, and keeps the request in memory until it returns. So
	// the stream has a goroutine of its own, which closes the connection (fasthttp's KeepHijackedConns).
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

// values returns the values of a request header, one for each line with its name.
func values(h *fasthttp.RequestHeader, name string) []string {
	var all []string
	for _, v := range h.PeekAll(name) {
		all = append(all, string(v))
	}
	return all
}

// negotiateDeflate negotiates permessage-deflate, unless the server or a lab's parameter switches compression off, and sets
// opt.Compress. The error is a problem.
func (s *Server) negotiateDeflate(c *fiber.Ctx, opt *subscription) (websocket.Deflate, error) {
	if !s.stream.CompressionEnabled() {
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
func (s *Server) handshake(c *fiber.Ctx) (wire.Format, error) {
	head := &c.Request().Header
	if c.Method() != fiber.MethodGet || !websocket.IsUpgrade(values(head, fiber.HeaderConnection), values(head, fiber.HeaderUpgrade)) {
		c.Set(fiber.HeaderUpgrade, "websocket")
		c.Set(fiber.HeaderConnection, "Upgrade") // required beside Upgrade (RFC 9110 §7.8)
		return 0, problemOf(http.StatusUpgradeRequired, "This is a WebSocket: open it with a WebSocket client, or use /sse/subscribe.")
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
		return 0, problemOf(http.StatusForbidden, "Origin: pages of this origin are not allowed; add it to server.origins.")
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
func (s *Server) serveWS(nc net.Conn, conn *netconn.Conn, sub *stream.Subscriber, received []byte, delay time.Duration) {
	defer nc.Close()
	err := s.run(sub, func() error { return s.writeWS(nc, conn, sub, received, delay) })
	s.ended(sub, conn, err)
}

// writeWS writes one stream, while another goroutine reads from the client. It returns when the client has closed the
// connection, or after the bye and the closing handshake. received is what the client sent right after its request.
func (s *Server) writeWS(nc net.Conn, conn *netconn.Conn, sub *stream.Subscriber, received []byte, delay time.Duration) error {
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

// closeOf returns the close frame after a bye with this reason; its code is 0 if there is none.
func closeOf(reason string) websocket.Close {
	return websocket.Close{Code: map[string]uint16{
		wire.ByeLimit:    wire.CloseNormal,
		wire.ByeDuration: wire.CloseNormal,
		wire.ByeShutdown: wire.CloseGoingAway,
		wire.ByeOverload: wire.CloseOverload,
		wire.ByeSlow:     wire.CloseSlow,
	}[reason], Reason: reason}
}

// refuseWS sends a bye and closes. It comes after the handshake because a browser's script can't read the response to a
// refused one.
func (s *Server) refuseWS(nc net.Conn, format wire.Format, reason string) {
	b, _ := format.Append(nil, wire.Bye(reason, stream.ByeRetry(reason, overloadRetry)))
	closing := closeOf(reason)
	nc.Write(wire.AppendClose(b, closing.Code, closing.Reason))
	nc.SetReadDeadline(time.Now().Add(s.set.CloseWait))
	netconn.Drain(nc)
}

// newInput returns the parser of what a stream's client sends.
func (s *Server) newInput(sub *stream.Subscriber) *websocket.Input {
	return &websocket.Input{
		Handler:    &commandHandler{sub: sub, limiter: rate.NewLimiter(rate.Limit(s.set.MessageRate), s.set.MessageBurst)},
		MaxMessage: s.set.MessageSize,
		Deflate:    sub.Compression() != stream.CompressNone,
	}
}

// commandHandler handles the messages of a WebSocket client: commands and pings. Its answers go through the subscriber,
// so that the stream's writer alone writes frames.
type commandHandler struct {
	sub     *stream.Subscriber
	limiter *rate.Limiter
	refused int // messages over the rate in a row
}

// HandleText enqueues a command, or an error as its answer.
func (h *commandHandler) HandleText(message []byte) websocket.Close {
	received := time.Now()
	cmd, err := wire.ParseCommand(message)
	var invalid *wire.CommandError
	switch allowed, end := h.allow(); {
	case end.Code != 0:
		return end
	case !allowed:
		return enqueued(h.sub.EnqueueMessage(tooOften(cmd, err).Message()))
	case errors.As(err, &invalid):
		return enqueued(h.sub.EnqueueMessage(invalid.Message()))
	case err != nil:
		return websocket.Close{}
	}
	return enqueued(h.sub.EnqueueCommand(cmd, received))
}

// HandlePing enqueues a pong, unless the client sends too many messages.
func (h *commandHandler) HandlePing(payload []byte) websocket.Close {
	if allowed, end := h.allow(); !allowed {
		return end
	}
	pong := wire.AppendFrameHeader(nil, wire.OpPong, len(payload))
	return enqueued(h.sub.EnqueueFrame(append(pong, payload...)))
}

// HandleEmptyFragment counts the fragment as a message.
func (h *commandHandler) HandleEmptyFragment() websocket.Close {
	_, end := h.allow()
	return end
}

// allow reports whether a message is within the rate. end ends a stream whose client ignores the refusals.
func (h *commandHandler) allow() (allowed bool, end websocket.Close) {
	if h.limiter.Allow() {
		h.refused = 0
		return true, end
	}
	if h.refused++; h.refused > h.limiter.Burst() {
		end = websocket.Close{Code: wire.ClosePolicy, Reason: "too many messages"}
	}
	return false, end
}

// enqueued maps the error of a Subscriber's Enqueue methods.
func enqueued(err error) websocket.Close {
	if errors.Is(err, stream.ErrBusy) {
		return websocket.Close{Code: wire.ClosePolicy, Reason: "too many messages wait for answers"}
	}
	return websocket.Close{}
}
