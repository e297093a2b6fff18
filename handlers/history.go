package handlers

import (
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/history"
	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

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

const (
	defaultCloses = 60
	maxCloses     = 500
	maxPoints     = 120_000 // of one answer, some 900 kB
)

// closes is GET /api/closes?topics=&interval=&limit=: the last prices of each interval, for small lines of many symbols.
func (s *Server) closes(c *fiber.Ctx) error {
	q := &query{args: c.Context().QueryArgs()}
	u := s.stream.Universe()
	topics := q.topics(u, s.set.MaxTopics)
	interval := q.interval()
	limit := int(q.number("limit", defaultCloses, 1, maxCloses))
	if many := len(topics.IDs()); many*limit > maxPoints {
		q.fail("limit", "%d prices of %d symbols; want at most %d in all", limit, many, maxPoints)
	}
	if err := q.err(); err != nil {
		return err
	}
	type line struct {
		Symbol string `json:"symbol"`
		T      int64  `json:"t"` // start of the first interval, µs since 1970
		Closes prices `json:"c"`
	}
	seq, lines := s.stream.Head().Seq, make([]line, 0, len(topics.IDs()))
	for _, id := range topics.IDs() {
		page, err := s.history.Bars(id, interval, history.Latest, limit)
		if err != nil {
			return err
		}
		bars := page.Bars
		seq = min(seq, page.Seq) // what holds for all
		l := line{Symbol: u.Symbol(id).Ticker, Closes: prices{}}
		if n := len(bars); n > 0 {
			step, end := interval.Duration().Microseconds(), bars[n-1].T
			first := slices.IndexFunc(bars, func(b history.Bar) bool { return b.T > end-int64(limit)*step })
			l.T, l.Closes = bars[first].T, slices.Repeat(prices{unknown}, int((end-bars[first].T)/step)+1)
			for _, b := range bars[first:] {
				l.Closes[(b.T-l.T)/step] = b.C
			}
		}
		lines = append(lines, l)
	}
	noStore(c)
	return c.JSON(fiber.Map{"interval": interval, "epoch": wire.Epoch(s.stream.Head().Epoch), "i": seq, "lines": lines})
}

// prices are written as the lanes write them; an interval without a tick is null.
type prices []quote.Price

const unknown quote.Price = -1

// MarshalJSON returns an array of numbers with two decimals.
func (p prices) MarshalJSON() ([]byte, error) {
	b := append(make([]byte, 0, 2+8*len(p)), '[')
	for i, x := range p {
		if i > 0 {
			b = append(b, ',')
		}
		if x == unknown {
			b = append(b, "null"...)
		} else {
			b = x.AppendTo(b)
		}
	}
	return append(b, ']'), nil
}
