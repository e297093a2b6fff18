package handlers

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/time/rate"

	"ticklane/internal/auth"
	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// commands serves the endpoints of open streams.
type commands struct {
	views    *feedViews
	wait     time.Duration // Settings.CommandWait
	limiters *commandLimiters
	bodies   *jsonBodies

	credentials *credentials
}

// find returns the open stream of a lane that has the path's conn.
func (h *commands) find(c *fiber.Ctx, lane wire.Lane) (*stream.Subscriber, error) {
	sub := h.views.find(c.Params("conn"))
	if sub == nil || sub.Lane() != lane || !owns(c, sub) {
		return nil, problemOf(http.StatusNotFound, "conn: no open stream of this lane has this id; it is the conn of the hello.")
	}
	return sub, nil
}

// owns reports whether a stream is of the request's subject.
func owns(c *fiber.Ctx, sub *stream.Subscriber) bool {
	return sub.Principal().Subject == principalOf(c).Subject
}

// connection is GET /sse/connections/{conn} and /ws/connections/{conn}: the counters of one stream.
func (h *commands) connection(lane wire.Lane) fiber.Handler {
	return func(c *fiber.Ctx) error {
		sub, err := h.find(c, lane)
		if err != nil {
			return err
		}
		noStore(c)
		return c.JSON(sub.Info())
	}
}

const (
	defaultConnections = 100
	maxConnections     = 1000
)

// connections is GET /api/connections?limit=&cursor=: the open streams with their public ids, in pages, and how many there
// are. Without the right to all, a client gets those of its subject.
func (h *commands) connections(c *fiber.Ctx) error {
	q := queryOf(c)
	limit := int(q.number("limit", defaultConnections, 1, maxConnections))
	since, id := q.cursor()
	if err := q.err(); err != nil {
		return err
	}
	all := principalOf(c).Rights.May(auth.Connections)
	list, next, open := []stream.Info{}, "", [wire.Lanes]int{}
	for _, sub := range h.views.subscribers() {
		if !all && !owns(c, sub) {
			continue
		}
		open[sub.Lane()]++
		if cmp.Or(cmp.Compare(sub.Since(), since), strings.Compare(sub.ID(), id)) <= 0 {
			continue
		}
		if len(list) == limit {
			last := list[limit-1]
			next = strconv.FormatInt(last.Since, 10) + "-" + last.ID
			continue
		}
		info := sub.Info()
		info.Address = "" // an address is personal data
		list = append(list, info)
	}
	noStore(c)
	page := fiber.Map{"connections": list, "total": fiber.Map{"sse": open[wire.SSE], "ws": open[wire.WS]}}
	if next != "" {
		page["next"] = next
	}
	return c.JSON(page)
}

// cursor reads the place in the list of streams that a page comes after: when a stream was opened, and its id.
func (q *query) cursor() (since int64, id string) {
	v, ok := q.get("cursor")
	if !ok {
		return 0, ""
	}
	at, id, found := strings.Cut(v, "-")
	since, err := strconv.ParseInt(at, 10, 64)
	if err != nil || !found || since < 0 {
		q.fail("cursor", "%s: want the next of the page before", quoted(v))
	}
	return since, id
}

// command is POST /sse/connections/{conn} and /ws/connections/{conn}: the commands of SSE clients, and of both lanes those that renew
// the stream's rights by the credentials of the request. Other commands of WebSocket clients come over the stream.
func (h *commands) command(lane wire.Lane) fiber.Handler {
	return func(c *fiber.Ctx) error { return h.post(c, lane) }
}

func (h *commands) post(c *fiber.Ctx, lane wire.Lane) error {
	received := time.Now()
	body, err := h.bodies.read(c)
	if err != nil {
		return err
	}
	sub, err := h.find(c, lane)
	if err != nil {
		return err
	}
	cmd, err := wire.ParseCommand(body)
	if !h.limiters.of(sub).Allow() {
		c.Set(fiber.HeaderRetryAfter, "1")
		return commandProblem(http.StatusTooManyRequests, rateError(cmd, err))
	}
	if err != nil {
		return commandFailed(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), h.wait)
	defer cancel()
	answer, err := h.execute(ctx, c, sub, cmd, received)
	if err != nil {
		err = commandFailed(err)
		if p, _ := problemFor(err); p.Status == http.StatusUnauthorized {
			c.Set(fiber.HeaderWWWAuthenticate, challenge+`, error="invalid_token"`)
		}
		return err
	}
	noStore(c)
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Send(answer.JSON())
}

func (h *commands) execute(ctx context.Context, c *fiber.Ctx, sub *stream.Subscriber, cmd wire.Command, received time.Time) (wire.Message, error) {
	switch {
	case cmd.Action == wire.ActionAuth:
		p, err := h.credentials.ofRequest(c, cmd)
		if err != nil {
			return wire.Message{}, err
		}
		return sub.Renew(ctx, p, cmd)
	case sub.Lane() == wire.WS:
		return wire.Message{}, &wire.CommandError{Code: wire.CodeUnknownAction, Msg: "action: want auth; send other commands over the WebSocket", ID: cmd.ID}
	}
	return sub.Execute(ctx, cmd, received)
}

// rateError returns the answer to a command over the rate, with the command's id. parsed is the error of ParseCommand.
func rateError(cmd wire.Command, parsed error) *wire.CommandError {
	id := cmd.ID
	var e *wire.CommandError
	if errors.As(parsed, &e) {
		id = e.ID
	}
	return &wire.CommandError{Code: wire.CodeRate, ID: id, Msg: "too many commands; this one was ignored (limits.message_rate)"}
}

// commandLimiters holds the limiter of each stream's commands, for as long as the stream is open.
type commandLimiters struct {
	views *feedViews
	rate  rate.Limit
	burst int
	all   sync.Map // *stream.Subscriber → *rate.Limiter
}

// of returns the limiter of a stream.
func (l *commandLimiters) of(sub *stream.Subscriber) *rate.Limiter {
	limiter, _ := l.all.LoadOrStore(sub, rate.NewLimiter(l.rate, l.burst))
	if l.views.find(sub.Conn()) == nil {
		l.forget(sub) // the stream has ended meanwhile
	}
	return limiter.(*rate.Limiter)
}

// forget removes the limiter of a stream that has ended.
func (l *commandLimiters) forget(sub *stream.Subscriber) { l.all.Delete(sub) }

// commandFailed maps the errors of a command to problems.
func commandFailed(err error) error {
	var e *wire.CommandError
	switch {
	case errors.As(err, &e):
		return commandProblem(commandStatus(e.Code), e)
	case errors.Is(err, stream.ErrClosed):
		return problemOf(http.StatusNotFound, "conn: the stream has ended.")
	case errors.Is(err, stream.ErrBusy):
		return commandProblem(http.StatusTooManyRequests, &wire.CommandError{Code: wire.CodeRate, Msg: err.Error()})
	case errors.Is(err, context.DeadlineExceeded):
		return problemOf(http.StatusServiceUnavailable, "The stream is blocked because its client doesn't read. The command is pending; its result isn't known yet.")
	}
	return err
}

// commandStatus returns the status of a command that was rejected.
func commandStatus(code string) int {
	switch code {
	case wire.CodeInvalidToken:
		return http.StatusUnauthorized
	case wire.CodeForbiddenTopic, wire.CodeDelayedTopic:
		return http.StatusForbidden
	}
	return http.StatusBadRequest
}

// commandProblem returns a problem that contains the contract's error message too.
func commandProblem(status int, e *wire.CommandError) *problem {
	p := problemOf(status, e.Msg)
	p.T, p.Code, p.Msg, p.ID = "error", e.Code, e.Msg, e.ID
	return p
}
