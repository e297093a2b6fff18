package handlers

import (
	"errors"
	"net"
	"os"
	"slices"
	"time"

	"ticklane/internal/audit"
	"ticklane/internal/auth"
	"ticklane/internal/netconn"
	"ticklane/internal/stream"
	"ticklane/internal/websocket"
	"ticklane/internal/wire"
)

// Limits of the WebSockets whose clients have yet to send their tokens: in total, and of one client address.
const (
	maxTokenReaders          = 1024
	maxTokenReadersOfAddress = 64
)

// serveUnauthenticated serves a WebSocket whose request had no credentials: the client's first message must be a command of
// wire.ActionAuth, within Settings.TokenWait. Before it, the client gets nothing but pongs.
func (s *streams) serveUnauthenticated(nc net.Conn, conn *netconn.Conn, opt subscription, received []byte) {
	defer s.observer.contain("websocket before its token")
	if s.tokenReaders.Acquire(opt.Address) != netconn.Admitted {
		defer nc.Close()
		s.refuseWS(nc, opt.Format, s.admission.refuse(&refusal{wire.ByeOverload, "too many clients have yet to send their tokens", overloadRetry}))
		return
	}
	r := &tokenReader{streams: s, nc: nc}
	received, err := r.read(received, opt.Compress != stream.CompressNone)
	s.tokenReaders.Release(opt.Address)
	if !r.done {
		defer nc.Close()
		s.refuseToken(nc, &opt, r, err)
		return
	}
	if r.failure == nil {
		r.failure, r.reason = s.authorize(&opt, r.principal, r.cmd), wire.ByeUnauthorized
	}
	if r.failure != nil {
		defer nc.Close()
		s.refuseCommand(nc, &opt, r)
		return
	}
	s.serveAdmitted(nc, conn, opt, received)
}

// authorize completes a subscription with the topics that its client may read.
func (s *streams) authorize(opt *subscription, p *auth.Principal, cmd wire.Command) *wire.CommandError {
	var err error
	if opt.Topics, err = s.subscriptions.topics(p, opt.topicNames); err != nil {
		return wire.TopicError(err, cmd.ID)
	}
	if opt.view, err = s.views.of(p, opt.Topics); err != nil {
		return &wire.CommandError{Code: wire.CodeDelayedTopic, Msg: "topics: " + err.Error(), ID: cmd.ID}
	}
	opt.Principal = p
	return nil
}

// refuseToken ends a WebSocket whose client has sent no token in time, or has sent something else.
func (s *streams) refuseToken(nc net.Conn, opt *subscription, r *tokenReader, err error) {
	switch {
	case r.end.Code != 0:
		_, _ = nc.Write(wire.AppendClose(nil, r.end.Code, r.end.Reason))
		nc.SetReadDeadline(time.Now().Add(s.set.CloseWait))
		netconn.Drain(nc)
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.audit.Record(audit.Event{Kind: audit.Command, Address: opt.Address, Route: "GET /ws/subscribe", Decision: audit.Denied, Reason: "no token in time"})
		s.refuseWS(nc, opt.Format, &refusal{reason: wire.ByeUnauthorized, retry: stream.ByeRetry(wire.ByeUnauthorized, rateRetry, 0)})
	}
}

// refuseCommand answers a token that isn't accepted, and ends the WebSocket.
func (s *streams) refuseCommand(nc net.Conn, opt *subscription, r *tokenReader) {
	message, _ := opt.Format.Append(nil, r.failure.Message())
	s.audit.Record(audit.Event{Kind: audit.Command, Address: opt.Address, Route: "GET /ws/subscribe", Decision: audit.Denied, Reason: r.failure.Error()})
	if _, err := nc.Write(message); err != nil {
		return
	}
	s.refuseWS(nc, opt.Format, &refusal{reason: r.reason, retry: stream.ByeRetry(r.reason, rateRetry, 0)})
}

// tokenReader is the websocket.Handler of a client that has yet to send its token.
type tokenReader struct {
	streams *streams
	nc      net.Conn
	pings   int

	done      bool // the first message has come
	cmd       wire.Command
	principal *auth.Principal
	failure   *wire.CommandError // why the message isn't accepted
	reason    string             // of the bye after that
	end       websocket.Close    // code 0 unless the input ended before the message
}

// read reads until the first message, and returns what the client has sent after it. received is what it sent right after its
// request. The error is that of the connection.
func (r *tokenReader) read(received []byte, deflate bool) (rest []byte, err error) {
	in := &websocket.Input{Handler: r, MaxMessage: r.streams.set.MessageSize, Deflate: deflate}
	r.nc.SetReadDeadline(time.Now().Add(r.streams.set.TokenWait))
	defer r.nc.SetReadDeadline(time.Time{})
	buf, b := make([]byte, 512), received
	for {
		for i := range b { // one by one, since what follows the message is for the stream
			more := in.Feed(b[i : i+1])
			if r.done {
				return slices.Clone(b[i+1:]), nil
			}
			if !more {
				r.end, _ = in.End()
				return nil, nil
			}
		}
		n, err := r.nc.Read(buf)
		if b = buf[:n]; n == 0 && err != nil {
			return nil, err
		}
	}
}

// HandleText handles the first message.
func (r *tokenReader) HandleText(message []byte) websocket.Close {
	r.done = true
	cmd, err := wire.ParseCommand(message)
	r.cmd = cmd
	if err == nil && cmd.Action != wire.ActionAuth {
		err = &wire.CommandError{Code: wire.CodeUnauthorized, Msg: `send {"action":"auth","token":"…"} first`, ID: cmd.ID}
	}
	if err == nil {
		r.principal, err = r.streams.credentials.verify(cmd)
	}
	r.reason = wire.ByeUnauthorized
	switch {
	case err == nil:
		return websocket.Close{}
	case errors.Is(err, auth.ErrExpired):
		r.reason = wire.ByeExpired
	case errors.Is(err, auth.ErrRevoked):
		r.reason = wire.ByeRevoked
	}
	if !errors.As(err, &r.failure) {
		r.failure = &wire.CommandError{Code: wire.CodeBadJSON, Msg: err.Error()}
	}
	return websocket.Close{}
}

// HandlePing answers a ping.
func (r *tokenReader) HandlePing(payload []byte) websocket.Close {
	if end := r.HandleEmptyFragment(); end.Code != 0 {
		return end
	}
	if _, err := r.nc.Write(append(wire.AppendFrameHeader(nil, wire.OpPong, len(payload)), payload...)); err != nil {
		return websocket.Close{Code: wire.CloseGoingAway}
	}
	return websocket.Close{}
}

// HandleEmptyFragment bounds the number of frames without content.
func (r *tokenReader) HandleEmptyFragment() websocket.Close {
	if r.pings++; r.pings > r.streams.set.MessageBurst {
		return websocket.Close{Code: wire.ClosePolicy, Reason: "too many messages"}
	}
	return websocket.Close{}
}
