package wire

import (
	"encoding/json"

	"ticklane/internal/quote"
)

// AppendQuote appends the message of a tick as JSON: prices with two decimals, sizes and times as integers. Tickers need
// no escape (quote.ValidSymbol).
func AppendQuote(b []byte, ticker string, t *quote.Tick) []byte {
	return append(appendQuote(b, ticker, t), '}')
}

// appendDayQuote appends a tick with its day's open, high and low and the previous close, as in a snapshot.
func appendDayQuote(b []byte, ticker string, t *quote.Tick) []byte {
	b = appendQuote(b, ticker, t)
	b = t.Open.AppendTo(append(b, `,"o":`...))
	b = t.High.AppendTo(append(b, `,"h":`...))
	b = t.Low.AppendTo(append(b, `,"l":`...))
	b = t.PrevClose.AppendTo(append(b, `,"c":`...))
	return append(b, '}')
}

func appendQuote(b []byte, ticker string, t *quote.Tick) []byte {
	b = append(b, `{"T":"q","S":"`...)
	b = append(b, ticker...)
	b = t.Bid.AppendTo(append(b, `","bp":`...))
	b = appendNumber(append(b, `,"bs":`...), int64(t.BidSize))
	b = t.Ask.AppendTo(append(b, `,"ap":`...))
	b = appendNumber(append(b, `,"as":`...), int64(t.AskSize))
	b = t.Last.AppendTo(append(b, `,"p":`...))
	b = appendNumber(append(b, `,"v":`...), t.Volume)
	b = appendNumber(append(b, `,"t":`...), t.Due)
	b = quote.AppendDecimal(append(b, `,"n":`...), t.N)
	return quote.AppendDecimal(append(b, `,"i":`...), t.Seq)
}

func appendNumber(b []byte, v int64) []byte {
	if v < 0 {
		return quote.AppendDecimal(append(b, '-'), -uint64(v))
	}
	return quote.AppendDecimal(b, uint64(v))
}

// marshal returns the JSON of one of this package's flat structs, which encoding/json can always encode.
func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("wire: " + err.Error())
	}
	return b
}
