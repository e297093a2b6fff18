package replay

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"ticklane/internal/quote"
)

// Bounds of fields. Those of prices and times keep all later sums within 64 bits.
const (
	decimals   = 2 // of all prices
	maxDollars = 1e9
	maxShares  = 1e15
	firstYear  = 1900
	lastYear   = 2200
)

// layouts are the formats of a time, besides seconds, milliseconds, microseconds and nanoseconds since 1970. A time without a
// zone is UTC.
var layouts = []string{
	time.RFC3339Nano,
	"2006-01-02",
	"2006-01-02 15:04:05.999999999",
	"2006-01-02T15:04:05.999999999",
	"2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04",
	"20060102",
	"Jan 2 2006",
	"Jan 2, 2006",
}

var errTime = fmt.Errorf("want a time such as 2026-03-02T14:30:00.25Z, 2026-03-02 14:30:00, 2026-03-02, "+
	"Mar 2 2026, or a number since 1970, in the years %d to %d", firstYear, lastYear)

// timeParser parses times. It tries the layout of the previous time first.
type timeParser struct{ layout int }

// parse returns µs since 1970.
func (p *timeParser) parse(s string) (int64, error) {
	if len(s) != len("20060102") {
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return epochTime(s, f)
		}
	}
	for i := range layouts {
		k := (p.layout + i) % len(layouts)
		if t, err := time.Parse(layouts[k], s); err == nil {
			p.layout = k
			return checkTime(t)
		}
	}
	return 0, errTime
}

// epochTime derives the unit from the size of the number: 1e11 s would be in the year 5138, 1e11 ms is in 1973.
func epochTime(s string, f float64) (int64, error) {
	if whole, err := strconv.ParseInt(s, 10, 64); err == nil {
		switch size := math.Abs(f); {
		case size < 1e11:
			return checkTime(time.Unix(whole, 0))
		case size < 1e14:
			return checkTime(time.UnixMilli(whole))
		case size < 1e17:
			return checkTime(time.UnixMicro(whole))
		}
		return checkTime(time.Unix(0, whole))
	}
	if !(math.Abs(f) < 1e11) { // too large to convert, or NaN
		return 0, errTime
	}
	return checkTime(time.UnixMicro(int64(math.Round(f * 1e6))))
}

func checkTime(t time.Time) (int64, error) {
	if y := t.UTC().Year(); y < firstYear || y > lastYear {
		return 0, errTime
	}
	return t.UnixMicro(), nil
}

// parsePrice parses dollars and rounds them to cents.
func parsePrice(s string) (quote.Price, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0, errors.New("want a price in dollars, such as 184.27")
	}
	cents := math.Round(f * 100)
	if !(cents >= 1 && cents <= maxDollars*100) {
		return 0, fmt.Errorf("want a price from 0.01 to %.0f dollars", maxDollars)
	}
	return quote.Price(cents), nil
}

// parseShares parses a number of shares up to limit, which may be a decimal ("1200.0").
func parseShares(s string, limit float64) (quote.Size, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f >= 0 && f <= limit) {
		return 0, fmt.Errorf("want a number of shares from 0 to %.0f", limit)
	}
	return quote.Size(math.Round(f)), nil
}
