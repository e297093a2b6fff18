package wire

import (
	"strconv"

	"ticklane/internal/quote"
)

// AppendQuote appends the q message of a tick: prices with two decimals, sizes and times integers.
// A ticker needs no escape (quote.ValidTicker).
func AppendQuote(b []byte, ticker string, t *quote.Tick) []byte {
	return append(appendQuote(b, ticker, t), '}')
}

// AppendDayQuote appends the same with the day's open, high and low and the previous close, as snapshots hold it.
func AppendDayQuote(b []byte, ticker string, t *quote.Tick) []byte {
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
	b = strconv.AppendInt(append(b, `,"bs":`...), int64(t.BidSize), 10)
	b = t.Ask.AppendTo(append(b, `,"ap":`...))
	b = strconv.AppendInt(append(b, `,"as":`...), int64(t.AskSize), 10)
	b = t.Last.AppendTo(append(b, `,"p":`...))
	b = strconv.AppendInt(append(b, `,"v":`...), t.Volume, 10)
	b = strconv.AppendInt(append(b, `,"t":`...), t.Due, 10)
	b = strconv.AppendUint(append(b, `,"n":`...), t.N, 10)
	return strconv.AppendUint(append(b, `,"i":`...), t.Seq, 10)
}
