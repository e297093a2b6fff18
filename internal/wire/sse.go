package wire

import "strconv"

// appendEvent appends one event. JSON text has no raw line break, and names and ids are our own, so no field
// can end early. payload is the JSON text's size.
func appendEvent(b []byte, m Message) (framed []byte, payload int) {
	if m.Retry > 0 {
		b = append(b, "retry: "...)
		b = strconv.AppendInt(b, m.Retry.Milliseconds(), 10)
		b = append(b, '\n')
	}
	b = append(b, "event: "...)
	b = append(b, m.Name...)
	if m.ID != "" {
		b = append(b, "\nid: "...)
		b = append(b, m.ID...)
	}
	b = append(b, "\ndata: "...)
	at := len(b)
	b = m.appendJSON(b)
	payload = len(b) - at
	return append(b, '\n', '\n'), payload
}
