package handlers

import (
	"cmp"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/auth"
	"ticklane/internal/quote"
	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

const (
	noscriptRows    = 50 // on a page; every dashboard contains them
	noscriptSeconds = 5  // between reloads
)

// noscriptList is the watchlist for browsers without scripts: the newest quotes, filtered and sorted by links. It reads the
// same query as the scripts and, like them, replaces invalid values by defaults.
type noscriptList struct {
	Quotes       []noscriptQuote
	At           string // time of day of the newest quote, UTC
	Found        int
	Columns      []noscriptLink
	Sectors      []noscriptLink
	Before, Next string // URLs of other pages of the list, "" for none
	Refresh      int    // seconds, 0 for never
	Toggle       string // URL that switches reloading
	Seconds      int
}

type noscriptQuote struct {
	Symbol, Name             string
	Last, Change             string
	Bid, BidSize             string
	Ask, AskSize             string
	Volume, Direction, Arrow string
}

// noscriptLink is a column to sort by, or a sector.
type noscriptLink struct {
	Name, URL string
	Sector    string // name for view.Sector, "" for all sectors
	Chosen    bool
	Sort      string // aria-sort, "" for other columns than the one sorted by
}

type noscriptColumn struct {
	name    string
	compare func(a, b *wire.DayQuote) int // across instruments of different decimals
}

var noscriptColumns = []noscriptColumn{
	{"symbol", func(a, b *wire.DayQuote) int { return strings.Compare(a.Instrument.Symbol, b.Instrument.Symbol) }},
	{"last", func(a, b *wire.DayQuote) int { return cmp.Compare(price(a, a.Tick.Last), price(b, b.Tick.Last)) }},
	{"change", func(a, b *wire.DayQuote) int { return cmp.Compare(change(a.Tick), change(b.Tick)) }},
	{"bid", func(a, b *wire.DayQuote) int { return cmp.Compare(price(a, a.Tick.Bid), price(b, b.Tick.Bid)) }},
	{"ask", func(a, b *wire.DayQuote) int { return cmp.Compare(price(a, a.Tick.Ask), price(b, b.Tick.Ask)) }},
	{"volume", func(a, b *wire.DayQuote) int { return cmp.Compare(volume(a), volume(b)) }},
}

func price(q *wire.DayQuote, p quote.Price) float64 { return p.Float(q.Instrument.Decimals) }

func volume(q *wire.DayQuote) float64 { return q.Tick.Volume.Float(q.Instrument.SizeDecimals) }

// change returns the change since the previous day's close in per cent of the close without its sign, 0 if there is no close.
func change(t *quote.Tick) float64 {
	if t.PrevClose == 0 {
		return 0
	}
	return float64(t.Last-t.PrevClose) * 100 / math.Abs(float64(t.PrevClose))
}

// noscriptQuery is the query of a list.
type noscriptQuery struct {
	base       string     // path before that of every address
	kept       url.Values // parameters that links preserve
	sector     string     // "" for all
	text       string     // in ticker or name, lower case
	sort       string     // column, with a leading - for descending order
	column     int        // index of sort's column, −1 for the universe's order
	descending bool
	refresh    bool
	page       int          // from 1; may be beyond the last
	rights     *auth.Rights // of the client
}

func readNoscriptQuery(c *fiber.Ctx, base string, u *quote.Universe) noscriptQuery {
	q := noscriptQuery{base: base, kept: url.Values{}, rights: &principalOf(c).Rights}
	for _, key := range []string{"lang", "q", "sector", "sort", "refresh"} {
		if v := strings.ToValidUTF8(c.Query(key), ""); v != "" && len(v) <= 64 {
			q.kept.Set(key, strings.Clone(v))
		}
	}
	if sector := q.kept.Get("sector"); slices.Contains(readableSectors(u, q.rights), sector) {
		q.sector = sector
	}
	q.text = strings.ToLower(strings.TrimSpace(q.kept.Get("q")))
	q.sort = q.kept.Get("sort")
	column, descending := strings.CutPrefix(q.sort, "-")
	q.descending = descending
	q.column = slices.IndexFunc(noscriptColumns, func(n noscriptColumn) bool { return n.name == column })
	q.refresh = q.kept.Get("refresh") != "off"
	q.page = c.QueryInt("page", 1)
	return q
}

// key identifies the query.
func (q *noscriptQuery) key() string { return q.kept.Encode() + " " + strconv.Itoa(q.page) }

// with returns the URL of the list with one parameter changed, "" to remove it. The list then starts at its first page.
func (q *noscriptQuery) with(key, value string) string {
	v := url.Values{}
	for k := range q.kept {
		v.Set(k, q.kept.Get(k))
	}
	v.Set(key, value)
	if value == "" {
		v.Del(key)
	}
	if len(v) == 0 {
		return q.base + "/"
	}
	return q.base + "/?" + v.Encode()
}

// filter returns the quotes of the list in its order.
func (q *noscriptQuery) filter(all []wire.DayQuote) []wire.DayQuote {
	found := slices.DeleteFunc(all, func(d wire.DayQuote) bool {
		s := d.Instrument
		return q.sector != "" && s.Sector != q.sector ||
			!strings.Contains(strings.ToLower(s.Symbol), q.text) && !strings.Contains(strings.ToLower(s.Name), q.text)
	})
	if q.column >= 0 {
		slices.SortStableFunc(found, func(a, b wire.DayQuote) int {
			if q.descending {
				a, b = b, a
			}
			return noscriptColumns[q.column].compare(&a, &b)
		})
	}
	return found
}

// columns returns the links that sort the list. A link cycles through descending, ascending and unsorted, for symbols
// through ascending, descending and unsorted.
func (q *noscriptQuery) columns() []noscriptLink {
	var links []noscriptLink
	for i, col := range noscriptColumns {
		l := noscriptLink{Name: col.name}
		orders := []string{"-" + col.name, col.name, ""}
		if col.name == "symbol" {
			orders[0], orders[1] = orders[1], orders[0]
		}
		next := 0
		if i == q.column {
			next = (slices.Index(orders, q.sort) + 1) % len(orders)
			if l.Sort = "ascending"; q.descending {
				l.Sort = "descending"
			}
		}
		l.URL = q.with("sort", orders[next])
		links = append(links, l)
	}
	return links
}

func (q *noscriptQuery) sectors(u *quote.Universe) []noscriptLink {
	links := []noscriptLink{{URL: q.with("sector", ""), Chosen: q.sector == ""}}
	for _, name := range readableSectors(u, q.rights) {
		links = append(links, noscriptLink{Name: name, Sector: name, URL: q.with("sector", name), Chosen: name == q.sector})
	}
	return links
}

// newNoscriptList returns the list that a query selects.
func newNoscriptList(log *stream.Log, q *noscriptQuery) *noscriptList {
	u := log.Universe()
	quotes := log.Snapshot(q.rights.Readables(u)).Quotes
	newest := int64(0)
	for _, d := range quotes {
		newest = max(newest, d.Tick.Due)
	}
	quotes = q.filter(quotes)

	l := &noscriptList{
		Found: len(quotes), Columns: q.columns(), Sectors: q.sectors(u), Seconds: noscriptSeconds,
		Refresh: noscriptSeconds, Toggle: q.with("refresh", "off"),
	}
	if !q.refresh {
		l.Refresh, l.Toggle = 0, q.with("refresh", "")
	}
	if newest > 0 {
		l.At = time.UnixMicro(newest).UTC().Format(time.TimeOnly)
	}
	page := max(1, min(q.page, (len(quotes)+noscriptRows-1)/noscriptRows))
	first, end := (page-1)*noscriptRows, min(len(quotes), page*noscriptRows)
	if page > 1 {
		l.Before = q.with("page", strconv.Itoa(page-1))
	}
	if end < len(quotes) {
		l.Next = q.with("page", strconv.Itoa(page+1))
	}
	for _, d := range quotes[first:end] {
		l.Quotes = append(l.Quotes, newNoscriptQuote(d.Instrument, d.Tick))
	}
	return l
}

func newNoscriptQuote(in *quote.Instrument, t *quote.Tick) noscriptQuote {
	price := func(p quote.Price) string { return p.Format(in.Decimals) }
	size := func(s quote.Size) string { return grouped(s.Format(in.SizeDecimals)) }
	r := noscriptQuote{
		Symbol: in.Symbol, Name: in.Name, Last: price(t.Last),
		Bid: price(t.Bid), BidSize: size(t.BidSize), Ask: price(t.Ask), AskSize: size(t.AskSize), Volume: size(t.Volume),
	}
	r.Change = strings.TrimPrefix(strconv.FormatFloat(change(t), 'f', 2, 64), "-")
	if r.Change != "0.00" { // a change that rounds to zero has no direction
		if r.Direction, r.Arrow = "up", "▲"; t.Last < t.PrevClose {
			r.Direction, r.Arrow = "down", "▼"
		}
	}
	return r
}

// grouped returns a number with its whole part in groups of three digits, separated by narrow no-break spaces as in the browser.
func grouped(s string) string {
	whole, _, _ := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}
