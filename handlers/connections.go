package handlers

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/time/rate"

	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// commandWait is the default of Settings.CommandWait.
const commandWait = 5 * time.Second

// find returns the live stream of a lane that the path's conn names.
func (s *Server) find(c *fiber.Ctx, lane wire.Lane) (*stream.Subscriber, error) {
	sub := s.stream.Find(c.Params("conn"))
	if sub == nil || sub.Lane() != lane {
		return nil, problemOf(http.StatusNotFound, "conn: no open stream of this lane has this id; it is the conn of the hello.")
	}
	return sub, nil
}

// connection is GET /sse/connections/{conn} and /ws/connections/{conn}: that stream's own counters.
func (s *Server) connection(lane wire.Lane) fiber.Handler {
	return func(c *fiber.Ctx) error {
		sub, err := s.find(c, lane)
		if err != nil {
			return err
		}
		noStore(c)
		return c.JSON(sub.Info())
	}
}

// connections is GET /api/connections: the live streams, by their public ids.
func (s *Server) connections(c *fiber.Ctx) error {
	list := []stream.Info{}
	for _, sub := range s.stream.Subscribers() {
		info := sub.Info()
		info.Address = "" // other clients' addresses are nobody's business
		list = append(list, info)
	}
	noStore(c)
	return c.JSON(fiber.Map{"connections": list})
}

// command is POST /sse/connections/{conn}: what a WebSocket client says in its stream, an SSE client says here.
func (s *Server) command(c *fiber.Ctx) error {
	received := time.Now()
	body, err := s.jsonBody(c)
	if err != nil {
		return err
	}
	sub, err := s.find(c, wire.SSE)
	if err != nil {
		return err
	}
	cmd, err := wire.ParseCommand(body)
	if !s.paceOf(sub).Allow() {
		c.Set(fiber.HeaderRetryAfter, "1")
		return commandProblem(http.StatusTooManyRequests, tooOften(cmd, err))
	}
	if err != nil {
		return commandFailed(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.set.CommandWait)
	defer cancel()
	answer, err := sub.Execute(ctx, cmd, received)
	if err != nil {
		return commandFailed(err)
	}
	noStore(c)
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Send(answer.JSON())
}

// jsonBody returns a copy of a request's JSON, of at most limits.message_size, from one of our own pages, an allowed
// origin or a program.
func (s *Server) jsonBody(c *fiber.Ctx) ([]byte, error) {
	if !s.access.sameOrigin(c) {
		return nil, problemOf(http.StatusForbidden, "Origin: pages of this origin are not allowed; add it to server.origins.")
	}
	if !c.Is("json") {
		return nil, problemOf(http.StatusUnsupportedMediaType, "Content-Type: want application/json.")
	}
	if e := c.Get(fiber.HeaderContentEncoding); e != "" && !strings.EqualFold(e, "identity") {
		return nil, problemOf(http.StatusUnsupportedMediaType, "Content-Encoding: want an uncompressed body.")
	}
	// Never Body, which inflates without a bound.
	body := c.BodyRaw()
	if len(body) > s.set.MessageSize {
		return nil, problemOf(http.StatusRequestEntityTooLarge, "body: larger than limits.message_size.")
	}
	return slices.Clone(body), nil
}

// tooOften is the answer to a command over the rate, with the id that it had.
func tooOften(cmd wire.Command, parsed error) *wire.CommandError {
	id := cmd.ID
	var e *wire.CommandError
	if errors.As(parsed, &e) {
		id = e.ID
	}
	return &wire.CommandError{Code: wire.CodeRate, ID: id, Msg: "too many commands; this one was ignored (limits.message_rate)"}
}

// paceOf returns the limiter of a stream's commands, which lives as long as the stream.
func (s *Server) paceOf(sub *stream.Subscriber) *rate.Limiter {
	l, _ := s.paces.LoadOrStore(sub, rate.NewLimiter(rate.Limit(s.set.MessageRate), s.set.MessageBurst))
	if s.stream.Find(sub.Conn()) == nil {
		s.paces.Delete(sub) // the stream ended meanwhile, and won't do it
	}
	return l.(*rate.Limiter)
}

// commandFailed maps what a command can fail of to a status.
func commandFailed(err error) error {
	var e *wire.CommandError
	switch {
	case errors.As(err, &e):
		return commandProblem(http.StatusBadRequest, e)
	case errors.Is(err, stream.ErrClosed):
		return problemOf(http.StatusNotFound, "conn: the stream has ended.")
	case errors.Is(err, stream.ErrBusy):
		return commandProblem(http.StatusTooManyRequests, &wire.CommandError{Code: wire.CodeRate, Msg: err.Error()})
	case errors.Is(err, context.DeadlineExceeded):
		return problemOf(http.StatusServiceUnavailable, "The stream is blocked because its client doesn't read. The command is pending; its result isn't known yet.")
	}
	return err
}

// commandProblem is a problem that holds the contract's error message too.
func commandProblem(status int, e *wire.CommandError) *problem {
	p := problemOf(status, e.Msg)
	p.T, p.Code, p.Msg, p.ID = "error", e.Code, e.Msg, e.ID
	return p
}
