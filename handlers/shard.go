package handlers

import (
	"cmp"
	"errors"
	"net"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"ticklane/internal/netconn"
	"ticklane/internal/shard"
	"ticklane/internal/stream"
	"ticklane/internal/websocket"
	"ticklane/internal/wire"
)

// shardSSE serves an event stream on engine shard.
func (s *streams) shardSSE(c *fiber.Ctx, opt subscription, conn *netconn.Conn) {
	s.hijackSSE(c, opt, conn, func(nc net.Conn, received []byte, request *fasthttp.RequestCtx) {
		chunked := request.Request.Header.IsHTTP11()
		s.handToShard(nc, conn, opt, shard.Handoff{Received: received, Chunked: chunked,
			ResponseHead: func(sub *stream.Subscriber) []byte { return responseHead(request, sub, chunked) }})
	})
}

// handToShard passes a detached connection, and the stream's slot in the limiter, to engine shard, and closes the descriptor
// that Go knows. If that fails, it releases both.
func (s *streams) handToShard(nc net.Conn, conn *netconn.Conn, opt subscription, h shard.Handoff) {
	defer nc.Close()
	defer s.observer.contain("shard handoff")
	err := s.addToShard(conn, opt, h)
	if err == nil {
		return
	}
	s.admission.release(opt.Principal, opt.Address)
	if !errors.Is(err, shard.ErrClosed) && !errors.Is(err, net.ErrClosed) {
		s.observer.handoffFailure.warn("err", err)
	}
}

func (s *streams) addToShard(conn *netconn.Conn, opt subscription, h shard.Handoff) error {
	fd, release, err := conn.Duplicate()
	if err != nil {
		return err
	}
	h.FD, h.Options = fd, opt.Options
	h.Options.OnRefused, h.Options.CheckRenewal = s.commandRefused, s.credentials.checkRenewal
	h.Protocol = func(sub *stream.Subscriber, reset func()) (shard.Protocol, shard.Throttle) {
		p := &shardProtocol{streams: s, sub: sub, release: release, chunked: h.Chunked}
		if sub.Lane() == wire.WS {
			p.in = s.newInput(sub)
		}
		throttle, done := s.faults.Throttle(sub, reset, opt.delay)
		p.done = done
		if throttle == nil {
			return p, nil
		}
		return p, throttle
	}
	if err = s.shard.add(opt.view.log, h); err != nil {
		netconn.CloseDescriptor(fd)
		release()
	}
	return err
}

// shardProtocol is the shard.Protocol of both lanes.
type shardProtocol struct {
	streams   *streams
	sub       *stream.Subscriber
	release   func()           // frees the connection's slot in the listener's limiter
	done      func()           // removes the stream from the injector of faults
	in        *websocket.Input // nil on SSE
	discarded int              // bytes of an SSE client
	chunked   bool
	closeSent bool
}

// OnOpen logs the stream.
func (p *shardProtocol) OnOpen() { p.streams.opened(p.sub) }

// HandleInput discards what an SSE client sends after its request, up to maxSSEInput.
func (p *shardProtocol) HandleInput(b []byte) bool {
	if p.in == nil {
		p.discarded += len(b)
		return p.discarded <= maxSSEInput
	}
	return p.in.Feed(b)
}

// Final returns the end of the chunked coding on SSE, and on WebSocket the close frame, as writeWS sends it.
func (p *shardProtocol) Final(inputEnded bool) (b []byte, action shard.CloseAction) {
	switch {
	case p.in == nil && inputEnded:
		return nil, shard.CloseNow
	case p.in == nil && p.chunked:
		return []byte("0\r\n\r\n"), shard.WaitEOF
	case p.in == nil:
		return nil, shard.WaitEOF
	case !inputEnded:
		p.closeSent = true
		closing := closeOf(p.sub.Reason())
		closing.Code = cmp.Or(closing.Code, wire.CloseGoingAway) // stopped without a bye
		return wire.AppendClose(nil, closing.Code, closing.Reason), shard.WaitInput
	}
	closing, received := p.in.End()
	if !p.closeSent {
		p.closeSent = true
		b = wire.AppendClose(nil, closing.Code, closing.Reason)
	}
	if received {
		return b, shard.CloseNow
	}
	return b, shard.WaitEOF
}

// OnEnd releases what the stream holds.
func (p *shardProtocol) OnEnd(err error) {
	defer p.done()
	p.streams.ended(p.sub, nil, err)
}

// OnClose frees the connection's slot.
func (p *shardProtocol) OnClose() { p.release() }
