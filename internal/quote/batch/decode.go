package batch

import (
	"errors"
	"fmt"

	"ticklane/internal/quote"
)

// Decoder decodes batches, of any bytes. It is used by one goroutine.
type Decoder struct {
	universe *quote.Universe
	codec    Codec
	events   *quote.Events
}

// NewDecoder returns a decoder for a universe, to which the caller adds the instruments of each batch before it decodes the next. The
// ticks' events are stored in events.
func NewDecoder(u *quote.Universe, events *quote.Events) *Decoder {
	return &Decoder{universe: u, codec: NewCodec(u.Limit()), events: events}
}

// Decode decodes what Encoder.Append has appended. It uses the memory of x, which is empty after an error. The error says what is
// wrong with data; it is an ErrVersion, an ErrLimit or an ErrMissing if the bytes may be right.
func (d *Decoder) Decode(data []byte, x *Batch) error { return d.decode(data, x, message) }

// DecodeState decodes what Encoder.AppendState has appended.
func (d *Decoder) DecodeState(data []byte, x *Batch) error { return d.decode(data, x, state) }

// Errors of Decode.
var (
	ErrVersion = errors.New("unknown version: all nodes need the same version of Ticklane")
	ErrLimit   = errors.New("are more than feed.ingest.instruments")
	ErrMissing = errors.New("instruments before it are missing")
)

func (d *Decoder) decode(data []byte, x *Batch, kind byte) error {
	x.reset()
	err := d.read(data, x, kind)
	d.codec.forget(x.Ticks)
	if err != nil {
		x.reset()
		return fmt.Errorf("batch: %w", err)
	}
	return nil
}

func (d *Decoder) read(data []byte, x *Batch, kind byte) error {
	r := NewReader(data)
	switch v, k := r.byte(), r.byte(); {
	case r.err != nil:
		return fmt.Errorf("%d bytes", len(data))
	case v != version:
		return fmt.Errorf("%d: %w", v, ErrVersion)
	case k != kind:
		return fmt.Errorf("kind %d: want %d, %s", k, kind, kindNames[kind])
	}
	for _, part := range [...]struct {
		name string
		read func(*Reader, *Batch, byte) error
	}{{"instrument", d.instruments}, {"detail", d.details}, {"progress", d.progress}, {"tick", d.ticks}} {
		if err := part.read(&r, x, kind); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		if r.err != nil {
			return fmt.Errorf("%s: invalid number: %w", part.name, r.err)
		}
	}
	if r.Len() > 0 {
		return fmt.Errorf("%d bytes after the end", r.Len())
	}
	return nil
}

// count reads how many elements follow, of which each has at least some bytes.
func (r *Reader) count(bytes int) (int, error) {
	n := r.Uint()
	if most := len(r.rest) / bytes; n > uint64(most) {
		return 0, fmt.Errorf("there are %d, but bytes for at most %d", n, most)
	}
	return int(n), nil
}

// symbols returns how many instruments there are with those of x.
func (d *Decoder) symbols(x *Batch) uint64 {
	return uint64(max(d.universe.Len(), int(x.FirstID)+len(x.Instruments)))
}

func (d *Decoder) instruments(r *Reader, x *Batch, _ byte) error {
	n, err := r.count(minInstrument)
	if err != nil || n == 0 {
		return err
	}
	first := r.Uint()
	switch limit := uint64(d.universe.Limit()); {
	case first > uint64(d.universe.Len()):
		return fmt.Errorf("ID %d after %d: %w", first, d.universe.Len(), ErrMissing)
	case first+uint64(n) > limit:
		return fmt.Errorf("%d %w of this server, %d", first+uint64(n), ErrLimit, limit)
	}
	x.FirstID = quote.ID(first)
	for i := range n {
		in, err := r.instrument()
		if err != nil {
			return fmt.Errorf("ID %d: %w", int(first)+i, err)
		}
		x.Instruments = append(x.Instruments, in)
	}
	return nil
}

func (d *Decoder) details(r *Reader, x *Batch, _ byte) error {
	n, err := r.count(2)
	if err != nil {
		return err
	}
	for range n {
		id, flags := r.Uint(), r.byte()
		switch {
		case r.err != nil:
			return r.err
		case id >= d.symbols(x):
			return fmt.Errorf("symbol %d: %w", id, ErrMissing)
		case flags >= endOfDetails:
			return errors.New("unknown flags")
		}
		x.Details = append(x.Details, Detail{quote.ID(id), flags&isQuoted != 0, flags&isTraded != 0, flags&halted != 0})
	}
	return nil
}

func (d *Decoder) progress(r *Reader, x *Batch, _ byte) error {
	n, err := r.count(4)
	if err != nil {
		return err
	}
	for range n {
		p := Progress{Source: r.text(), Subject: r.text()}
		flags := r.byte()
		ranges, err := r.count(2)
		if err != nil || r.err != nil {
			return errors.Join(err, r.err)
		}
		if flags >= endOfProgress {
			return errors.New("unknown flags")
		}
		p.New = flags&isNew != 0
		after := uint64(0)
		for range ranges {
			from := after + uint64(r.Int())
			next := Range{from, from + r.Uint()}
			if r.err == nil && (next.From == 0 || next.To < next.From) {
				return fmt.Errorf("%q: range %d to %d", p.Source, next.From, next.To)
			}
			p.Ranges, after = append(p.Ranges, next), next.To
		}
		x.Progress = append(x.Progress, p)
	}
	return nil
}

func (d *Decoder) ticks(r *Reader, x *Batch, kind byte) error {
	n, err := r.count(3)
	if err != nil {
		return err
	}
	limit := MaxTicks
	if kind == state {
		limit = d.universe.Limit()
	}
	if n > limit {
		return fmt.Errorf("%d are more than %d", n, limit)
	}
	d.codec.symbols = d.symbols(x)
	for i := range n {
		x.Ticks = append(x.Ticks, quote.Tick{})
		t := &x.Ticks[i]
		d.codec.Next(r, t, d.events)
		err := r.err
		if err == nil {
			err = d.check(t)
		}
		if err == nil && i > 0 {
			before := &x.Ticks[i-1]
			switch {
			case kind == message && t.Seq != before.Seq+1:
				err = fmt.Errorf("seq %d after %d", t.Seq, before.Seq)
			case kind == state && t.Symbol <= before.Symbol:
				err = fmt.Errorf("symbol %d after %d", t.Symbol, before.Symbol)
			}
		}
		if err != nil {
			return fmt.Errorf("%d of %d: %w", i+1, n, err)
		}
	}
	return nil
}

// check checks the values of a tick that was read.
func (d *Decoder) check(t *quote.Tick) error {
	for _, p := range [...]quote.Price{t.Bid, t.Ask, t.Last, t.Open, t.High, t.Low, t.PrevClose} {
		if p > quote.MaxUnits || p < -quote.MaxUnits {
			return fmt.Errorf("price %d is out of range", p)
		}
	}
	for _, s := range [...]quote.Size{t.BidSize, t.AskSize, t.Volume} {
		if s > quote.MaxUnits || s < 0 {
			return fmt.Errorf("size %d is out of range", s)
		}
	}
	if t.Seq == 0 || t.N == 0 {
		return fmt.Errorf("seq %d, n %d: want 1 or more", t.Seq, t.N)
	}
	if t.Due > maxTime || t.Due < -maxTime || t.Received > maxTime || t.Received < -maxTime || t.Day > maxDay || t.Day < -maxDay {
		return fmt.Errorf("time %d, %d or day %d is out of range", t.Due, t.Received, t.Day)
	}
	if t.Event == 0 {
		return nil
	}
	event := d.events.Get(t.Event)
	var err error
	if event.Trade != nil {
		err = event.Trade.Check()
	}
	if event.Status != nil {
		err = errors.Join(err, event.Status.Check())
	}
	return err
}

// Bounds of times, in µs since 1970, and of days since then: some 36,000 and 46,000 years.
const (
	maxTime = 1 << 60
	maxDay  = 1 << 24
)
