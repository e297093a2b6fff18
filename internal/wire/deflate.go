package wire

import (
	"compress/flate"
	"encoding/binary"
	"runtime"
	"slices"
	"sync"
)

// A client inflates all that it gets compressed as one stream (RFC 1951, by RFC 1952 on SSE and RFC 7692 on WebSocket),
// and keeps the last 32 KiB of its text. What is packed here ends byte-aligned in a sync flush, so pieces of different
// origin can follow each other: independent ones after anything, others only after exactly what their Deflater packed
// since its Reset.

// deflateLevel: below 5 the standard encoder hardly matches across small flushed writes.
const deflateLevel = 6

// rsv1 marks a packed message in a frame's first byte (RFC 7692 §6).
const rsv1 = 0x40

// Deflater packs text in one context. It holds about a megabyte.
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
	d.w, _ = flate.NewWriter(&d.out, deflateLevel) // fails of an unknown level only
	return d
}}

// NewDeflater returns one that has packed nothing yet. Free gives it back.
func NewDeflater() *Deflater {
	d := deflaters.Get().(*Deflater)
	d.Reset()
	return d
}

// Free gives the Deflater's memory to the next that needs one.
func (d *Deflater) Free() { deflaters.Put(d) }

// Reset forgets what was packed: the next bytes refer to nothing before them.
func (d *Deflater) Reset() { d.w.Reset(&d.out) }

// AppendText appends text as one piece.
func (d *Deflater) AppendText(b, text []byte) []byte {
	d.out.b = b
	d.w.Write(text) // an appender doesn't fail
	d.w.Flush()
	b, d.out.b = d.out.b, nil
	return b
}

// AppendFrames appends final, unmasked frames with their messages packed, each a piece of its own.
func (d *Deflater) AppendFrames(b, frames []byte) []byte {
	for len(frames) > 0 {
		op, payload, rest := cutFrame(frames)
		b = d.appendFrame(b, op, payload)
		frames = rest
	}
	return b
}

// frameRoom is the longest header of a packed message: no tick takes more than two bytes of length.
const frameRoom = 4

func (d *Deflater) appendFrame(b []byte, op byte, payload []byte) []byte {
	at := len(b)
	b = d.AppendText(append(b, make([]byte, frameRoom)...), payload)
	size := len(b) - len(syncTail) - (at + frameRoom) // RFC 7692 §7.2.1
	var header [MaxFrameHeader]byte
	h := AppendFrameHeader(header[:0], op|rsv1, size)
	if len(h) > frameRoom { // a message of more than 64 KiB
		b = slices.Insert(b, at, header[:len(h)-frameRoom]...)
	}
	packed := b[len(b)-len(syncTail)-size : len(b)-len(syncTail)]
	n := at + copy(b[at:], h)
	n += copy(b[n:], packed)
	return b[:n]
}

var syncTail = [4]byte{0, 0, 0xff, 0xff}

// lone has a place for each processor. Texts that refer to nothing before them take one while they are packed, so that
// their Deflaters are few however many clients need one: a further one would be no faster than the wait.
var lone = make(chan struct{}, runtime.GOMAXPROCS(0))

func borrow() *Deflater {
	lone <- struct{}{}
	return NewDeflater()
}

func (d *Deflater) giveBack() {
	d.Free()
	<-lone
}

// AppendIndependent appends text so that it refers to nothing before it: packed, or as it is when that is shorter.
func AppendIndependent(b, text []byte) []byte {
	d := borrow()
	defer d.giveBack()
	at := len(b)
	if b = d.AppendText(b, text); len(b)-at > len(text)+storedRoom*(2+len(text)/maxStored) {
		b = AppendStored(b[:at], text)
	}
	return b
}

// AppendIndependentFrames appends frames that together refer to nothing before them; each alone when apart says so
// (server_no_context_takeover). A message that wouldn't be shorter goes as it is: then it doesn't enter the client's
// window, so only one that nothing refers to may.
func AppendIndependentFrames(b, frames []byte, apart bool) []byte {
	d := borrow()
	defer d.giveBack()
	if !apart {
		return d.AppendFrames(b, frames)
	}
	for len(frames) > 0 {
		op, payload, rest := cutFrame(frames)
		at := len(b)
		d.Reset()
		if b = d.appendFrame(b, op, payload); len(b)-at >= len(frames)-len(rest) {
			b = append(b[:at], frames[:len(frames)-len(rest)]...)
		}
		frames = rest
	}
	return b
}

const (
	storedRoom = 5 // of a stored block's header
	maxStored  = 1<<16 - 1
)

// AppendStored appends text as stored blocks, which cost no work (RFC 1951 §3.2.4). An empty one comes last, as in a sync
// flush: some readers, Go's among them, hand nothing on at the end of a full one.
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

// AppendGzipHeader begins a gzip stream (RFC 1952 §2.3): no name, no time, any system.
func AppendGzipHeader(b []byte) []byte {
	return append(b, 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255)
}

// AppendGzipEnd ends one: an empty last block, the text's CRC-32 and its size.
func AppendGzipEnd(b []byte, crc, size uint32) []byte {
	b = append(b, 3, 0)
	b = binary.LittleEndian.AppendUint32(b, crc)
	return binary.LittleEndian.AppendUint32(b, size)
}

// cutFrame takes the first of our own frames apart.
func cutFrame(b []byte) (op byte, payload, rest []byte) {
	n, at := int(b[1]), 2
	switch n {
	case 126:
		n, at = int(binary.BigEndian.Uint16(b[2:])), 4
	case 127:
		n, at = int(binary.BigEndian.Uint64(b[2:])), 10
	}
	return b[0] &^ finBit, b[at : at+n], b[at+n:]
}
