package history

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"ticklane/internal/quote"
)

// LogState is where a log ended: its newest position and the number of each symbol's newest tick, by ID.
type LogState struct {
	quote.Position
	N []uint64
}

var positionKey = []byte("position")

// maxPause is how long after an orderly end a log may be continued. A copy of the directory that is put back later must not count
// as the end of a log that went on.
const maxPause = time.Hour

// Previous returns where the log of the process before ended; ok is false if it didn't end in order, too long ago, or with other
// instruments. It is returned at the first start after that end only, so no two logs continue from it.
func (s *Store) Previous() (state LogState, ok bool) {
	if s.saved == nil || s.saved.previous == nil {
		return LogState{}, false
	}
	return *s.saved.previous, true
}

// append appends the stored form: a hash of the instruments, and as varints the time, epoch, seq and each n.
func (l *LogState) append(b []byte, u *quote.Universe, now time.Time) []byte {
	b = append(b, fingerprint(u)...)
	b = binary.AppendVarint(b, now.UnixMicro())
	b = binary.AppendUvarint(b, l.Epoch)
	b = binary.AppendUvarint(b, l.Seq)
	for id := range u.Len() {
		b = binary.AppendUvarint(b, l.N[id])
	}
	return b
}

// position returns the stored state, nil if a log of the universe may not continue from it.
func (c *changes) position(u *quote.Universe, now time.Time) (*LogState, error) {
	b, err := c.get(string(positionKey))
	if err != nil || b == nil {
		return nil, err
	}
	hash := fingerprint(u)
	if len(b) < len(hash) || string(b[:len(hash)]) != string(hash) {
		return nil, nil
	}
	r := reader{rest: b[len(hash):]}
	since := now.Sub(time.UnixMicro(r.int()))
	l := &LogState{N: make([]uint64, u.Len())}
	l.Epoch, l.Seq = r.uint(), r.uint()
	for id := range l.N {
		l.N[id] = r.uint()
	}
	switch {
	case r.failed || len(r.rest) > 0:
		return nil, fmt.Errorf("position: %w", errDamaged)
	case since < 0 || since > maxPause:
		return nil, nil
	}
	return l, nil
}

// fingerprint returns a hash of the instruments and their decimals.
func fingerprint(u *quote.Universe) []byte {
	h := sha256.New()
	for _, in := range u.Instruments() {
		fmt.Fprintf(h, "%s %d %d\n", in.Symbol, in.Decimals, in.SizeDecimals)
	}
	return h.Sum(nil)[:8]
}

func (r *reader) uint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.rest, r.failed = nil, true
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// get returns a value of the meta bucket, nil if it is missing.
func (c *changes) get(key string) ([]byte, error) {
	value := c.meta.Get([]byte(key))
	if value == nil {
		return nil, nil
	}
	b, err := checked([]byte(key), value)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return b, nil
}

func (c *changes) put(key string, value []byte) error {
	return put(c.meta, []byte(key), append(make([]byte, 4, 4+len(value)), value...))
}
