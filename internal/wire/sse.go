package wire

import "strconv"

// EndID is the SSE id of a finished stream's bye. A request with it as Last-Event-ID gets 204, after which browsers stop
// reconnecting.
const EndID = "end"

// appendEvent appends a message as one event; payload is the size of its JSON. The id line is the last, so that a client that
// takes the id as soon as it has read the line has the data too. JSON text contains no raw line break, and names and ids come
// from this package, so no field can end early.
func appendEvent(b []byte, m Message) (framed []byte, payload int) {
	if m.Retry > 0 {
		b = append(b, "retry: "...)
		b = strconv.AppendInt(b, m.Retry.Milliseconds(), 10)
		b = append(b, '\n')
	}
	b = append(b, "event: "...)
	b = append(b, m.Name...)
	b = append(b, "\ndata: "...)
	at := len(b)
	b = m.appendJSON(b)
	payload = len(b) - at
	if m.ID != "" {
		b = append(b, "\nid: "...)
		b = append(b, m.ID...)
	}
	return append(b, '\n', '\n'), payload
}
