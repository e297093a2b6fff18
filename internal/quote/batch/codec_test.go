package batch

import (
	"encoding/binary"
	"reflect"
	"testing"

	"ticklane/internal/quote"
)

// FuzzCodec: a tick is decoded to what it was, whatever its fields and those of the ticks before.
func FuzzCodec(f *testing.F) {
	f.Add([]byte{1, 2, 3}, "text")
	f.Add(binary.AppendVarint(binary.AppendVarint(nil, -1), 1<<62), "")
	f.Fuzz(func(t *testing.T, b []byte, text string) {
		number := func() (v int64) {
			v, n := binary.Varint(b)
			b = b[min(len(b), max(1, n)):]
			return v
		}
		encoder, decoder := NewCodec(8), NewCodec(8)
		events, decoded := quote.NewEvents(10), quote.NewEvents(10)
		for len(b) > 0 {
			price := func() quote.Price { return quote.Price(number()) }
			size := func() quote.Size { return quote.Size(number()) }
			flags := number()
			want := quote.Tick{
				Symbol: quote.ID(number() & 7), Day: int32(number()), Bid: price(), Ask: price(), Last: price(), BidSize: size(), AskSize: size(), Volume: size(),
				Due: number(), Received: number(), Open: price(), High: price(), Low: price(), PrevClose: price(), N: uint64(number()), Seq: uint64(number()),
				Halted: flags&1 != 0, CountStarts: flags&2 != 0,
			}
			var event quote.Event
			if flags&4 != 0 {
				event.Trade = &quote.Trade{Price: price(), Size: size(), ID: text, Venue: text}
			}
			if flags&8 != 0 {
				event.Status = &quote.Status{State: text, Reason: text}
			}
			if flags&16 != 0 {
				event.Bar = &quote.Bar{Start: number(), Open: price(), High: price(), Low: price(), Close: price(), Volume: size(), Complete: flags&32 != 0}
			}
			if event != (quote.Event{}) {
				want.Event = events.Put(event)
			}
			encoded := NewReader(encoder.Append(nil, &want, events))
			var got quote.Tick
			decoder.Next(&encoded, &got, decoded)
			if encoded.Len() > 0 || encoded.Err() != nil || !reflect.DeepEqual(decoded.Get(got.Event), event) {
				t.Fatalf("%d bytes remain; event %+v, want %+v", encoded.Len(), decoded.Get(got.Event), event)
			}
			if got.Event = want.Event; got != want {
				t.Fatalf("got  %+v\nwant %+v", got, want)
			}
		}
	})
}
