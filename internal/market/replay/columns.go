package replay

import (
	"fmt"
	"strings"
)

// column is the meaning of a column of the file.
type column int

const (
	colTime column = iota
	colSymbol
	colBid
	colAsk
	colBidSize
	colAskSize
	colLast
	colVolume
	colDayVolume
	colOpen
	colHigh
	colLow
	colClose
	columnCount
)

// synonyms are the names of each column, the canonical one first. The names in a header are converted to lower case, and
// blanks and dashes to '_', before they are compared.
var synonyms = [columnCount][]string{
	colTime:      {"time", "timestamp", "date", "datetime", "date_time", "t"},
	colSymbol:    {"symbol", "ticker", "sym", "s"},
	colBid:       {"bid", "bid_price", "bidprice", "bp"},
	colAsk:       {"ask", "ask_price", "askprice", "offer", "ap"},
	colBidSize:   {"bid_size", "bidsize", "bs"},
	colAskSize:   {"ask_size", "asksize", "offer_size", "as"},
	colLast:      {"last", "price", "last_price", "trade", "trade_price", "p"},
	colVolume:    {"volume", "vol", "size", "quantity", "qty"},
	colDayVolume: {"day_volume", "cum_volume", "total_volume", "v"},
	colOpen:      {"open", "o"},
	colHigh:      {"high", "h"},
	colLow:       {"low", "l"},
	colClose:     {"close", "c"},
}

func (c column) String() string { return synonyms[c][0] }

// columns maps each column to its index in a line, −1 if the file doesn't have it.
type columns struct {
	index [columnCount]int
	bars  bool // rows are bars with open, high, low and close; otherwise ticks
}

func parseHeader(names []string) (columns, error) {
	var c columns
	for i := range c.index {
		c.index[i] = -1
	}
	for i, name := range names {
		name = strings.ToLower(strings.TrimSpace(name))
		name = strings.NewReplacer(" ", "_", "-", "_").Replace(name)
		for col, list := range synonyms {
			for _, synonym := range list {
				if name != synonym {
					continue
				}
				if other := c.index[col]; other >= 0 {
					return c, fmt.Errorf("columns %d and %d both mean %s", other+1, i+1, column(col))
				}
				c.index[col] = i
			}
		}
	}
	if !c.has(colTime) {
		return c, fmt.Errorf("no column for time (%s)", strings.Join(synonyms[colTime], ", "))
	}
	c.bars = c.has(colOpen) && c.has(colHigh) && c.has(colLow) && c.has(colClose)
	if c.bars {
		c.drop(colBid, colAsk, colBidSize, colAskSize, colLast, colDayVolume)
		return c, nil
	}
	if !c.has(colLast) { // a file with closing prices only
		c.index[colLast] = c.index[colClose]
	}
	c.drop(colOpen, colHigh, colLow, colClose)
	if !c.has(colLast) && !(c.has(colBid) && c.has(colAsk)) {
		return c, fmt.Errorf("want bars (open, high, low, close) or ticks (last or price, or bid and ask)")
	}
	return c, nil
}

func (c *columns) has(col column) bool { return c.index[col] >= 0 }

func (c *columns) drop(list ...column) {
	for _, col := range list {
		c.index[col] = -1
	}
}
