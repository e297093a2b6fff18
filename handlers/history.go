package handlers

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/history"
	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// historyAPI serves bars of the past.
type historyAPI struct {
	views     *feedViews
	maxTopics int
}

const (
	defaultCloses     = 60
	maxCloses         = 500
	maxClosesInAnswer = 120_000 // some 900 kB
)

// closes is GET /api/closes?topics=&interval=&limit=: the last price of each interval, for sparklines of many symbols.
func (h *historyAPI) closes(c *fiber.Ctx) error {
	q, u, p := queryOf(c), h.views.universe(), principalOf(c)
	topics := q.topics(u, h.maxTopics, &p.Rights)
	ids := topics.IDs()
	interval := q.barInterval()
	limit := int(q.number("limit", defaultCloses, 1, maxCloses))
	if n := len(ids); n*limit > maxClosesInAnswer && len(q.errors) == 0 {
		q.fail("limit", "%d prices of %d symbols: want at most %d prices in all", limit, n, maxClosesInAnswer)
	}
	if err := q.err(); err != nil {
		return err
	}
	view, err := h.views.of(p, topics)
	if err != nil {
		return err
	}
	key := fmt.Sprintf("closes %s %s %d %s", p.Rights.Key(), interval.Duration(), limit, strings.Join(topics.Names(), ","))
	x, err := view.changing.get(key, func() (*content, error) { return view.renderCloses(ids, interval, limit) })
	if err != nil {
		return err
	}
	noStore(c)
	return x.send(c)
}

func (v *feedView) renderCloses(ids []quote.ID, interval history.Interval, limit int) (*content, error) {
	type line struct {
		Symbol string `json:"symbol"`
		T      int64  `json:"t"` // start of the first interval, µs since 1970
		Closes closes `json:"c"`
	}
	seq, lines := v.log.Head().Seq, make([]line, 0, len(ids))
	for _, id := range ids {
		page, err := v.history.Bars(id, interval, history.Latest, limit)
		if err != nil {
			return nil, err
		}
		seq = min(seq, page.Seq)
		in := v.log.Universe().Instrument(id)
		start, prices := closesOf(page.Bars, interval, limit)
		lines = append(lines, line{in.Symbol, start, closes{prices, in.Decimals}})
	}
	return newJSON(fiber.Map{"interval": interval, "epoch": wire.Epoch(v.log.Head().Epoch), "i": seq, "lines": lines})
}

// closesOf returns the closes of the newest limit intervals, from the first of them that has a bar, and the start of that.
func closesOf(bars []history.Bar, interval history.Interval, limit int) (start int64, prices []quote.Price) {
	if len(bars) == 0 {
		return 0, nil
	}
	step, end := interval.Duration().Microseconds(), bars[len(bars)-1].T
	first := slices.IndexFunc(bars, func(b history.Bar) bool { return b.T > end-int64(limit)*step })
	start = bars[first].T
	prices = slices.Repeat([]quote.Price{noPrice}, int((end-start+step/2)/step)+1)
	for _, b := range bars[first:] {
		prices[(b.T-start+step/2)/step] = b.C // a trading day may have 23 or 25 hours
	}
	return start, prices
}

// noPrice is the close of an interval without a tick.
const noPrice quote.Price = math.MinInt64

// closes holds a price for each interval, noPrice for one without a tick.
type closes struct {
	prices   []quote.Price
	decimals uint8
}

// MarshalJSON returns an array of numbers with exactly the decimals of their instrument; noPrice is null.
func (c closes) MarshalJSON() ([]byte, error) {
	b := append(make([]byte, 0, 2+8*len(c.prices)), '[')
	for i, x := range c.prices {
		if i > 0 {
			b = append(b, ',')
		}
		if x == noPrice {
			b = append(b, "null"...)
		} else {
			b = x.AppendTo(b, c.decimals)
		}
	}
	return append(b, ']'), nil
}
