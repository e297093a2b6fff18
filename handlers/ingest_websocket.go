package handlers

import (
	"context"
	"errors"
	"net"
	"os"
	"time"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/market/ingest"
	"ticklane/internal/netconn"
	"ticklane/internal/websocket"
	"ticklane/internal/wire"
)

// maxIngestMessage is the largest message of lines, in bytes.
const maxIngestMessage = 1 << 20

// socket is GET /ws/ingest?source=: the lines of a feed as text messages, with acknowledgements.
func (h *ingestAPI) socket(c *fiber.Ctx) error {
	if err := h.authorize(c); err != nil {
		return err
	}
	name, err := h.sourceOf(c, queryOf(c), h.source.Claim)
	if err != nil {
		return err
	}
	conn, p := netconn.Of(c.Context().Conn()), principalOf(c)
	if refused := h.add(conn); refused != nil {
		return refused
	}
	if _, err := h.streams.handshake(c); err != nil {
		h.remove(conn)
		return err
	}
	conn.StartStream(func(int, int) {}, func() { h.remove(conn) })
	c.Context().Hijack(func(hijacked net.Conn) {
		nc, received, ok := conn.Detach(hijacked)
		if !ok {
			return
		}
		go func() { // fasthttp frees the request
			defer h.remove(conn)
			defer h.streams.observer.contain("feed socket")
			defer nc.Close()
			h.interrupt(nc)
			x, err := h.open(name, p)
			if err != nil {
				return // it has become another subject's since the request
			}
			defer x.Close()
			refused := func() string { return h.streams.refuses(p, time.Now()) }
			(&feedSocket{ctx: h.ctx, input: x, refused: refused, nc: nc, closeWait: h.set.CloseWait}).run(received)
		}()
	})
	return nil
}

// feedSocket serves one WebSocket of a feed.
type feedSocket struct {
	ctx       context.Context
	input     IngestInput
	refused   func() string // why the client may send no more, "" if it may
	nc        net.Conn
	closeWait time.Duration

	received time.Time // of the bytes that are parsed
	messages int       // since the last acknowledgement
	out      []byte    // pongs, before the acknowledgement
}

// run reads messages until the client or the server closes the connection. received is what the client sent right after its request.
func (f *feedSocket) run(received []byte) {
	in := &websocket.Input{Handler: f, MaxMessage: maxIngestMessage, TooBig: "a message is larger than 1 MiB: send fewer lines in each"}
	f.messages++ // the first acknowledgement reports where the sequence is
	b := make([]byte, ingestRead)
	n, err := copy(b, received), error(nil)
	for {
		f.received = time.Now()
		in.Feed(b[:n])
		end, closeReceived := in.End()
		if failed := f.acknowledge(); end.Code == 0 && failed.Code != 0 {
			end = failed
		}
		if end.Code == 0 && err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				return // the client has gone
			}
			end = shuttingDown
		}
		if end.Code != 0 {
			f.close(end, closeReceived)
			return
		}
		n, err = f.nc.Read(b)
	}
}

var (
	shuttingDown  = websocket.Close{Code: wire.CloseGoingAway, Reason: wire.ByeShutdown}
	feedStopped   = websocket.Close{Code: wire.CloseOverload, Reason: "the feed is not running or its server has changed: reconnect and send again"}
	otherSubjects = websocket.Close{Code: wire.ClosePolicy, Reason: ingest.ErrForeignSource.Error()}
	lostClient    = websocket.Close{Code: wire.CloseGoingAway}
)

// acknowledge publishes the lines of the messages and reports what became of them.
func (f *feedSocket) acknowledge() websocket.Close {
	end := f.closeFor(f.input.Flush(f.ctx))
	if f.messages > 0 {
		f.messages = 0
		text := marshalResult(f.input.Take(), "")
		f.out = append(wire.AppendFrameHeader(f.out, wire.OpText, len(text)), text...)
	}
	if len(f.out) > 0 {
		if _, err := f.nc.Write(f.out); err != nil {
			return lostClient
		}
		f.out = f.out[:0]
	}
	return end
}

// closeFor maps an error of the input.
func (f *feedSocket) closeFor(err error) websocket.Close {
	switch {
	case err == nil:
		return websocket.Close{}
	case errors.Is(err, ingest.ErrForeignSource):
		return otherSubjects
	case f.ctx.Err() == nil:
		return feedStopped
	}
	return shuttingDown
}

func (f *feedSocket) close(end websocket.Close, closeReceived bool) {
	if _, err := f.nc.Write(wire.AppendClose(nil, end.Code, end.Reason)); err != nil {
		return
	}
	f.nc.SetReadDeadline(time.Now().Add(f.closeWait))
	if !closeReceived {
		netconn.Drain(f.nc)
	}
}

// HandleText handles a message of one or more lines.
func (f *feedSocket) HandleText(message []byte) websocket.Close {
	if reason := f.refused(); reason != "" {
		return closeOf(reason)
	}
	f.messages++
	return f.closeFor(f.input.Message(f.ctx, message, f.received))
}

// HandlePing answers a ping.
func (f *feedSocket) HandlePing(payload []byte) websocket.Close {
	f.out = append(wire.AppendFrameHeader(f.out, wire.OpPong, len(payload)), payload...)
	return websocket.Close{}
}

// HandleEmptyFragment accepts fragments without payload: the client has the right to send a feed.
func (f *feedSocket) HandleEmptyFragment() websocket.Close { return websocket.Close{} }
