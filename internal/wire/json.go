package wire

import (
	"encoding/json"

	"ticklane/internal/quote"
)

// AppendQuote appends the message of a tick as JSON: prices and sizes with the decimals of its instrument, times as integers.
// Symbols need no escape (quote.ValidSymbol).
func AppendQuote(b []byte, in *quote.Instrument, t *quote.Tick) []byte {
	return append(appendQuote(b, in, t), '}')
}

// appendDayQuote appends a tick with its day's open, high and low and the previous close, as in a snapshot.
func appendDayQuote(b []byte, in *quote.Instrument, t *quote.Tick) []byte {
	b = appendQuote(b, in, t)
	b = t.Open.AppendTo(append(b, `,"o":`...), in.Decimals)
	b = t.High.AppendTo(append(b, `,"h":`...), in.Decimals)
	b = t.Low.AppendTo(append(b, `,"l":`...), in.Decimals)
	b = t.PrevClose.AppendTo(append(b, `,"c":`...), in.Decimals)
	if t.Halted {
		b = appendMember(b, "status", quote.StateHalted)
	}
	return append(b, '}')
}

func appendQuote(b []byte, in *quote.Instrument, t *quote.Tick) []byte {
	price, size := in.Decimals, in.SizeDecimals
	b = append(b, `{"T":"q","S":"`...)
	b = append(b, in.Symbol...)
	b = t.Bid.AppendTo(append(b, `","bp":`...), price)
	b = t.BidSize.AppendTo(append(b, `,"bs":`...), size)
	b = t.Ask.AppendTo(append(b, `,"ap":`...), price)
	b = t.AskSize.AppendTo(append(b, `,"as":`...), size)
	b = t.Last.AppendTo(append(b, `,"p":`...), price)
	b = t.Volume.AppendTo(append(b, `,"v":`...), size)
	b = appendNumber(append(b, `,"t":`...), t.Due)
	if t.Received != 0 {
		b = appendNumber(append(b, `,"r":`...), t.Received)
	}
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
