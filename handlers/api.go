package handlers

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/metrics"
	"ticklane/internal/wire"
)

// symbols is GET /api/symbols: what can be asked for.
func (s *Server) symbols(c *fiber.Ctx) error {
	type symbol struct {
		Symbol string  `json:"symbol"`
		Name   string  `json:"name"`
		Sector string  `json:"sector"`
		Value  float64 `json:"value"` // billions of dollars, 0 when not known
	}
	u := s.stream.Universe()
	list := make([]symbol, 0, u.Len())
	for _, y := range u.Symbols() {
		list = append(list, symbol{y.Ticker, y.Name, y.Sector, y.Value})
	}
	noCache(c)
	return c.JSON(fiber.Map{"symbols": list, "sectors": u.Sectors()})
}

// quotes is GET /api/quotes?topics=: the newest quote of each symbol, as a stream's snapshot has it.
func (s *Server) quotes(c *fiber.Ctx) error {
	q := &query{args: c.Context().QueryArgs()}
	topics := q.topics(s.stream.Universe(), s.set.MaxTopics)
	if err := q.err(); err != nil {
		return err
	}
	noStore(c)
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	snap := s.stream.Snapshot(topics)
	c.Set("Ticklane-Position", snap.At.String())
	return c.Send(snap.Message().JSON())
}

// time is GET /api/time: the server's half of a four-timestamp clock exchange.
func (s *Server) time(c *fiber.Ctx) error {
	received := time.Now()
	noStore(c)
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Send(wire.Time(received, time.Now(), nil).JSON())
}

// stats is GET /api/stats: counters since the start, live streams included.
func (s *Server) stats(c *fiber.Ctx) error {
	head := s.stream.Head()
	noStore(c)
	return c.JSON(fiber.Map{
		"process": metrics.ReadProcess(),
		"log":     fiber.Map{"epoch": wire.Epoch(head.Epoch), "head": head.Seq, "oldest": s.stream.Oldest()},
		"lanes": fiber.Map{
			wire.SSE.String(): s.stream.Lane(wire.SSE),
			wire.WS.String():  s.stream.Lane(wire.WS),
		},
		"feed":    fiber.Map{"source": s.pages.info.Source, "file": s.pages.info.File, "seed": s.pages.info.Seed, "timed": s.pages.info.Timed},
		"version": s.version,
	})
}
