package handlers

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

const (
	plainRows    = 50 // on a page: they are part of every dashboard's page, read or not
	plainSeconds = 5  // until the page is asked for again
)

// plain is the watchlist for those who run no scripts: the newest quotes as of now, filtered and sorted by links. It
// reads the addresses that the scripts write, and as they do, it takes what can't be true for the default.
type plain struct {
	Quotes       []plainQuote
	At           string // time of day of the newest quote, UTC
	Found        int
	Columns      []plainLink
	Sectors      []plainLink
	Before, Next string // pages of the list; "" for none
	Refresh      int    // seconds; 0 for never
	Toggle       string // where refreshing is turned on or off
	Seconds      int
}

type plainQuote struct {
	Symbol, Name             string
	Last, Change             string
	Bid, BidSize             string
	Ask, AskSize             string
	Volume, Direction, Arrow string
}

// plainLink is a choice: a column to sort by, a sector.
type plainLink struct {
	Name, URL string
	Sector    string // its key in the catalogue's sentences; "" for all of them
	Chosen    bool
	Sort      string // aria-sort; "" for a column that it isn't sorted by
}

// plainColumns are those of the table, each with what it is sorted by.
var plainColumns = []struct {
	name    string
	compare func(a, b *wire.DayQuote) int
}{
	{"symbol", func(a, b *wire.DayQuote) int { return strings.Compare(a.Ticker, b.Ticker) }},
	{"last", func(a, b *wire.DayQuote) int { return cmp.Compare(a.Tick.Last, b.Tick.Last) }},
	{"change", func(a, b *wire.DayQuote) int { return cmp.Compare(change(a.Tick), change(b.Tick)) }},
	{"bid", func(a, b *wire.DayQuote) int { return cmp.Compare(a.Tick.Bid, b.Tick.Bid) }},
	{"ask", func(a, b *wire.DayQuote) int { return cmp.Compare(a.Tick.Ask, b.Tick.Ask) }},
	{"volume", func(a, b *wire.DayQuote) int { return cmp.Compare(a.Tick.Volume, b.Tick.Volume) }},
}

// change is the day's, in per cent; 0 while there is no day before.
func change(t *quote.Tick) float64 {
	if t.PrevClose <= 0 {
		return 0
	}
	return float64(t.Last-t.PrevClose) * 100 / float64(t.PrevClose)
}

// plainList makes the list that an address asks for.
func (s *Server) plainList(c *fiber.Ctx) *plain {
	u := s.stream.Universe()
	kept := url.Values{}
	for _, key := range []string{"lang", "q", "sector", "sort", "refresh"} {
		if v := strings.ToValidUTF8(c.Query(key), ""); v != "" && len(v) <= 64 {
			kept.Set(key, strings.Clone(v))
		}
	}
	sector, sort := kept.Get("sector"), kept.Get("sort")
	if !slices.Contains(u.Sectors(), sector) {
		sector = ""
	}
	descending := strings.HasPrefix(sort, "-")
	by := slices.IndexFunc(plainColumns, func(x struct {
		name    string
		compare func(a, b *wire.DayQuote) int
	}) bool {
		return x.name == strings.TrimPrefix(sort, "-")
	})

	all, _ := u.Topics([]string{"*"}, 1) // a topic that every universe has
	quotes := s.stream.Snapshot(all).Quotes
	newest := int64(0)
	text := strings.ToLower(strings.TrimSpace(kept.Get("q")))
	quotes = slices.DeleteFunc(quotes, func(q wire.DayQuote) bool {
		newest = max(newest, q.Tick.Due)
		y := u.Symbol(q.Tick.Symbol)
		return sector != "" && y.Sector != sector ||
			!strings.Contains(strings.ToLower(y.Ticker), text) && !strings.Contains(strings.ToLower(y.Name), text)
	})
	if by >= 0 {
		slices.SortStableFunc(quotes, func(a, b wire.DayQuote) int {
			if descending {
				return plainColumns[by].compare(&b, &a)
			}
			return plainColumns[by].compare(&a, &b)
		})
	}

	p := &plain{Found: len(quotes), Seconds: plainSeconds, Refresh: plainSeconds}
	if newest > 0 {
		p.At = time.UnixMicro(newest).UTC().Format(time.TimeOnly)
	}
	// with is the address with one part of it changed; what changes the list starts it at its beginning.
	with := func(key, value string) string {
		v := url.Values{}
		for k := range kept {
			v.Set(k, kept.Get(k))
		}
		if v.Set(key, value); value == "" {
			v.Del(key)
		}
		if len(v) == 0 {
			return "/"
		}
		return "/?" + v.Encode()
	}
	if p.Toggle = with("refresh", "off"); kept.Get("refresh") == "off" {
		p.Refresh, p.Toggle = 0, with("refresh", "")
	}
	for i, col := range plainColumns {
		l := plainLink{Name: col.name}
		steps := []string{"-" + col.name, col.name, ""} // figures start with the largest, names with A
		if col.name == "symbol" {
			steps[0], steps[1] = steps[1], steps[0]
		}
		if i == by {
			if l.Sort = "ascending"; descending {
				l.Sort = "descending"
			}
		}
		at := slices.Index(steps, sort) // −1, so the first, for another column
		l.URL = with("sort", steps[(at+1)%3])
		if sort == "" || i != by {
			l.URL = with("sort", steps[0])
		}
		p.Columns = append(p.Columns, l)
	}
	p.Sectors = append(p.Sectors, plainLink{URL: with("sector", ""), Chosen: sector == ""})
	for _, name := range u.Sectors() {
		p.Sectors = append(p.Sectors, plainLink{Name: name, Sector: name, URL: with("sector", name), Chosen: name == sector})
	}

	page := max(1, min(c.QueryInt("page", 1), (len(quotes)+plainRows-1)/plainRows))
	first, last := (page-1)*plainRows, min(len(quotes), page*plainRows)
	if page > 1 {
		p.Before = with("page", strconv.Itoa(page-1))
	}
	if last < len(quotes) {
		p.Next = with("page", strconv.Itoa(page+1))
	}
	for _, q := range quotes[first:last] {
		p.Quotes = append(p.Quotes, plainRow(u.Symbol(q.Tick.Symbol), q.Tick))
	}
	return p
}

func plainRow(y quote.Symbol, t *quote.Tick) plainQuote {
	r := plainQuote{
		Symbol: y.Ticker, Name: y.Name, Last: t.Last.String(),
		Bid: t.Bid.String(), BidSize: grouped(int64(t.BidSize)), Ask: t.Ask.String(), AskSize: grouped(int64(t.AskSize)), Volume: grouped(t.Volume),
	}
	r.Change = strings.TrimPrefix(strconv.FormatFloat(change(t), 'f', 2, 64), "-")
	if r.Change != "0.00" { // a change that reads as none has no direction
		if r.Direction, r.Arrow = "up", "▲"; t.Last < t.PrevClose {
			r.Direction, r.Arrow = "down", "▼"
		}
	}
	return r
}

// grouped writes a count in groups of three, set apart as the page's own figures are.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}
