package quote

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Position is a place in a log, the token of resume. Everything up to and including Seq has been seen;
// Seq 0 is the place before the first tick.
type Position struct {
	Epoch uint64 // names the log; new for every log, never 0
	Seq   uint64
}

// ErrPosition says that a text is not a position.
var ErrPosition = errors.New("not a position of the form <epoch>-<seq>, such as 9f3c1a-482913")

// ParsePosition reads the canonical form that String writes: lower-case hexadecimal epoch, dash, decimal
// seq, neither with leading zeros. Anything else gives an error that wraps ErrPosition.
func ParsePosition(s string) (Position, error) {
	if len(s) > 16+1+20 {
		return Position{}, fmt.Errorf("%d characters are too many: %w", len(s), ErrPosition)
	}
	e, n, ok := strings.Cut(s, "-")
	if !ok {
		return Position{}, ErrPosition
	}
	epoch, err := strconv.ParseUint(e, 16, 64)
	if err != nil {
		return Position{}, ErrPosition
	}
	seq, err := strconv.ParseUint(n, 10, 64)
	if err != nil {
		return Position{}, ErrPosition
	}
	p := Position{Epoch: epoch, Seq: seq}
	// Signs, capitals, underscores and leading zeros all fail here: only one text names a place.
	if epoch == 0 || p.String() != s {
		return Position{}, ErrPosition
	}
	return p, nil
}

// String returns "<epoch>-<seq>".
func (p Position) String() string { return string(p.AppendTo(nil)) }

// AppendTo appends String's text.
func (p Position) AppendTo(b []byte) []byte {
	b = strconv.AppendUint(b, p.Epoch, 16)
	b = append(b, '-')
	return AppendDecimal(b, p.Seq)
}
