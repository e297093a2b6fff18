package adapter

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// Output is what a message of a provider has.
type Output struct {
	lines   [][]byte // without the closing brace, to which a number is added
	replies [][]byte
	seqs    []seq
}

// Quote is a line of T "q". Prices and sizes are decimals, as the provider wrote them; empty ones keep their values.
type Quote struct {
	Symbol           string
	Bid, Ask, Last   string
	BidSize, AskSize string
	Time             time.Time
}

// Trade is a line of T "trade". Without a size it only sets the last price.
type Trade struct {
	Symbol      string
	Price, Size string
	Time        time.Time
	ID          string
	Venue       string
	Conditions  []string
}

// Quote adds a quote. An error names the member that is no number.
func (o *Output) Quote(q Quote) error {
	l := begin("q", q.Symbol)
	for _, f := range []struct{ name, value string }{{"bp", q.Bid}, {"ap", q.Ask}, {"bs", q.BidSize}, {"as", q.AskSize}, {"p", q.Last}} {
		if err := l.number(f.name, f.value); err != nil {
			return err
		}
	}
	o.add(l, q.Time)
	return nil
}

// Trade adds a trade. An error names the member that is no number.
func (o *Output) Trade(t Trade) error {
	l := begin("trade", t.Symbol)
	if err := l.number("p", t.Price); err != nil {
		return err
	}
	if err := l.number("s", t.Size); err != nil {
		return err
	}
	if t.ID != "" {
		l.member("id", t.ID)
	}
	if t.Venue != "" {
		l.member("x", t.Venue)
	}
	if len(t.Conditions) > 0 {
		l.member("c", t.Conditions)
	}
	o.add(l, t.Time)
	return nil
}

// Reply sends a message to the provider.
func (o *Output) Reply(message []byte) { o.replies = append(o.replies, message) }

// Seq reports the provider's own number of a message. Those of a symbol that count one by one (contiguous) show every gap, others
// only that messages were missed while the connection was down.
func (o *Output) Seq(symbol string, number uint64, contiguous bool) {
	o.seqs = append(o.seqs, seq{symbol, number, contiguous})
}

func (o *Output) add(l line, at time.Time) {
	if !at.IsZero() {
		l = append(append(l, `,"t":`...), strconv.FormatInt(at.UnixMicro(), 10)...)
	}
	o.lines = append(o.lines, l)
}

func (o *Output) reset() {
	o.lines, o.replies, o.seqs = o.lines[:0], o.replies[:0], o.seqs[:0]
}

// line is a JSON object without its closing brace.
type line []byte

func begin(t, symbol string) line {
	l := line(`{"T":"` + t + `"`)
	l.member("S", symbol)
	return l
}

func (l *line) member(name string, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // texts and lists of texts always marshal
	}
	*l = append(append(append(append(*l, `,"`...), name...), `":`...), text...)
}

// number adds a number, unless its text is empty.
func (l *line) number(name, text string) error {
	if text == "" {
		return nil
	}
	n, err := number(text)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	*l = append(append(append(append(*l, `,"`...), name...), `":`...), n...)
	return nil
}
