package handlers

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/audit"
	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// auditKey is the key of a request's further fields of its audit event, []slog.Attr, among its locals.
type auditKey struct{}

// requestEvent returns the audit event of a request, allowed. The route is its pattern: a path may contain a stream's secret id.
func requestEvent(c *fiber.Ctx, kind, address string) audit.Event {
	p := principalOf(c)
	return audit.Event{
		Kind: kind, Subject: p.Subject, Token: p.TokenID, Address: address, Route: c.Method() + " " + strings.Clone(c.Route().Path), Decision: audit.Allowed,
	}
}

// recordRefusal records a request that was refused because of its credentials, rights or origin.
func (o *observer) recordRefusal(c *fiber.Ctx, err error) {
	var p *problem
	if !errors.As(err, &p) || p.Status != http.StatusUnauthorized && p.Status != http.StatusForbidden {
		return
	}
	o.protect(func() {
		e := requestEvent(c, audit.Request, o.access.clientAddress(c))
		e.Decision, e.Reason = audit.Denied, p.Detail
		if p.reason != nil {
			e.Reason = p.reason.Error()
		}
		o.audit.Record(e)
	})
}

// streamEvent returns the audit event of a stream. It has the public id.
func streamEvent(kind string, sub *stream.Subscriber, info *stream.Info) audit.Event {
	p := sub.Principal()
	return audit.Event{Kind: kind, Subject: p.Subject, Token: p.TokenID, Address: info.Address, More: []slog.Attr{
		slog.String("lane", info.Lane), slog.String("id", info.ID), slog.Any("topics", info.Topics),
	}}
}

// commandRefused records a command of an open stream that was refused for want of rights.
func (s *streams) commandRefused(sub *stream.Subscriber, refused *wire.CommandError) {
	switch refused.Code {
	case wire.CodeForbiddenTopic, wire.CodeDelayedTopic, wire.CodeInvalidToken:
		s.observer.protect(func() {
			info := sub.Info()
			e := streamEvent(audit.Command, sub, &info)
			e.Decision, e.Reason = audit.Denied, refused.Error()
			s.audit.Record(e)
		})
	}
}
