package replay

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// column is the meaning of a column of the file.
type column int

// Columns. Texts of a trade, prices and sizes are each in one sequence.
const (
	colTime column = iota
	colClock
	colSymbol
	colTradeID
	colVenue
	colBid
	colAsk
	colLast
	colOpen
	colHigh
	colLow
	colClose
	colBidSize
	colAskSize
	colVolume
	colDayVolume
	columnCount

	colTickVolume        // the volume, if that is 0
	colV                 // the volume of a bar, or of the day
	ignored       column = -1
)

const (
	firstText  = colTradeID
	firstPrice = colBid
	firstSize  = colBidSize
)

// synonyms are the names of each column, the canonical one first, as normalize returns them.
var synonyms = map[column][]string{
	colTime: {"time", "timestamp", "date", "datetime", "date_time", "t", "ts", "open_time", "opentime", "gmt_time", "local_time", "utc_time",
		"unix", "unix_time", "unix_timestamp", "trade_time", "sip_timestamp", "window_start", "snapped_at"},
	colClock:      {"clock", "hour", "time_of_day"},
	colSymbol:     {"symbol", "ticker", "sym", "s", "instrument", "pair"},
	colTradeID:    {"trade_id", "tradeid", "id"},
	colVenue:      {"venue", "exchange"},
	colBid:        {"bid", "bid_price", "bidprice", "bp"},
	colAsk:        {"ask", "ask_price", "askprice", "offer", "ap"},
	colBidSize:    {"bid_size", "bidsize", "bs"},
	colAskSize:    {"ask_size", "asksize", "offer_size", "as"},
	colLast:       {"last", "price", "last_price", "trade", "trade_price", "p"},
	colVolume:     {"volume", "vol", "size", "quantity", "qty"},
	colTickVolume: {"tick_volume", "tickvol"},
	colDayVolume:  {"day_volume", "cum_volume", "total_volume"},
	colV:          {"v"},
	colOpen:       {"open", "o"},
	colHigh:       {"high", "h"},
	colLow:        {"low", "l"},
	colClose:      {"close", "c", "close_last"},
}

// byName has the column of each name.
var byName = func() map[string]column {
	m := make(map[string]column)
	for col, names := range synonyms {
		for _, name := range names {
			m[name] = col
		}
	}
	return m
}()

// meanings are the names that feed.format.columns may give a column.
var meanings = func() map[string]column {
	m := map[string]column{"-": ignored}
	for col := range columnCount {
		m[synonyms[col][0]] = col
	}
	return m
}()

func meaningNames() []string {
	names := slices.Sorted(maps.Keys(meanings))
	return slices.DeleteFunc(names, func(s string) bool { return s == "-" })
}

func (c column) String() string { return synonyms[c][0] }

func (c column) price() bool { return c >= firstPrice && c < firstSize }
func (c column) size() bool  { return c >= firstSize && c < columnCount }

// isTimeName reports whether a normalized name means the time.
func isTimeName(name string) bool {
	col, ok := byName[name]
	return ok && col == colTime
}

var separators = strings.NewReplacer(" ", "_", "-", "_", ".", "_", "/", "_", "\u00a0", "_")

// normalize returns a column's name in lower case without decoration: "<OPEN>", "1. open", "Open (USD)" and "open" are the same.
// Of a time, only a zone that is UTC is decoration.
func normalize(name string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	if inner, ok := strings.CutPrefix(name, "<"); ok {
		name = strings.TrimSuffix(inner, ">")
	}
	if number, rest, ok := strings.Cut(name, ". "); ok && number != "" && strings.Trim(number, "0123456789ab") == "" {
		name = rest // Alpha Vantage
	}
	if base, unit, ok := strings.Cut(name, " ("); ok && strings.HasSuffix(unit, ")") {
		unit = strings.TrimSuffix(unit, ")")
		if !isTimeName(separators.Replace(base)) || unit == "utc" || unit == "gmt" {
			name = base
		}
	}
	return strings.Trim(separators.Replace(name), "_")
}

// places maps each column to its index in a line, −1 if the file doesn't have it.
type places [columnCount]int

func noPlaces() (p places) {
	for i := range p {
		p[i] = -1
	}
	return p
}

func (p *places) has(col column) bool { return p[col] >= 0 }

func (p *places) hasAll(list ...column) bool {
	return !slices.ContainsFunc(list, func(col column) bool { return !p.has(col) })
}

func (p *places) drop(list ...column) {
	for _, col := range list {
		p[col] = -1
	}
}

// bothMean is the error of two columns with one meaning.
func bothMean(i, k int, col column) error {
	return fmt.Errorf("columns %d and %d both mean %v: feed.format.columns selects one", min(i, k)+1, max(i, k)+1, col)
}
