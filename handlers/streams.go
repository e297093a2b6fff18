package handlers

import (
	"cmp"
	"log/slog"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/audit"
	"ticklane/internal/fault"
	"ticklane/internal/netconn"
	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// streams serves the endpoints of both lanes, on both engines.
type streams struct {
	set             Settings
	views           *feedViews
	logger          *slog.Logger
	access          *access
	observer        *observer
	limiter         *netconn.Limiter // of streams
	audit           *audit.Log       // nil for none
	admission       *admission
	credentials     *credentials
	tokenReaders    *netconn.Limiter // of WebSockets whose clients have yet to send their tokens
	subscriptions   *subscriptions
	shard           *shardEngine
	faults          *fault.Injector  // nil without a lab
	commandLimiters *commandLimiters // of streams on SSE
}

// run writes a stream to its end and recovers its panics, which would end the process. It stays on the stack for hours, so
// everything else is in functions that return.
func (s *streams) run(sub *stream.Subscriber, write func() error) error {
	defer func() {
		if v := recover(); v != nil {
			s.observer.panicked("stream", v, "lane", sub.Lane().String(), "id", sub.ID())
		}
	}()
	s.opened(sub)
	return write()
}

// subscribe opens the stream of an admitted client. A panic releases the client's slot.
func (s *streams) subscribe(opt *subscription) *stream.Subscriber {
	var sub *stream.Subscriber
	defer func() {
		if sub == nil {
			s.admission.release(opt.Principal, opt.Address)
		}
	}()
	opt.OnRefused, opt.CheckRenewal = s.commandRefused, s.credentials.checkRenewal
	sub = opt.view.log.Subscribe(opt.Options)
	return sub
}

// opened is called when a stream begins, on both engines.
func (s *streams) opened(sub *stream.Subscriber) {
	info := sub.Info()
	s.logger.Debug("stream opened", "lane", info.Lane, "engine", info.Engine, "id", info.ID, "user", info.User, "address", info.Address)
	s.audit.Record(streamEvent(audit.StreamOpen, sub, &info))
	if s.limiter.Closed() {
		sub.End(wire.ByeShutdown) // it was opened after Shutdown ended all streams
	}
	if reason := s.credentials.reason(sub.Principal()); reason != "" {
		sub.End(reason) // its credential was revoked since the request
	}
}

// ended releases what a stream holds, on both engines. conn is nil on engine shard, which marks slow clients itself.
func (s *streams) ended(sub *stream.Subscriber, conn *netconn.Conn, err error) {
	defer s.observer.contain("end of a stream")
	end := sub.Info()
	defer s.admission.release(sub.Principal(), end.Address)
	defer s.commandLimiters.forget(sub)
	defer sub.Close()
	if conn != nil {
		failed, timeout := conn.WriteErr()
		if timeout {
			sub.MarkSlow()
		}
		err = cmp.Or(err, failed)
	}
	end = sub.Info()
	s.logger.Debug("stream ended", "lane", end.Lane, "engine", end.Engine, "id", end.ID, "user", end.User, "reason", sub.Reason(), "slow", end.Slow,
		"err", err, "ticks", end.Ticks, "wire_bytes", end.Wire, "gaps", end.Gaps, "after", time.Since(time.UnixMicro(end.Since)))
	event := streamEvent(audit.StreamEnd, sub, &end)
	event.Reason = sub.Reason()
	s.audit.Record(event)
}

// injectPending applies the fault that waits for this request. done means that it was the whole response.
func (s *streams) injectPending(c *fiber.Ctx, opt *subscription) (done bool, err error) {
	switch s.faults.Take(opt.User, s.access.clientAddress(c), opt.Format.Lane()) {
	case fault.Status503:
		return true, problemOf(http.StatusServiceUnavailable, "A drill caused this answer.")
	case fault.Status204:
		noStore(c)
		return true, c.SendStatus(http.StatusNoContent)
	case fault.Epoch:
		opt.From = stream.FromUnknown
	}
	return false, nil
}
