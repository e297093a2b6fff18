package handlers

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/history"
	"ticklane/internal/quote"
	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// historyAPI serves bars of the past.
type historyAPI struct {
	log       *stream.Log
	store     *history.Store
	maxTopics int
	answers   *answers
}

const (
	defaultBars = 300
	maxBars     = 5000

	defaultCloses     = 60
	maxCloses         = 500
	maxClosesInAnswer = 120_000 // some 900 kB
)

// bars is GET /api/history?symbol=&interval=&before=&limit=: open, high, low, close and volume, oldest first.
func (h *historyAPI) bars(c *fiber.Ctx) error {
	q := queryOf(c)
	id := q.symbol(h.log.Universe())
	interval := q.barInterval()
	before := q.before()
	limit := q.number("limit", defaultBars, 1, maxBars)
	if err := q.err(); err != nil {
		return err
	}
	page, err := h.store.Bars(id, interval, before, int(limit))
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
		"symbol": h.log.Universe().Instrument(id).Symbol, "interval": interval,
		"epoch": wire.Epoch(h.log.Head().Epoch), "i": page.Seq, "day": day, "more": page.More, "bars": list,
	})
}

// closes is GET /api/closes?topics=&interval=&limit=: the last price of each interval, for sparklines of many symbols.
func (h *historyAPI) closes(c *fiber.Ctx) error {
	q, u := queryOf(c), h.log.Universe()
	topics := q.topics(u, h.maxTopics)
	ids := topics.IDs()
	interval := q.barInterval()
	limit := int(q.number("limit", defaultCloses, 1, maxCloses))
	if n := len(ids); n*limit > maxClosesInAnswer && len(q.errors) == 0 {
		q.fail("limit", "%d prices of %d symbols: want at most %d prices in all", limit, n, maxClosesInAnswer)
	}
	if err := q.err(); err != nil {
		return err
	}
	key := fmt.Sprintf("closes %s %d %s", interval.Duration(), limit, strings.Join(topics.Names(), ","))
	x, err := h.answers.get(key, func() (*content, error) { return h.renderCloses(ids, interval, limit) })
	if err != nil {
		return err
	}
	noStore(c)
	return x.send(c)
}

func (h *historyAPI) renderCloses(ids []quote.ID, interval history.Interval, limit int) (*content, error) {
	type line struct {
		Symbol string      `json:"symbol"`
		T      int64       `json:"t"` // start of the first interval, µs since 1970
		Closes closePrices `json:"c"`
	}
	seq, lines := h.log.Head().Seq, make([]line, 0, len(ids))
	for _, id := range ids {
		page, err := h.store.Bars(id, interval, history.Latest, limit)
		if err != nil {
			return nil, err
		}
		seq = min(seq, page.Seq)
		l := line{Symbol: h.log.Universe().Instrument(id).Symbol}
		l.T, l.Closes = closesOf(page.Bars, interval, limit)
		lines = append(lines, l)
	}
	return newJSON(fiber.Map{"interval": interval, "epoch": wire.Epoch(h.log.Head().Epoch), "i": seq, "lines": lines})
}

// closesOf returns the closes of the newest limit intervals, from the first of them that has a bar, and the start of that.
func closesOf(bars []history.Bar, interval history.Interval, limit int) (start int64, closes closePrices) {
	if len(bars) == 0 {
		return 0, closePrices{}
	}
	step, end := interval.Duration().Microseconds(), bars[len(bars)-1].T
	first := slices.IndexFunc(bars, func(b history.Bar) bool { return b.T > end-int64(limit)*step })
	start = bars[first].T
	closes = slices.Repeat(closePrices{noPrice}, int((end-start)/step)+1)
	for _, b := range bars[first:] {
		closes[(b.T-start)/step] = b.C
	}
	return start, closes
}

// closePrices holds a price for each interval, noPrice for an interval without a tick.
type closePrices []quote.Price

const noPrice quote.Price = -1

// MarshalJSON returns an array of numbers with two decimals; noPrice is null.
func (p closePrices) MarshalJSON() ([]byte, error) {
	b := append(make([]byte, 0, 2+8*len(p)), '[')
	for i, x := range p {
		if i > 0 {
			b = append(b, ',')
		}
		if x == noPrice {
			b = append(b, "null"...)
		} else {
			b = x.AppendTo(b)
		}
	}
	return append(b, ']'), nil
}
