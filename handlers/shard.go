package handlers

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"ticklane/internal/shard"
	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// shards is engine shard, started by the first stream that wants it.
type shards struct {
	mu     sync.Mutex
	pool   *shard.Pool
	closed bool
	failed atomic.Bool
}

// shardable tells whether engine shard can serve this server's connections: TLS needs a goroutine for each. Once the engine
// has failed, engine stream serves whoever comes.
func (s *Server) shardable() bool {
	return shard.Available && s.set.TLS == nil && !s.shards.failed.Load()
}

func (s *Server) shardPool() (*shard.Pool, error) {
	s.shards.mu.Lock()
	defer s.shards.mu.Unlock()
	if s.shards.closed {
		return nil, shard.ErrClosed
	}
	if s.shards.pool == nil {
		p, err := shard.New(shard.Options{Log: s.stream, Writers: s.set.Shards, WriteTimeout: s.set.WriteTimeout, CloseWait: s.set.CloseWait,
			OnPanic: s.panickedAt, OnFailure: s.shardFailed})
		if err != nil {
			return nil, err
		}
		s.shards.pool = p
	}
	return s.shards.pool, nil
}

// shardFailed is told when the engine can't go on. Its clients come back, and get another engine.
func (s *Server) shardFailed(err error) {
	s.shards.failed.Store(true)
	s.log.Error("engine shard has failed: its streams were closed, and new ones run on engine stream until the server is started again", "err", err)
}

// closeAll ends the connections of engine shard that are still open.
func (s *shards) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pool != nil {
		s.pool.CloseAll()
	}
}

func (s *shards) close() {
	s.mu.Lock()
	s.closed = true
	p := s.pool
	s.mu.Unlock()
	if p != nil {
		p.Close()
	}
}

// shardSSE answers with a stream of engine shard. fasthttp writes nothing: the answer's head goes out with the first
// events.
func (s *Server) shardSSE(c *fiber.Ctx, opt subscription, mc *conn) {
	s.takeOver(c, opt, mc, func(nc net.Conn, request *fasthttp.RequestCtx) {
		chunked := request.Request.Header.IsHTTP11()
		s.handOver(nc, mc, opt, shard.Handoff{Chunked: chunked, ResponseHead: func(sub *stream.Subscriber) []byte { return ownHead(request, sub, chunked) }})
	})
}

// handOver gives a hijacked connection, and the stream's place at the gate, to engine shard, and closes what fasthttp holds of
// it. Whatever fails, the place is given back.
func (s *Server) handOver(nc net.Conn, mc *conn, opt subscription, start shard.Handoff) {
	defer nc.Close()
	defer s.contain("handing over")
	fd, err := mc.hand()
	if errors.Is(err, net.ErrClosed) {
		return
	}
	if err == nil {
		start.FD, start.Received, start.Options = fd, buffered(nc), opt.Options
		start.Protocol = func(sub *stream.Subscriber, reset func()) (shard.Protocol, shard.Throttle) {
			p := &shardPeer{server: s, sub: sub, listener: mc.listener, address: mc.peer, chunked: start.Chunked}
			if sub.Lane() == wire.WS {
				p.in = newInbound(s, sub)
				p.in.deflate = sub.Compression() != stream.CompressNone
			}
			var brake shard.Throttle
			brake, p.over = s.lab.brake(sub, reset, opt.delay)
			return p, brake
		}
		var pool *shard.Pool
		if pool, err = s.shardPool(); err == nil {
			err = pool.Add(start)
		}
		if err == nil {
			return
		}
		closeDescriptor(fd)
	}
	mc.takeBack()
	s.gate.leave(opt.Address)
	if !errors.Is(err, shard.ErrClosed) {
		s.log.Error("a connection couldn't be handed over", "err", err)
	}
}

// shardPeer is the protocol's side of a connection of engine shard.
type shardPeer struct {
	server   *Server
	sub      *stream.Subscriber
	listener *listener
	address  string
	over     func()   // the lab's
	in       *inbound // nil on SSE
	chunked  bool
	said     bool // the close frame
}

func (p *shardPeer) OnOpen() { p.server.opened(p.sub) }

// HandleInput throws away what an SSE client sends after its request.
func (p *shardPeer) HandleInput(b []byte) bool {
	if p.in == nil {
		return true
	}
	p.in.feed(b)
	return p.in.code == 0
}

// Final is the closing handshake, as converse has it, or the end of the chunked coding.
func (p *shardPeer) Final(fed bool) (b []byte, after shard.CloseAction) {
	switch {
	case p.in == nil && p.chunked:
		return []byte("0\r\n\r\n"), shard.WaitEOF
	case p.in == nil:
		return nil, shard.WaitEOF
	case !fed:
		p.said = true
		reason := p.sub.Reason()
		code := closeCodes[reason]
		if code == 0 {
			code = wire.CloseGoingAway // stopped without a bye
		}
		return wire.AppendClose(nil, code, reason), shard.WaitInput
	case !p.said:
		p.said = true
		b = wire.AppendClose(nil, p.in.code, p.in.reason)
	}
	if p.in.closed {
		return b, shard.CloseNow
	}
	return b, shard.WaitEOF
}

func (p *shardPeer) OnEnd(err error) {
	defer p.over()
	p.server.ended(p.sub, nil, err)
}

func (p *shardPeer) OnClose() { p.listener.sockets.leave(p.address) }
