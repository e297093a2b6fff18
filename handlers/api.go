package handlers

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/auth"
	"ticklane/internal/metrics"
	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// api serves the endpoints of the feed's present state.
type api struct {
	views     *feedViews
	feed      FeedInfo
	maxTopics int
	version   string
	listings  *answers // made from the universe
}

// symbol is an instrument in the answer of GET /api/symbols.
type symbol struct {
	Symbol       string      `json:"symbol"`
	Name         string      `json:"name"`
	Sector       string      `json:"sector"`
	Value        float64     `json:"value"` // market capitalization in billions of dollars, 0 if unknown
	Decimals     uint8       `json:"decimals"`
	SizeDecimals uint8       `json:"size_decimals"`
	Currency     string      `json:"currency,omitempty"`
	Venue        string      `json:"venue,omitempty"`
	TickSize     *jsonNumber `json:"tick_size,omitempty"`
	Negative     bool        `json:"negative,omitempty"`
	Session      *session    `json:"session,omitempty"`
}

// session is the trading time of an instrument, on the clock of its zone.
type session struct {
	Zone  string `json:"zone"`
	Open  string `json:"open"`
	Close string `json:"close"`
}

func newSymbol(in *quote.Instrument) symbol {
	s := symbol{
		Symbol: in.Symbol, Name: in.Name, Sector: in.Sector, Value: in.Value,
		Decimals: in.Decimals, SizeDecimals: in.SizeDecimals, Currency: in.Currency, Venue: in.Venue, Negative: in.Negative,
	}
	if in.TickSize > 0 {
		s.TickSize = &jsonNumber{int64(in.TickSize), in.Decimals}
	}
	if t := in.Session; t != nil {
		s.Session = &session{t.Zone.String(), quote.Clock(t.Open), quote.Clock(t.Close)}
	}
	return s
}

// symbols is GET /api/symbols: all symbols and sectors that the client may read.
func (a *api) symbols(c *fiber.Ctx) error {
	u, rights := a.views.universe(), &principalOf(c).Rights
	x, err := a.listings.get("symbols "+strconv.Itoa(u.Len())+" "+rights.Key(), func() (*content, error) {
		list := []symbol{}
		for _, id := range rights.Readables(u).IDs() {
			list = append(list, newSymbol(u.Instrument(id)))
		}
		return newJSON(fiber.Map{"symbols": list, "sectors": readableSectors(u, rights)})
	})
	if err != nil {
		return err
	}
	noCache(c)
	return x.send(c)
}

// readableSectors returns the sectors of the symbols that a client may read.
func readableSectors(u *quote.Universe, rights *auth.Rights) []string {
	if rights.ReadsAll() {
		return u.Sectors()
	}
	sectors := []string{}
	for _, id := range rights.Readables(u).IDs() {
		if s := u.Instrument(id).Sector; !slices.Contains(sectors, s) {
			sectors = append(sectors, s)
		}
	}
	return sectors
}

// quotes is GET /api/quotes?topics=: the newest quote of each symbol, in the form of a stream's snapshot.
func (a *api) quotes(c *fiber.Ctx) error {
	q, p := queryOf(c), principalOf(c)
	topics := q.topics(a.views.universe(), a.maxTopics, &p.Rights)
	if err := q.err(); err != nil {
		return err
	}
	view, err := a.views.of(p, topics)
	if err != nil {
		return err
	}
	x, err := view.changing.get("quotes "+p.Rights.Key()+" "+strings.Join(topics.Names(), ","), func() (*content, error) {
		snap := view.log.Snapshot(topics)
		x := newContent(fiber.MIMEApplicationJSON, snap.Message().JSON())
		x.header = map[string]string{"Ticklane-Position": snap.At.String()}
		return x, nil
	})
	if err != nil {
		return err
	}
	noStore(c)
	return x.send(c)
}

// time is GET /api/time: the server's timestamps of a clock exchange with four timestamps.
func (a *api) time(c *fiber.Ctx) error {
	received := time.Now()
	noStore(c)
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Send(wire.Time(received, time.Now(), nil).JSON())
}

// stats is GET /api/stats: counters since the start of the server, open streams included.
func (a *api) stats(c *fiber.Ctx) error {
	log := a.views.live.log
	head := log.Head()
	noStore(c)
	return c.JSON(fiber.Map{
		"process": metrics.ReadProcess(),
		"log":     fiber.Map{"epoch": wire.Epoch(head.Epoch), "head": head.Seq, "oldest": log.Oldest()},
		"lanes": fiber.Map{
			wire.SSE.String(): a.views.lane(wire.SSE),
			wire.WS.String():  a.views.lane(wire.WS),
		},
		"feed":    fiber.Map{"source": a.feed.Source, "file": a.feed.File, "seed": a.feed.Seed, "timed": a.feed.Timed, "ended": a.feed.endedAt(), "stale": a.feed.staleSince()},
		"version": a.version,
	})
}

// jsonNumber is a price or size in the notation of the lanes.
type jsonNumber struct {
	units    int64
	decimals uint8
}

// MarshalJSON returns a number with exactly the decimals of its instrument.
func (n jsonNumber) MarshalJSON() ([]byte, error) {
	return quote.Price(n.units).AppendTo(nil, n.decimals), nil
}

// noCache makes a browser revalidate an answer each time: a page names hashed files, which a new version may lack. What depends on
// rights is kept out of shared caches.
func noCache(c *fiber.Ctx) {
	if principalOf(c) != auth.Unrestricted {
		c.Set(fiber.HeaderCacheControl, "private, no-cache")
		return
	}
	c.Set(fiber.HeaderCacheControl, "no-cache")
}

// noStore keeps an answer that is outdated at once out of every cache.
func noStore(c *fiber.Ctx) { c.Set(fiber.HeaderCacheControl, "no-store") }
