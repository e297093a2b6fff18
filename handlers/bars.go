package handlers

import (
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/history"
	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

const (
	defaultBars = 300
	maxBars     = 50_000 // some 4 MB; a month has 43,200 of a minute
	barJSON     = 90     // bytes
)

// bars is GET /api/history?symbol=&interval=&from=&to=&before=&limit=&format=: open, high, low, close and volume, oldest first.
func (h *historyAPI) bars(c *fiber.Ctx) error {
	q := queryOf(c)
	id := q.symbol(h.views.universe(), &principalOf(c).Rights)
	interval := q.barInterval()
	from, before, limit := q.bars()
	format := q.choice("format", "", []string{"json", "csv"})
	if err := q.err(); err != nil {
		return err
	}
	in := h.views.universe().Instrument(id)
	view, err := h.views.ofSymbol(principalOf(c), in)
	if err != nil {
		return err
	}
	page, err := view.history.Range(id, interval, from, before, limit)
	if err != nil {
		return err
	}
	noStore(c)
	c.Vary(fiber.HeaderAccept)
	epoch := view.log.Head().Epoch
	if format == "csv" || format == "" && accepts(c, fiber.HeaderAccept, "text/csv") {
		c.Set(fiber.HeaderContentType, "text/csv; charset=utf-8; header=present")
		c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+fileName(in.Symbol)+"-"+string(interval)+`.csv"`)
		c.Set("Ticklane-Position", quote.Position{Epoch: epoch, Seq: page.Seq}.String())
		c.Set("Ticklane-More", strconv.FormatBool(page.More))
		return c.Send(appendBarsCSV(nil, page.Bars, in))
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Send(appendBarsJSON(make([]byte, 0, 200+barJSON*len(page.Bars)), page, in, interval, epoch))
}

// bars reads the range of times and the number of bars. A range without a number has all its bars.
func (q *query) bars() (from, before int64, limit int) {
	from, before = q.time("from", history.Earliest), q.time("before", history.Latest)
	to := q.time("to", history.Latest)
	switch {
	case before != history.Latest && to != history.Latest:
		q.fail("to", "given together with before, which has the same meaning; want one of them")
	case from > to:
		q.fail("to", "%d is before from, which is %d", to, from)
	case from > before:
		q.fail("before", "%d is before from, which is %d", before, from)
	}
	number := uint64(defaultBars)
	if from != history.Earliest {
		number = maxBars
	}
	return from, min(before, to), int(q.number("limit", number, 1, maxBars))
}

// appendBarsJSON appends a page as JSON. It is written by hand, since a month has 43,200 bars of a minute.
func appendBarsJSON(b []byte, page history.Page, in *quote.Instrument, interval history.Interval, epoch uint64) []byte {
	b = append(b, `{"bars":[`...)
	for i := range page.Bars {
		bar := &page.Bars[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(append(b, `{"t":`...), bar.T, 10)
		b = bar.O.AppendTo(append(b, `,"o":`...), in.Decimals)
		b = bar.H.AppendTo(append(b, `,"h":`...), in.Decimals)
		b = bar.L.AppendTo(append(b, `,"l":`...), in.Decimals)
		b = bar.C.AppendTo(append(b, `,"c":`...), in.Decimals)
		b = bar.V.AppendTo(append(b, `,"v":`...), in.SizeDecimals)
		b = append(b, '}')
	}
	b = append(b, `],"day":`...)
	if page.Known {
		b = page.Volume.AppendTo(b, in.SizeDecimals)
	} else {
		b = append(b, "null"...)
	}
	b = append(append(b, `,"epoch":"`...), wire.Epoch(epoch)...)
	b = strconv.AppendUint(append(b, `","i":`...), page.Seq, 10)
	b = append(append(b, `,"interval":"`...), interval...)
	b = strconv.AppendBool(append(b, `","more":`...), page.More)
	b = strconv.AppendQuote(append(b, `,"symbol":`...), in.Symbol) // a symbol has no character that JSON escapes otherwise
	return append(b, '}')
}

// appendBarsCSV appends bars as CSV (RFC 4180): times in UTC, plain numbers, no byte order mark.
func appendBarsCSV(b []byte, bars []history.Bar, in *quote.Instrument) []byte {
	b = append(b, "time,open,high,low,close,volume\r\n"...)
	for i := range bars {
		bar := &bars[i]
		b = time.UnixMicro(bar.T).UTC().AppendFormat(b, time.RFC3339)
		for _, p := range []quote.Price{bar.O, bar.H, bar.L, bar.C} {
			b = p.AppendTo(append(b, ','), in.Decimals)
		}
		b = bar.V.AppendTo(append(b, ','), in.SizeDecimals)
		b = append(b, "\r\n"...)
	}
	return b
}

// fileName returns a symbol as a part of a file's name on any system.
func fileName(symbol string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("/=:@^", r) {
			return '_'
		}
		return r
	}, symbol)
}
