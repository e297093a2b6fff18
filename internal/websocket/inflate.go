package websocket

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"slices"
	"sync"
)

var (
	errTooBig  = errors.New("a message inflates to more than limits.message_size")
	errDeflate = errors.New("a message can't be inflated")
)

var inflaters = sync.Pool{New: func() any { return flate.NewReader(nil) }}

const (
	// messageTail is what a sender leaves out at the end of a message (RFC 7692 §7.2.2), and an empty final block.
	messageTail = "\x00\x00\xff\xff\x01\x00\x00\xff\xff"
	// maxFinalBlocks bounds the final blocks in a message. Each costs a copy of the text before it, so a message of
	// nothing else would take more than a second of processor time.
	maxFinalBlocks = 128
)

// inflate returns the text of a message that was compressed independently, at most limit bytes.
func inflate(compressed []byte, limit int) ([]byte, error) {
	r := inflaters.Get().(io.ReadCloser)
	defer inflaters.Put(r)
	src := bytes.NewReader(append(slices.Clone(compressed), messageTail...))
	var text []byte
	// More blocks may follow a final block, from the next byte on (RFC 7692 §7.2.3.4).
	for range maxFinalBlocks {
		if err := r.(flate.Resetter).Reset(src, text); err != nil {
			return nil, errDeflate
		}
		more, err := io.ReadAll(io.LimitReader(r, int64(limit-len(text))+1))
		text = append(text, more...)
		switch {
		case len(text) > limit:
			return nil, errTooBig
		case err != nil:
			return nil, errDeflate
		case src.Len() <= len(messageTail):
			return text, nil
		}
	}
	return nil, errDeflate
}
