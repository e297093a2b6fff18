package natsbus

import (
	"errors"
	"fmt"

	"ticklane/internal/quote"
	"ticklane/internal/quote/batch"
)

// maxBatch is the largest number of ticks in a message, well below 1 MB with the longest texts.
const maxBatch = batch.MaxTicks / 2

// errInstruments wraps the error of a node that has other instruments than the stream.
var errInstruments = errors.New("other instruments")

// decode returns the ticks of a message, until the next call. Instruments that are new are added to the universe.
func (b *Bus) decode(m *message, data []byte) ([]quote.Tick, error) {
	if err := b.decoder.Decode(data, &b.decoded); err != nil {
		return nil, err
	}
	x := &b.decoded
	if len(x.Ticks) != m.count {
		return nil, fmt.Errorf("%d ticks: want %d", len(x.Ticks), m.count)
	}
	if m.count > 0 && x.Ticks[0].Seq != m.first {
		return nil, fmt.Errorf("the ticks begin with %d: want %d", x.Ticks[0].Seq, m.first)
	}
	return x.Ticks, b.learn(x)
}

// learn adds the instruments of a batch to the universe. The universe of the node that writes has them.
func (b *Bus) learn(x *batch.Batch) error {
	u := b.o.Universe
	for i := range x.Instruments {
		in, id := &x.Instruments[i], x.FirstID+quote.ID(i)
		if int(id) < u.Len() {
			if known := u.Instrument(id).Symbol; known != in.Symbol {
				return fmt.Errorf("%w: %d is %s, here %s", errInstruments, id, in.Symbol, known)
			}
			continue
		}
		if err := u.Grow(x.Instruments[i:]); err != nil {
			return fmt.Errorf("%w: %w", errInstruments, err)
		}
		break
	}
	return nil
}
