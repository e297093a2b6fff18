package wire

import "ticklane/internal/quote"

// tradeMessage returns the message of a tick's trade.
func tradeMessage(in *quote.Instrument, t *quote.Tick, trade *quote.Trade) Message {
	return Message{Name: "trade", body: tradeBody{in, t, trade}}
}

type tradeBody struct {
	in    *quote.Instrument
	tick  *quote.Tick
	trade *quote.Trade
}

func (m tradeBody) appendJSON(b []byte) []byte {
	in, trade := m.in, m.trade
	b = append(append(b, `{"T":"trade","S":"`...), in.Symbol...)
	b = trade.Price.AppendTo(append(b, `","p":`...), in.Decimals)
	b = trade.Size.AppendTo(append(b, `,"s":`...), in.SizeDecimals)
	b = appendMember(b, "id", trade.ID)
	for i, c := range trade.Conditions {
		if i == 0 {
			b = append(b, `,"c":[`...)
		} else {
			b = append(b, ',')
		}
		b = appendString(b, c)
		if i == len(trade.Conditions)-1 {
			b = append(b, ']')
		}
	}
	b = appendMember(b, "x", trade.Venue)
	b = appendMember(b, "corrects", trade.Corrects)
	b = appendMember(b, "cancels", trade.Cancels)
	return append(appendPlace(b, m.tick), '}')
}

func (m tradeBody) appendProto(b []byte) []byte {
	trade := m.trade
	b, at := beginField(b, protoTrade)
	b = appendText(b, 1, m.in.Symbol)
	b = appendInt(b, 2, int64(trade.Price))
	b = appendInt(b, 3, int64(trade.Size))
	b = appendClientText(b, 4, trade.ID)
	b = appendTexts(b, 5, trade.Conditions)
	b = appendClientText(b, 6, trade.Venue)
	b = appendClientText(b, 7, trade.Corrects)
	b = appendClientText(b, 8, trade.Cancels)
	b = appendInt(b, 9, m.tick.Due)
	b = appendUint(b, 10, m.tick.N)
	b = appendUint(b, 11, m.tick.Seq)
	if m.tick.N == 1 { // it comes before the quote that has them
		b = appendDecimals(b, m.in, 12)
	}
	return endField(b, at)
}

// statusMessage returns the message of a symbol's change of status. Its members have the order of those of the feed's status.
func statusMessage(in *quote.Instrument, t *quote.Tick, status *quote.Status) Message {
	return Message{Name: "status", body: symbolStatusBody{in, t, status}}
}

type symbolStatusBody struct {
	in     *quote.Instrument
	tick   *quote.Tick
	status *quote.Status
}

func (m symbolStatusBody) appendJSON(b []byte) []byte {
	b = appendMember(append(b, `{"T":"status"`...), "status", m.status.State)
	b = appendNumber(append(b, `,"t":`...), m.tick.Due)
	b = appendMember(appendMember(b, "S", m.in.Symbol), "reason", m.status.Reason)
	b = quote.AppendDecimal(append(b, `,"n":`...), m.tick.N)
	return append(quote.AppendDecimal(append(b, `,"i":`...), m.tick.Seq), '}')
}

func (m symbolStatusBody) appendProto(b []byte) []byte {
	b, at := beginField(b, protoStatus)
	b = appendClientText(b, 1, m.status.State)
	b = appendInt(b, 4, m.tick.Due)
	b = appendText(b, 5, m.in.Symbol)
	b = appendClientText(b, 6, m.status.Reason)
	b = appendUint(b, 7, m.tick.N)
	return endField(appendUint(b, 8, m.tick.Seq), at)
}

// appendPlace appends the time and the numbers of a tick.
func appendPlace(b []byte, t *quote.Tick) []byte {
	b = appendNumber(append(b, `,"t":`...), t.Due)
	b = quote.AppendDecimal(append(b, `,"n":`...), t.N)
	return quote.AppendDecimal(append(b, `,"i":`...), t.Seq)
}

// appendMember appends a member with a text, unless it is empty.
func appendMember(b []byte, name, text string) []byte {
	if text == "" {
		return b
	}
	b = append(append(append(b, `,"`...), name...), `":`...)
	return appendString(b, text)
}

// appendString appends a text as a JSON string.
func appendString(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return append(b, marshal(text)...)
		}
	}
	b = append(append(b, '"'), text...)
	return append(b, '"')
}
