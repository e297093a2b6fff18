package batch

import (
	"encoding/binary"

	"ticklane/internal/quote"
)

// The flags of an event.
const (
	hasBar = 1 << iota
	hasTrade
	hasStatus
	isComplete // the bar
	endOfParts
)

// appendEvent appends an event: a byte of flags, numbers as varints, texts after their lengths.
func appendEvent(b []byte, e *quote.Event) []byte {
	at := len(b)
	b = append(b, 0)
	if bar := e.Bar; bar != nil {
		b[at] |= hasBar
		if bar.Complete {
			b[at] |= isComplete
		}
		for _, v := range [...]int64{bar.Start, int64(bar.Open), int64(bar.High - bar.Open), int64(bar.Low - bar.Open), int64(bar.Close - bar.Open), int64(bar.Volume)} {
			b = binary.AppendVarint(b, v)
		}
	}
	if t := e.Trade; t != nil {
		b[at] |= hasTrade
		b = binary.AppendVarint(b, int64(t.Price))
		b = binary.AppendVarint(b, int64(t.Size))
		b = appendText(b, t.ID)
		b = binary.AppendUvarint(b, uint64(len(t.Conditions)))
		for _, c := range t.Conditions {
			b = appendText(b, c)
		}
		b = appendText(b, t.Venue)
		b = appendText(b, t.Corrects)
		b = appendText(b, t.Cancels)
	}
	if s := e.Status; s != nil {
		b[at] |= hasStatus
		b = appendText(b, s.State)
		b = appendText(b, s.Reason)
	}
	return b
}

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

func (r *Reader) event() (e quote.Event) {
	parts := r.byte()
	if parts >= endOfParts {
		r.fail("unknown flags of an event")
		return e
	}
	if parts&hasBar != 0 {
		bar := &quote.Bar{Start: r.Int(), Open: quote.Price(r.Int()), Complete: parts&isComplete != 0}
		bar.High, bar.Low, bar.Close = bar.Open+quote.Price(r.Int()), bar.Open+quote.Price(r.Int()), bar.Open+quote.Price(r.Int())
		bar.Volume = quote.Size(r.Int())
		e.Bar = bar
	}
	if parts&hasTrade != 0 {
		t := &quote.Trade{Price: quote.Price(r.Int()), Size: quote.Size(r.Int()), ID: r.text()}
		for n := r.Uint(); n > 0 && r.err == nil; n-- {
			t.Conditions = append(t.Conditions, r.text())
		}
		t.Venue, t.Corrects, t.Cancels = r.text(), r.text(), r.text()
		e.Trade = t
	}
	if parts&hasStatus != 0 {
		e.Status = &quote.Status{State: r.text(), Reason: r.text()}
	}
	return e
}
