package handlers

import (
	"errors"
	"time"

	"golang.org/x/time/rate"

	"ticklane/internal/stream"
	"ticklane/internal/websocket"
	"ticklane/internal/wire"
)

// closeOf returns the close frame after a bye with this reason; its code is 0 if there is none.
func closeOf(reason string) websocket.Close {
	return websocket.Close{Code: map[string]uint16{
		wire.ByeLimit:    wire.CloseNormal,
		wire.ByeDuration: wire.CloseNormal,
		wire.ByeShutdown: wire.CloseGoingAway,
		wire.ByeOverload: wire.CloseOverload,
		wire.ByeSlow:     wire.CloseSlow,

		wire.ByeExpired:      wire.CloseUnauthorized,
		wire.ByeUnauthorized: wire.CloseUnauthorized,
		wire.ByeRevoked:      wire.CloseRevoked,
	}[reason], Reason: reason}
}

// newInput returns the parser of what a stream's client sends.
func (s *streams) newInput(sub *stream.Subscriber) *websocket.Input {
	return &websocket.Input{
		Handler:    &commandHandler{sub: sub, credentials: s.credentials, onRefused: s.commandRefused, limiter: rate.NewLimiter(rate.Limit(s.set.MessageRate), s.set.MessageBurst)},
		MaxMessage: s.set.MessageSize,
		Deflate:    sub.Compression() != stream.CompressNone,
	}
}

// commandHandler handles the messages of a WebSocket client: commands and pings. Its answers go through the subscriber,
// so that the stream's writer alone writes frames.
type commandHandler struct {
	sub         *stream.Subscriber
	credentials *credentials
	onRefused   func(*stream.Subscriber, *wire.CommandError)
	limiter     *rate.Limiter
	refused     int // messages over the rate in a row
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
		return enqueued(h.sub.EnqueueMessage(rateError(cmd, err).Message()))
	case errors.As(err, &invalid):
		return enqueued(h.sub.EnqueueMessage(invalid.Message()))
	case err != nil:
		return websocket.Close{}
	}
	if cmd.Action == wire.ActionAuth {
		return enqueued(h.renew(cmd))
	}
	return enqueued(h.sub.EnqueueCommand(cmd, received))
}

// renew renews the stream's rights by a command's token.
func (h *commandHandler) renew(cmd wire.Command) error {
	p, err := h.credentials.verify(cmd)
	if err == nil {
		err = h.sub.EnqueueRenewal(p, cmd)
	}
	var refused *wire.CommandError
	if errors.As(err, &refused) {
		h.onRefused(h.sub, refused)
		return h.sub.EnqueueMessage(refused.Message())
	}
	return err
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
