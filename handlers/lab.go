package handlers

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/fault"
	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// Lab is what experiments change besides streams. Its funcs may be nil where the feed or the system can't.
type Lab struct {
	Rate    func() float64
	SetRate func(ticksPerSecond float64) error // changes everybody's feed
	// Background runs so many extra clients on each lane, in a process of their own, instead of those before.
	Background func(sse, ws int) error
	Clients    func() (sse, ws int) // how many of them run now
}

// injectPending applies the fault that waits for this request. done means that it was the whole response.
func (s *Server) injectPending(c *fiber.Ctx, opt *subscription) (done bool, err error) {
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

// labDrill is POST /api/lab/drill.
func (s *Server) labDrill(c *fiber.Ctx) error {
	var in struct {
		Action string   `json:"action"`
		Conns  []string `json:"conns"`
	}
	if err := s.labBody(c, &in); err != nil {
		return err
	}
	if !slices.Contains(fault.Kinds(), in.Action) {
		return badParameters([]fieldError{{"action", quoted(in.Action) + ": want cut, end, stall, 503, 204, buffer, slow or epoch"}})
	}
	if len(in.Conns) == 0 {
		return badParameters([]fieldError{{"conns", "missing; want the conn of the hellos of your streams"}})
	}
	if err := s.faults.Inject(in.Action, in.Conns); err != nil {
		return drillProblem(err)
	}
	noStore(c)
	return c.JSON(fiber.Map{"action": in.Action, "conns": len(in.Conns)})
}

// drillProblem maps the errors of fault.Injector.Inject.
func drillProblem(err error) error {
	var unknown fault.UnknownStreamError
	var shared fault.SharedUserError
	switch {
	case errors.As(err, &unknown):
		return problemOf(http.StatusNotFound, "conns: no open stream has the id "+quoted(unknown.Conn)+".")
	case errors.As(err, &shared):
		return badParameters([]fieldError{{"conns", "the user " + quoted(shared.User) + " is shared, so this drill could affect another client; open the stream with a unique user="}})
	case errors.Is(err, fault.ErrTooManyPending):
		return problemOf(http.StatusTooManyRequests, "Too many drills wait for their clients to reconnect.")
	}
	return err
}

// labState is GET /api/lab: what can be changed, and how it stands.
func (s *Server) labState(c *fiber.Ctx) error {
	noStore(c)
	state := fiber.Map{"engines": fiber.Map{"sse": s.engines(wire.SSE), "ws": s.engines(wire.WS)}, "drills": fault.Kinds()}
	if can := s.compressions(); can != nil {
		state["compress"] = can
	}
	if s.lab.Rate != nil {
		state["rate"] = s.lab.Rate()
	}
	if s.lab.Clients != nil {
		sse, ws := s.lab.Clients()
		state["background"] = fiber.Map{"sse": sse, "ws": ws}
	}
	return c.JSON(state)
}

// labRate is POST /api/lab/rate.
func (s *Server) labRate(c *fiber.Ctx) error {
	var in struct {
		Rate float64 `json:"rate"`
	}
	if err := s.labBody(c, &in); err != nil {
		return err
	}
	if s.lab.SetRate == nil {
		return problemOf(http.StatusConflict, "rate: that of a replay can't be changed.")
	}
	if err := s.lab.SetRate(in.Rate); err != nil {
		return badParameters([]fieldError{{"rate", err.Error()}})
	}
	noStore(c)
	return c.JSON(fiber.Map{"rate": in.Rate})
}

// maxBackground bounds extra clients of a lane.
const maxBackground = 2000

// labBackground is POST /api/lab/background.
func (s *Server) labBackground(c *fiber.Ctx) error {
	var in struct {
		SSE int `json:"sse"`
		WS  int `json:"ws"`
	}
	if err := s.labBody(c, &in); err != nil {
		return err
	}
	var bad []fieldError
	for name, n := range map[string]int{"sse": in.SSE, "ws": in.WS} {
		if n < 0 || n > maxBackground {
			bad = append(bad, fieldError{name, "want 0 to 2000 clients"})
		}
	}
	if len(bad) > 0 {
		return badParameters(bad)
	}
	if s.lab.Background == nil {
		return problemOf(http.StatusConflict, "This server can't start clients.")
	}
	if err := s.lab.Background(in.SSE, in.WS); err != nil {
		return err
	}
	noStore(c)
	return c.JSON(in)
}

// labBody reads a command to the lab, from our own pages and from programs.
func (s *Server) labBody(c *fiber.Ctx, into any) error {
	body, err := s.jsonBody(c)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return problemOf(http.StatusBadRequest, "body: not the JSON object described: "+err.Error())
	}
	return nil
}
