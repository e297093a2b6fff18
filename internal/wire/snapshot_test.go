package wire

import (
	"testing"

	"ticklane/internal/quote"
)

// TestSplit: parts hold all quotes in order, none is longer than the chunk unless it has a single quote, and none could have
// taken the first quote of the next.
func TestSplit(t *testing.T) {
	s := Snapshot{At: quote.Position{Epoch: 1, Seq: 9_999_999}}
	for range 300 {
		s.Quotes = append(s.Quotes, DayQuote{instrument("WWWWWWWWWWWWWWWW"), &plain})
	}
	for _, e := range []Encoding{JSON, Proto} {
		size := func(p Snapshot) int {
			if e == Proto {
				return len(p.Message().body.appendProto(nil))
			}
			return len(p.Message().JSON())
		}
		for _, chunk := range []int{1, 300, 1 << 10, 4 << 10, 32 << 10, 1 << 20} {
			parts := s.Split(e, chunk)
			total := 0
			for i, p := range parts {
				total += len(p.Quotes)
				if len(parts) > 1 && (p.Part != i+1 || p.Parts != len(parts)) || len(parts) == 1 && p.Parts != 0 || p.At != s.At {
					t.Errorf("%v in %d: part %d is %d of %d at %v", e, chunk, i, p.Part, p.Parts, p.At)
				}
				if n := size(p); len(p.Quotes) == 0 || n > chunk && len(p.Quotes) > 1 {
					t.Errorf("%v in %d: part %d has %d quotes, %d bytes", e, chunk, i, len(p.Quotes), n)
				}
				if i+1 < len(parts) && size(Snapshot{At: p.At, Part: p.Part, Parts: p.Parts, Quotes: append(p.Quotes[:len(p.Quotes):len(p.Quotes)], parts[i+1].Quotes[0])}) < chunk-partHeadSize-len(p.Quotes) {
					t.Errorf("%v in %d: part %d has room", e, chunk, i)
				}
			}
			if total != len(s.Quotes) {
				t.Errorf("%v in %d: %d quotes", e, chunk, total)
			}
		}
	}
	if parts := (Snapshot{}).Split(JSON, 1); len(parts) != 1 || parts[0].Parts != 0 {
		t.Errorf("of nothing: %v", parts)
	}
}
