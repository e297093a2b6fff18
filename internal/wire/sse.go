package wire

import "strconv"

// appendEvent appends one event. JSON text has no raw line break, and names and ids are our own, so no field
// can end early.
func appendEvent(b []byte, m Message) []byte {
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
	b = append(b, m.JSON...)
	return append(b, '\n', '\n')
}
