package handlers

import (
	"cmp"
	"errors"
	"net"
	"sync"
	"sync/atomic"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"ticklane/internal/netconn"
	"ticklane/internal/shard"
	"ticklane/internal/stream"
	"ticklane/internal/websocket"
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
			OnPanic: s.observer.streamPanicked, OnFailure: s.shardFailed})
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

// shardSSE serves an event stream on engine shard.
func (s *Server) shardSSE(c *fiber.Ctx, opt subscription, conn *netconn.Conn) {
	s.hijackSSE(c, opt, conn, func(nc net.Conn, received []byte, request *fasthttp.RequestCtx) {
		chunked := request.Request.Header.IsHTTP11()
		s.handOver(nc, conn, opt, shard.Handoff{Received: received, Chunked: chunked,
			ResponseHead: func(sub *stream.Subscriber) []byte { return responseHead(request, sub, chunked) }})
	})
}

// handOver passes a detached connection, and the stream's place in the limiter, to engine shard, and closes the descriptor
// that Go knows. If that fails, it releases both.
func (s *Server) handOver(nc net.Conn, conn *netconn.Conn, opt subscription, h shard.Handoff) {
	defer nc.Close()
	defer s.observer.contain("shard handoff")
	err := s.addToShard(conn, opt, h)
	if err == nil {
		return
	}
	s.limiter.Release(opt.Address)
	if !errors.Is(err, shard.ErrClosed) && !errors.Is(err, net.ErrClosed) {
		s.log.Error("shard handoff failed", "err", err)
	}
}

func (s *Server) addToShard(conn *netconn.Conn, opt subscription, h shard.Handoff) error {
	fd, release, err := conn.Duplicate()
	if err != nil {
		return err
	}
	h.FD, h.Options = fd, opt.Options
	h.Protocol = func(sub *stream.Subscriber, reset func()) (shard.Protocol, shard.Throttle) {
		p := &shardProtocol{server: s, sub: sub, release: release, chunked: h.Chunked}
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
	pool, err := s.shardPool()
	if err == nil {
		err = pool.Add(h)
	}
	if err != nil {
		netconn.CloseDescriptor(fd)
		release()
	}
	return err
}

// shardProtocol is the shard.Protocol of both lanes.
type shardProtocol struct {
	server    *Server
	sub       *stream.Subscriber
	release   func()           // frees the connection's place in the listener's limiter
	done      func()           // removes the stream from the injector of faults
	in        *websocket.Input // nil on SSE
	chunked   bool
	closeSent bool
}

func (p *shardProtocol) OnOpen() { p.server.opened(p.sub) }

// HandleInput discards what an SSE client sends after its request.
func (p *shardProtocol) HandleInput(b []byte) bool {
	if p.in == nil {
		return true
	}
	return p.in.Feed(b)
}

// Final returns the end of the chunked coding on SSE, and on WebSocket the close frame, as writeWS sends it.
func (p *shardProtocol) Final(inputEnded bool) (b []byte, action shard.CloseAction) {
	switch {
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

func (p *shardProtocol) OnEnd(err error) {
	defer p.done()
	p.server.ended(p.sub, nil, err)
}

func (p *shardProtocol) OnClose() { p.release() }
