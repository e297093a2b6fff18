package natsbus

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"ticklane/internal/quote/batch"
)

// Headers of a message.
const (
	headerEpoch  = "Epoch"      // of the positions, hexadecimal
	headerTerm   = "Term"       // of the writer
	headerBegins = "Term-First" // number of the first tick of the term
	headerOpens  = "Term-Batch" // number of the first batch of the term
	headerBatch  = "Batch"      // number of the batch
	headerFirst  = "First"      // number of its first tick
	headerCount  = "Count"      // how many ticks it has, which may be 0
	headerWriter = "Writer"     // name of the node, in the message that begins a term, which has no batch
)

// errHeader is wrapped by the error of a message that this program hasn't published.
var errHeader = errors.New("invalid header")

// message is a message of the stream, without its batch. Batches are numbered in the epoch, as ticks are: some have no ticks.
type message struct {
	epoch  uint64
	term   uint64
	begins uint64 // number of the first tick of the term
	opens  uint64 // number of the first batch of the term
	batch  uint64 // number of the batch; of the next one if this begins a term
	first  uint64 // number of the first tick; of the next one if there are none
	count  int
	writer string // of the term that this begins; empty in a message with a batch

	sequence uint64    // in the stream
	stored   time.Time // by the server
}

// last returns the number of the last tick of the batch, or of the one before if it has none.
func (m *message) last() uint64 { return m.first + uint64(m.count) - 1 }

// lastBatch returns the number of the batch, or of the one before if this begins a term.
func (m *message) lastBatch() uint64 {
	if m.writer != "" {
		return m.batch - 1
	}
	return m.batch
}

// id identifies the message among all of the stream. The server stores it once within the duplicate window.
func (m *message) id() string {
	term := strconv.FormatUint(m.epoch, 16) + "-" + strconv.FormatUint(m.term, 10)
	if m.writer != "" {
		return term
	}
	return term + "-" + strconv.FormatUint(m.batch, 10)
}

// header returns the headers of the message.
func (m *message) header() nats.Header {
	h := nats.Header{
		headerEpoch:  {strconv.FormatUint(m.epoch, 16)},
		headerTerm:   {strconv.FormatUint(m.term, 10)},
		headerBegins: {strconv.FormatUint(m.begins, 10)},
		headerOpens:  {strconv.FormatUint(m.opens, 10)},
		headerBatch:  {strconv.FormatUint(m.batch, 10)},
		headerFirst:  {strconv.FormatUint(m.first, 10)},
		headerCount:  {strconv.Itoa(m.count)},
	}
	if m.writer != "" {
		h[headerWriter] = []string{m.writer}
	}
	return h
}

// parseMessage returns a message by its headers. The error names the invalid one.
func parseMessage(h nats.Header, sequence uint64, stored time.Time) (message, error) {
	m := message{writer: h.Get(headerWriter), sequence: sequence, stored: stored}
	var count uint64
	for _, f := range [...]struct {
		name string
		base int
		min  uint64
		to   *uint64
	}{
		{headerEpoch, 16, 1, &m.epoch}, {headerTerm, 10, 1, &m.term}, {headerBegins, 10, 1, &m.begins}, {headerOpens, 10, 1, &m.opens},
		{headerBatch, 10, 1, &m.batch}, {headerFirst, 10, 1, &m.first}, {headerCount, 10, 0, &count},
	} {
		v, err := strconv.ParseUint(h.Get(f.name), f.base, 63)
		if err != nil || v < f.min {
			return m, fmt.Errorf("message %d: %w: %s: %q", sequence, errHeader, f.name, h.Get(f.name))
		}
		*f.to = v
	}
	if count > batch.MaxTicks {
		return m, fmt.Errorf("message %d: %w: %s: %d is more than %d", sequence, errHeader, headerCount, count, batch.MaxTicks)
	}
	m.count = int(count)
	return m, nil
}
