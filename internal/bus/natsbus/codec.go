package natsbus

import (
	"errors"
	"fmt"

	"ticklane/internal/quote/batch"
)

// errInstruments wraps the error of a node that has other instruments than the stream.
var errInstruments = errors.New("other instruments")

// decode returns the batch of a message, until the next call.
func (b *Bus) decode(m *message, data []byte) (*batch.Batch, error) {
	x := &b.decoded
	if err := b.decoder.Decode(data, x); err != nil {
		return nil, err
	}
	if len(x.Ticks) != m.count {
		return nil, fmt.Errorf("%d ticks: want %d", len(x.Ticks), m.count)
	}
	if m.count > 0 && x.Ticks[0].Seq != m.first {
		return nil, fmt.Errorf("the ticks begin with %d: want %d", x.Ticks[0].Seq, m.first)
	}
	return x, nil
}

// learn passes a batch to the source, or the state that replaces all before it.
func (b *Bus) learn(x *batch.Batch, apply func(Source, *batch.Batch) error) error {
	if b.o.Source == nil {
		if len(x.Instruments)+len(x.Details)+len(x.Progress) > 0 {
			return fmt.Errorf("%w: those of a live feed", errInstruments)
		}
		return nil
	}
	if err := apply(b.o.Source, x); err != nil {
		return fmt.Errorf("%w: %w", errInstruments, err)
	}
	return nil
}
