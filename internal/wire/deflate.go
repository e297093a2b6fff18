package wire

import (
	"compress/flate"
	"encoding/binary"
	"runtime"
	"slices"
	"sync"
)

// A client inflates everything compressed that it receives as one stream (RFC 1951; in gzip, RFC 1952, on SSE and in
// permessage-deflate, RFC 7692, on WebSocket), with a window of the last 32 KiB of its text. The functions here end their
// output byte-aligned with a sync flush, so output of different origin may follow each other: independent output after
// anything, the output of a Deflater only after everything else that it wrote since its Reset.

// deflateLevel is the standard encoder's level. Levels below 5 find few matches across small flushed writes.
const deflateLevel = 6

// syncTail ends a sync flush. permessage-deflate removes it from each message (RFC 7692 §7.2.1).
var syncTail = [4]byte{0, 0, 0xff, 0xff}

// Deflater compresses text in one context. It uses about a megabyte and is not safe for concurrent use.
type Deflater struct {
	w   *flate.Writer
	out appender
}

type appender struct{ b []byte }

func (a *appender) Write(p []byte) (int, error) {
	a.b = append(a.b, p...)
	return len(p), nil
}

var deflaters = sync.Pool{New: func() any {
	d := new(Deflater)
	d.w, _ = flate.NewWriter(&d.out, deflateLevel) // fails only for an unknown level
	return d
}}

// NewDeflater returns a Deflater with an empty window. The caller must Free it.
func NewDeflater() *Deflater {
	d := deflaters.Get().(*Deflater)
	d.Reset()
	return d
}

// Free makes the Deflater's memory available to later calls of NewDeflater. The Deflater must not be used afterwards.
func (d *Deflater) Free() { deflaters.Put(d) }

// Reset empties the window: the output that follows refers to nothing before it.
func (d *Deflater) Reset() { d.w.Reset(&d.out) }

// AppendText appends text, compressed and flushed.
func (d *Deflater) AppendText(b, text []byte) []byte {
	d.out.b = b
	_, _ = d.w.Write(text) // an appender never fails
	_ = d.w.Flush()
	b, d.out.b = d.out.b, nil
	return b
}

// AppendFrames appends each of frames, which are final and unmasked, with its payload compressed.
func (d *Deflater) AppendFrames(b, frames []byte) []byte {
	for len(frames) > 0 {
		op, payload, rest := cutFrame(frames)
		b = d.appendFrame(b, op, payload)
		frames = rest
	}
	return b
}

// headerSpace is reserved for the header of a compressed frame, enough for less than 64 KiB of payload.
const headerSpace = 4

func (d *Deflater) appendFrame(b []byte, op byte, payload []byte) []byte {
	at := len(b)
	b = d.AppendText(append(b, make([]byte, headerSpace)...), payload)
	size := len(b) - len(syncTail) - (at + headerSpace)
	var header [maxFrameHeader]byte
	h := AppendFrameHeader(header[:0], op|RSV1, size)
	b = slices.Insert(b, at, header[:max(0, len(h)-headerSpace)]...)
	compressed := b[len(b)-len(syncTail)-size : len(b)-len(syncTail)]
	n := at + copy(b[at:], h)
	n += copy(b[n:], compressed)
	return b[:n]
}

// deflateSlots limits the independent encoders in use to one for each processor, since more would use memory without being
// faster.
var deflateSlots = make(chan struct{}, runtime.GOMAXPROCS(0))

// acquireDeflater waits for a slot. The caller must release the Deflater.
func acquireDeflater() *Deflater {
	deflateSlots <- struct{}{}
	return NewDeflater()
}

func (d *Deflater) release() {
	d.Free()
	<-deflateSlots
}

// AppendIndependent appends text so that it refers to nothing before it: compressed, or stored if that is shorter.
func AppendIndependent(b, text []byte) []byte {
	d := acquireDeflater()
	defer d.release()
	at := len(b)
	if b = d.AppendText(b, text); len(b)-at > storedSize(len(text)) {
		b = AppendStored(b[:at], text)
	}
	return b
}

// AppendIndependentFrames appends frames, compressed, that refer to nothing before them; if perMessage
// (server_no_context_takeover), they don't refer to each other either. Then a frame that compression doesn't shorten is
// appended unchanged. Such a frame doesn't enter the client's window, so later output may not refer to it.
func AppendIndependentFrames(b, frames []byte, perMessage bool) []byte {
	d := acquireDeflater()
	defer d.release()
	if !perMessage {
		return d.AppendFrames(b, frames)
	}
	for len(frames) > 0 {
		op, payload, rest := cutFrame(frames)
		frame := frames[:len(frames)-len(rest)]
		at := len(b)
		d.Reset()
		if b = d.appendFrame(b, op, payload); len(b)-at >= len(frame) {
			b = append(b[:at], frame...)
		}
		frames = rest
	}
	return b
}

const (
	storedHeader = 5 // bytes before each stored block
	maxStored    = 1<<16 - 1
)

// storedSize returns the size of n bytes of text as AppendStored writes them.
func storedSize(n int) int { return n + storedHeader*((n+maxStored-1)/maxStored+1) }

// AppendStored appends text as stored blocks, which need no compression (RFC 1951 §3.2.4). The last block is empty, as in
// a sync flush: some decoders, Go's among them, deliver nothing at the end of a full block.
func AppendStored(b, text []byte) []byte {
	for len(text) > 0 {
		n := min(len(text), maxStored)
		b = binary.LittleEndian.AppendUint16(append(b, 0), uint16(n))
		b = binary.LittleEndian.AppendUint16(b, ^uint16(n))
		b = append(b, text[:n]...)
		text = text[n:]
	}
	return append(append(b, 0), syncTail[:]...)
}

// AppendGzipHeader appends the header of a gzip stream (RFC 1952 §2.3) without name and time, of an unknown system.
func AppendGzipHeader(b []byte) []byte {
	return append(b, 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255)
}

// AppendGzipEnd appends the end of a gzip stream: an empty final block, the CRC-32 of the text and its size modulo 2³².
func AppendGzipEnd(b []byte, crc, size uint32) []byte {
	b = append(b, 3, 0)
	b = binary.LittleEndian.AppendUint32(b, crc)
	return binary.LittleEndian.AppendUint32(b, size)
}
