package handlers

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/fault"
	"ticklane/internal/wire"
)

// labAPI serves the endpoints of experiments. It exists only if the lab is enabled.
type labAPI struct {
	lab           *Lab
	faults        *fault.Injector
	subscriptions *subscriptions
	bodies        *jsonBodies
}

// drill is POST /api/lab/drill.
func (h *labAPI) drill(c *fiber.Ctx) error {
	var in struct {
		Action string   `json:"action"`
		Conns  []string `json:"conns"`
	}
	if err := h.bodies.unmarshal(c, &in, "action", "conns"); err != nil {
		return err
	}
	if !slices.Contains(fault.Kinds(), in.Action) {
		return badParameters([]fieldError{{"action", quoted(in.Action) + ": want one of " + strings.Join(fault.Kinds(), ", ")}})
	}
	if len(in.Conns) == 0 {
		return badParameters([]fieldError{{"conns", "missing; want the conn of the hellos of your streams"}})
	}
	for _, conn := range in.Conns {
		if sub := h.subscriptions.views.find(conn); sub != nil && !owns(c, sub) {
			return drillProblem(fault.UnknownStreamError{Conn: conn})
		}
	}
	if err := h.faults.Inject(in.Action, in.Conns); err != nil {
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

// state is GET /api/lab: what can be changed, and its present state.
func (h *labAPI) state(c *fiber.Ctx) error {
	noStore(c)
	state := fiber.Map{"engines": fiber.Map{"sse": h.subscriptions.engines(wire.SSE), "ws": h.subscriptions.engines(wire.WS)}, "drills": fault.Kinds()}
	if can := h.subscriptions.compressions(); can != nil {
		state["compress"] = can
	}
	if h.lab.Rate != nil {
		state["rate"] = h.lab.Rate()
	}
	if h.lab.Clients != nil {
		sse, ws := h.lab.Clients()
		state["background"] = fiber.Map{"sse": sse, "ws": ws}
	}
	return c.JSON(state)
}

// rate is POST /api/lab/rate.
func (h *labAPI) rate(c *fiber.Ctx) error {
	var in struct {
		Rate float64 `json:"rate"`
	}
	if err := h.bodies.unmarshal(c, &in, "rate"); err != nil {
		return err
	}
	if h.lab.SetRate == nil {
		return problemOf(http.StatusConflict, "rate: that of a replay can't be changed.")
	}
	if err := h.lab.SetRate(in.Rate); errors.Is(err, ErrUnavailable) {
		c.Set(fiber.HeaderRetryAfter, "1")
		return problemOf(http.StatusServiceUnavailable, "The rate of the feed can't be changed while the other servers can't be reached.")
	} else if err != nil {
		return badParameters([]fieldError{{"rate", err.Error()}})
	}
	noStore(c)
	return c.JSON(fiber.Map{"rate": in.Rate})
}

// maxBackground is the maximum number of extra clients on each lane.
const maxBackground = 2000

// background is POST /api/lab/background.
func (h *labAPI) background(c *fiber.Ctx) error {
	var in struct {
		SSE int `json:"sse"`
		WS  int `json:"ws"`
	}
	if err := h.bodies.unmarshal(c, &in, "sse", "ws"); err != nil {
		return err
	}
	var bad []fieldError
	for _, lane := range []struct {
		name    string
		clients int
	}{{"sse", in.SSE}, {"ws", in.WS}} {
		if lane.clients < 0 || lane.clients > maxBackground {
			bad = append(bad, fieldError{lane.name, fmt.Sprintf("want 0 to %d clients", maxBackground)})
		}
	}
	if len(bad) > 0 {
		return badParameters(bad)
	}
	if h.lab.Background == nil {
		return problemOf(http.StatusConflict, "This server can't start clients.")
	}
	if err := h.lab.Background(in.SSE, in.WS); err != nil {
		return err
	}
	noStore(c)
	return c.JSON(in)
}
