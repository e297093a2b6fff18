// Package bars gives a server of a cluster the bars that it lacks: those of ticks that the stream no longer has. It gets them from another
// server, by requests through NATS.
package bars

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"

	"ticklane/internal/history"
	"ticklane/internal/quote"
)

const (
	gather      = 500 * time.Millisecond // to wait for offers
	timeout     = 5 * time.Second        // to wait for the bars of a symbol
	report      = 5 * time.Second        // between two reports of progress
	errorHeader = "Error"                // header of an answer without bars
)

// question asks all servers for bars of the log with an epoch.
type question struct {
	Epoch uint64 `json:"epoch"`
}

// offer answers a question.
type offer struct {
	Node    string `json:"node"`
	Subject string `json:"subject"` // of requests
	Seq     uint64 `json:"seq"`     // the bars have all ticks up to it
	Stored  bool   `json:"stored"`  // in a file, which has more bars than memory
}

// request asks a server for bars of a symbol. The answer is what Export of its store returns.
type request struct {
	Epoch  uint64         `json:"epoch"`
	Symbol string         `json:"symbol"`
	Wanted history.Wanted `json:"wanted"`
}

// Server answers the requests of other servers.
type Server struct {
	node    string
	store   *history.Store
	u       *quote.Universe
	epoch   uint64
	logger  *slog.Logger
	subject string
	subs    []*nats.Subscription
}

// Serve begins to answer requests for the bars of the log with an epoch, which the store follows. The node has read its log. Close ends it.
func Serve(conn *nats.Conn, prefix, node string, store *history.Store, u *quote.Universe, epoch uint64, logger *slog.Logger) (*Server, error) {
	s := &Server{node: node, store: store, u: u, epoch: epoch, logger: logger, subject: nats.NewInbox()}
	for subject, answer := range map[string]nats.MsgHandler{prefix + ".bars": s.offer, s.subject: s.send} {
		sub, err := conn.Subscribe(subject, answer)
		if err != nil {
			s.Close()
			return nil, fmt.Errorf("bars for other servers: %w", err)
		}
		s.subs = append(s.subs, sub)
	}
	return s, nil
}

// Close ends the answers. It may be called on nil.
func (s *Server) Close() {
	if s == nil {
		return
	}
	for _, sub := range s.subs {
		_ = sub.Unsubscribe() // the connection may be closed
	}
}

func (s *Server) offer(m *nats.Msg) {
	var q question
	if json.Unmarshal(m.Data, &q) != nil || q.Epoch != s.epoch {
		return
	}
	seq := s.store.Follow(s.epoch)
	if seq == 0 {
		return // nothing of the log: each server can simulate what was before
	}
	answer, err := json.Marshal(offer{Node: s.node, Subject: s.subject, Seq: seq, Stored: s.store.Stored()})
	if err == nil {
		err = m.Respond(answer)
	}
	s.failed(err)
}

func (s *Server) send(m *nats.Msg) {
	var q request
	err := json.Unmarshal(m.Data, &q)
	id, ok := s.u.Lookup(q.Symbol)
	switch {
	case err == nil && q.Epoch != s.epoch:
		err = errors.New("another epoch")
	case err == nil && !ok:
		err = fmt.Errorf("no symbol %q", q.Symbol)
	}
	var data []byte
	if err == nil {
		data, err = s.store.Export(id, q.Wanted)
	}
	answer := &nats.Msg{Data: data}
	if err != nil {
		answer.Header = nats.Header{errorHeader: {err.Error()}}
	}
	s.failed(m.RespondMsg(answer))
}

// failed reports an answer that couldn't be sent. The other server asks again.
func (s *Server) failed(err error) {
	if err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
		s.logger.Warn("bars for another server", "err", err)
	}
}

// Fetch adds to a store that follows an epoch the bars that it lacks, from the server that has most. It returns the seq of the newest
// tick in them: the log must reach it before bars are shown. Without another server that has bars it does nothing and returns 0.
func Fetch(ctx context.Context, conn *nats.Conn, prefix string, store *history.Store, u *quote.Universe, epoch uint64, logger *slog.Logger) (newest uint64, err error) {
	offers, err := ask(ctx, conn, prefix, epoch)
	if err != nil {
		return 0, fmt.Errorf("bars of other servers: %w", err)
	}
	for len(offers) > 0 {
		best := 0
		for i, o := range offers {
			if b := offers[best]; o.Stored && !b.Stored || o.Stored == b.Stored && o.Seq > b.Seq {
				best = i
			}
		}
		o := offers[best]
		offers = append(offers[:best], offers[best+1:]...)
		got, err := fetch(ctx, conn, o, store, u, epoch, logger)
		newest = max(newest, got)
		if err == nil {
			logger.Info("bars taken from another server", "node", o.Node, "symbols", u.Len())
			return newest, nil
		}
		if ctx.Err() != nil {
			return newest, context.Cause(ctx)
		}
		logger.Warn("bars of another server", "node", o.Node, "err", err)
	}
	return newest, nil
}

// ask returns what other servers offer.
func ask(ctx context.Context, conn *nats.Conn, prefix string, epoch uint64) ([]offer, error) {
	text, err := json.Marshal(question{epoch})
	if err != nil {
		return nil, err
	}
	inbox := conn.NewRespInbox()
	sub, err := conn.SubscribeSync(inbox)
	if err != nil {
		return nil, err
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := conn.PublishRequest(prefix+".bars", inbox, text); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, gather)
	defer cancel()
	var offers []offer
	for {
		m, err := sub.NextMsgWithContext(ctx)
		switch {
		case errors.Is(err, nats.ErrNoResponders), errors.Is(err, context.DeadlineExceeded):
			return offers, nil
		case err != nil:
			return offers, err
		}
		var o offer
		if json.Unmarshal(m.Data, &o) == nil && o.Subject != "" {
			offers = append(offers, o)
		}
	}
}

// fetch adds what a server has.
func fetch(ctx context.Context, conn *nats.Conn, o offer, store *history.Store, u *quote.Universe, epoch uint64, logger *slog.Logger) (newest uint64, err error) {
	reported := time.Now()
	for id := range quote.ID(u.Len()) {
		q := request{Epoch: epoch, Symbol: u.Instrument(id).Symbol}
		seq, err := store.Import(id, func(w history.Wanted) ([]byte, error) {
			q.Wanted = w
			return send(ctx, conn, o.Subject, &q)
		})
		if err != nil {
			return newest, err
		}
		newest = max(newest, seq)
		if time.Since(reported) > report {
			reported = time.Now()
			logger.Info("taking bars from another server", "node", o.Node, "symbols", id+1, "of", u.Len())
		}
	}
	store.Complete(o.Seq)
	return newest, nil
}

func send(ctx context.Context, conn *nats.Conn, subject string, q *request) ([]byte, error) {
	text, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	m, err := conn.RequestWithContext(ctx, subject, text)
	if err != nil {
		return nil, err
	}
	if text := m.Header.Get(errorHeader); text != "" {
		return nil, errors.New(text)
	}
	return m.Data, nil
}
