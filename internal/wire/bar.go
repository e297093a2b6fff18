package wire

import "ticklane/internal/quote"

// barInterval is the interval of the bars of channel Bars.
const barInterval = "1m"

// barMessage returns the message of a bar that a tick ended.
func barMessage(in *quote.Instrument, t *quote.Tick, bar *quote.Bar) Message {
	return Message{Name: "bar", body: barBody{in, bar, t.Seq}}
}

type barBody struct {
	in  *quote.Instrument
	bar *quote.Bar
	seq uint64 // of the tick that ended it
}

func (m barBody) appendJSON(b []byte) []byte {
	bar, decimals := m.bar, m.in.Decimals
	b = append(append(b, `{"T":"bar","S":"`...), m.in.Symbol...)
	b = appendNumber(append(b, `","interval":"`+barInterval+`","t":`...), bar.Start)
	b = bar.Open.AppendTo(append(b, `,"o":`...), decimals)
	b = bar.High.AppendTo(append(b, `,"h":`...), decimals)
	b = bar.Low.AppendTo(append(b, `,"l":`...), decimals)
	b = bar.Close.AppendTo(append(b, `,"c":`...), decimals)
	b = bar.Volume.AppendTo(append(b, `,"v":`...), m.in.SizeDecimals)
	if bar.Complete {
		b = append(b, `,"complete":true,"i":`...)
	} else {
		b = append(b, `,"complete":false,"i":`...)
	}
	return append(quote.AppendDecimal(b, m.seq), '}')
}

func (m barBody) appendProto(b []byte) []byte {
	bar := m.bar
	b, at := beginField(b, protoBar)
	b = appendText(b, 1, m.in.Symbol)
	b = appendText(b, 2, barInterval)
	b = appendInt(b, 3, bar.Start)
	b = appendInt(b, 4, int64(bar.Open))
	b = appendInt(b, 5, int64(bar.High))
	b = appendInt(b, 6, int64(bar.Low))
	b = appendInt(b, 7, int64(bar.Close))
	b = appendInt(b, 8, int64(bar.Volume))
	b = appendBool(b, 9, bar.Complete)
	return endField(appendUint(b, 10, m.seq), at)
}
