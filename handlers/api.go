package handlers

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/history"
	"ticklane/internal/metrics"
	"ticklane/internal/quote"
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

const (
	defaultBars = 300
	maxBars     = 5000
)

// bars is GET /api/history?symbol=&interval=&before=&limit=: open, high, low, close and volume, oldest first.
func (s *Server) bars(c *fiber.Ctx) error {
	q := &query{args: c.Context().QueryArgs()}
	id := q.symbol(s.stream.Universe())
	interval := q.interval()
	before := q.before()
	limit := q.number("limit", defaultBars, 1, maxBars)
	if err := q.err(); err != nil {
		return err
	}
	page, err := s.history.Bars(id, interval, before, int(limit))
	if err != nil {
		return err
	}
	type bar struct {
		T int64     `json:"t"` // start, µs since 1970
		O jsonPrice `json:"o"`
		H jsonPrice `json:"h"`
		L jsonPrice `json:"l"`
		C jsonPrice `json:"c"`
		V int64     `json:"v"`
	}
	list := make([]bar, 0, len(page.Bars))
	for _, b := range page.Bars {
		list = append(list, bar{b.T, jsonPrice(b.O), jsonPrice(b.H), jsonPrice(b.L), jsonPrice(b.C), b.V})
	}
	var day *int64
	if page.Known {
		day = &page.Volume
	}
	noStore(c)
	return c.JSON(fiber.Map{
		"symbol": s.stream.Universe().Symbol(id).Ticker, "interval": interval,
		"epoch": wire.Epoch(s.stream.Head().Epoch), "i": page.Seq, "day": day, "more": page.More, "bars": list,
	})
}

// jsonPrice is a price as the lanes write it.
type jsonPrice quote.Price

// MarshalJSON returns the number with two decimals.
func (p jsonPrice) MarshalJSON() ([]byte, error) { return quote.Price(p).AppendTo(nil), nil }

func (q *query) symbol(u *quote.Universe) quote.ID {
	v, _ := q.get("symbol")
	id, ok := u.Lookup(v)
	if !ok {
		q.fail("symbol", "unknown %s; /api/symbols lists them", quoted(v))
	}
	return id
}

// before is the moment that bars must start before, in µs since 1970; not given, it leaves none out.
func (q *query) before() int64 {
	v, ok := q.get("before")
	if !ok {
		return history.Latest
	}
	µs, err := strconv.ParseInt(v, 10, 64)
	if err != nil || µs < 0 {
		q.fail("before", "%s; want µs since 1970, such as a bar's t", quoted(v))
	}
	return µs
}

func (q *query) interval() history.Interval {
	v, ok := q.get("interval")
	if !ok {
		return history.Minute
	}
	i, err := history.ParseInterval(v)
	if err != nil {
		q.fail("interval", "%s", strings.TrimPrefix(err.Error(), "interval: "))
	}
	return i
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

// healthz says that the process answers, readyz that it takes streams.
func (s *Server) healthz(c *fiber.Ctx) error {
	noStore(c)
	return c.SendString("ok\n")
}

func (s *Server) readyz(c *fiber.Ctx) error {
	noStore(c)
	if !s.ready.Load() {
		return c.Status(http.StatusServiceUnavailable).SendString("shutting down\n")
	}
	return c.SendString("ready\n")
}
