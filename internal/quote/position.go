package quote

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Position is a position in a log, from which a client resumes. It means that everything up to and including Seq has been
// received; Seq 0 is before the first tick.
type Position struct {
	Epoch uint64 // identifies the log; random for every log, never 0
	Seq   uint64
}

// ErrPosition is the error of an invalid position.
var ErrPosition = errors.New("not a position of the form <epoch>-<seq>, such as 9f3c1a-482913")

// ParsePosition parses the canonical form that String returns: the epoch in lower-case hexadecimal, a dash and the seq in
// decimal, neither with leading zeros. Any other text is an error that wraps ErrPosition.
func ParsePosition(s string) (Position, error) {
	if len(s) > 16+1+20 {
		return Position{}, fmt.Errorf("%d bytes are too many: %w", len(s), ErrPosition)
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
	// Signs, upper case, underscores and leading zeros fail here: a position has one text only.
	if epoch == 0 || p.String() != s {
		return Position{}, ErrPosition
	}
	return p, nil
}

// String returns "<epoch>-<seq>".
func (p Position) String() string { return string(p.AppendTo(nil)) }

// AppendTo appends the text that String returns.
func (p Position) AppendTo(b []byte) []byte {
	b = strconv.AppendUint(b, p.Epoch, 16)
	b = append(b, '-')
	return AppendDecimal(b, p.Seq)
}
