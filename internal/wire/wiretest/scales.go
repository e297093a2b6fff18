package wiretest

import (
	"fmt"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Scales are the decimals of instruments by symbol, as a client learns them: from the quotes of snapshots, and from the first tick of a
// symbol and its trade.
type Scales map[string]Scale

// Text is like the function Text for the next message of a stream.
func (s Scales) Text(b []byte) (string, error) {
	m, err := decode(b)
	if err != nil {
		return "", err
	}
	kind := m.WhichOneof(m.Descriptor().Oneofs().ByName("kind"))
	if kind == nil {
		return "", fmt.Errorf("message of an unknown kind: %x", b)
	}
	body := m.Get(kind).Message()
	fields := body.Descriptor().Fields()
	if quotes := fields.ByName("quotes"); quotes != nil {
		for i := range body.Get(quotes).List().Len() {
			s.learn(body.Get(quotes).List().Get(i).Message())
		}
	}
	scale := defaultScale
	if symbol := fields.ByName("symbol"); symbol != nil && kind.Name() != "status" {
		if n := fields.ByName("n"); n != nil && body.Get(n).Uint() == 1 {
			s.learn(body)
		}
		var known bool
		if scale, known = s[body.Get(symbol).String()]; !known {
			return "", fmt.Errorf("the decimals of %s aren't known: %x", body.Get(symbol).String(), b)
		}
	}
	return string(object(nil, kind.JSONName(), body, false, scale)), nil
}

// learn takes the decimals of a quote or trade.
func (s Scales) learn(m protoreflect.Message) {
	s[m.Get(m.Descriptor().Fields().ByName("symbol")).String()] = scaleOf(m)
}
