// Package wiretest decodes protobuf messages for tests, by the published schema and the protobuf library and so
// independently of wire's encoder, and converts them to JSON: one test can read both encodings.
package wiretest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

// Schema returns the descriptor of Message in docs/ticklane.v1.proto.
var Schema = sync.OnceValues(func() (protoreflect.MessageDescriptor, error) {
	_, here, _, ok := runtime.Caller(0)
	if !ok {
		return nil, errors.New("find the schema: the path of this source file is unknown")
	}
	c := protocompile.Compiler{Resolver: &protocompile.SourceResolver{ImportPaths: []string{filepath.Join(filepath.Dir(here), "../../../docs")}}}
	files, err := c.Compile(context.Background(), "ticklane.v1.proto")
	if err != nil {
		return nil, err
	}
	return files[0].Messages().ByName("Message"), nil
})

// Scale is how many decimals the prices and sizes of an instrument have. A snapshot contains those of its instruments.
type Scale struct{ Price, Size int }

// defaultScale is that of an instrument in a snapshot that has none.
var defaultScale = Scale{Price: 2}

// Text returns the JSON encoding of a message, with the same bytes as the JSON subprotocol. A tick has the default scale. A field
// that the schema doesn't have is an error.
func Text(b []byte) (string, error) {
	if s, ok := cache.Load(string(b)); ok {
		return s.(string), nil
	}
	s, err := TextAt(b, defaultScale)
	if err == nil && len(b) < 128 {
		cache.Store(string(b), s)
	}
	return s, err
}

// cache holds the text of short messages: many clients of a test read the same ticks, and reflection is slow.
var cache sync.Map

// TextAt is like Text for the tick of an instrument with this scale.
func TextAt(b []byte, scale Scale) (string, error) {
	m, err := decode(b)
	if err != nil {
		return "", err
	}
	kind := m.WhichOneof(m.Descriptor().Oneofs().ByName("kind"))
	if kind == nil || len(m.GetUnknown()) > 0 {
		return "", fmt.Errorf("message of an unknown kind: %x", b)
	}
	return string(object(nil, kind.JSONName(), m.Get(kind).Message(), false, scale)), nil
}

// Shortest returns an error unless a message has as few bytes as the library would write: no field twice, none that is 0,
// each number as short as possible. The order of fields doesn't matter.
func Shortest(b []byte) error {
	m, err := decode(b)
	if err != nil {
		return err
	}
	again, err := proto.MarshalOptions{Deterministic: true}.Marshal(m.Interface())
	if err == nil && len(again) != len(b) {
		err = fmt.Errorf("%x would be written as %x", b, again)
	}
	return err
}

func decode(b []byte) (protoreflect.Message, error) {
	schema, err := Schema()
	if err != nil {
		return nil, err
	}
	m := dynamicpb.NewMessage(schema)
	if err := proto.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("%w: %x", err, b)
	}
	return m, unknown(m, b)
}

// unknown returns an error for fields that the schema doesn't have, at any depth.
func unknown(m protoreflect.Message, b []byte) (err error) {
	if len(m.GetUnknown()) > 0 {
		return fmt.Errorf("%s has unknown fields %x in %x", m.Descriptor().Name(), m.GetUnknown(), b)
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Kind() != protoreflect.MessageKind:
		case f.IsList():
			for i := range v.List().Len() {
				err = errors.Join(err, unknown(v.List().Get(i).Message(), b))
			}
		default:
			err = errors.Join(err, unknown(v.Message(), b))
		}
		return err == nil
	})
	return err
}

// object appends a message as JSON: T, then its fields by number, each with its json_name. day reports whether a quote has
// the figures of its day. Of a quote, received follows time. Decimals are not part of the JSON.
func object(b []byte, name string, m protoreflect.Message, day bool, scale Scale) []byte {
	b = strconv.AppendQuote(append(b, `{"T":`...), name)
	fields := m.Descriptor().Fields()
	isQuote := m.Descriptor().Name() == "Quote"
	if isQuote && day {
		scale = scaleOf(m)
	}
	for i := range fields.Len() {
		f := fields.Get(i)
		if m.Descriptor().Name() == "Trade" && f.Number() > 11 { // the decimals
			continue
		}
		if (f.HasPresence() || isQuote && f.Number() >= 18) && !m.Has(f) || isQuote && (f.Number() > 14 && f.Number() < 18 || f.Number() > 10 && !day) {
			continue
		}
		if !m.Has(f) && (f.Kind() == protoreflect.BoolKind && f.Name() != "complete" || leftOut(m, f)) {
			continue
		}
		b = append(append(append(b, `,"`...), f.JSONName()...), `":`...)
		if f.IsList() {
			b = list(b, f, m.Get(f).List())
		} else {
			b = value(b, f, m, scale)
		}
		if received := fields.ByName("received"); isQuote && f.Name() == "time" && m.Has(received) {
			b = strconv.AppendInt(append(b, `,"r":`...), m.Get(f).Int()+m.Get(received).Int(), 10)
		}
	}
	return append(b, '}')
}

// leftOut reports whether JSON has no member for a number or text that is 0 or empty.
func leftOut(m protoreflect.Message, f protoreflect.FieldDescriptor) bool {
	switch m.Descriptor().Name() {
	case "Snapshot":
		return f.Name() == "part" || f.Name() == "parts"
	case "Hello":
		return f.Name() == "expires" || f.Name() == "delay"
	case "Auth":
		return f.Name() == "expires"
	case "Trade":
		return f.Kind() == protoreflect.StringKind
	case "Status":
		return f.Name() != "time"
	}
	return false
}

// scaleOf returns the scale in a quote or trade that has it.
func scaleOf(m protoreflect.Message) Scale {
	scale := defaultScale
	if f := m.Descriptor().Fields().ByName("decimals"); m.Has(f) {
		scale.Price = int(m.Get(f).Uint())
	}
	if f := m.Descriptor().Fields().ByName("size_decimals"); m.Has(f) {
		scale.Size = int(m.Get(f).Uint())
	}
	return scale
}

func list(b []byte, f protoreflect.FieldDescriptor, l protoreflect.List) []byte {
	b = append(b, '[')
	for i := range l.Len() {
		if i > 0 {
			b = append(b, ',')
		}
		if f.Kind() == protoreflect.MessageKind {
			b = object(b, "q", l.Get(i).Message(), true, defaultScale)
		} else {
			b = text(b, l.Get(i).String())
		}
	}
	return append(b, ']')
}

func value(b []byte, f protoreflect.FieldDescriptor, m protoreflect.Message, scale Scale) []byte {
	v := m.Get(f)
	switch {
	case f.Kind() == protoreflect.Sint64Kind: // a price relative to the bid
		return units(b, m.Get(m.Descriptor().Fields().ByName("bid")).Int()+v.Int(), scale.Price)
	case f.Name() == "bid" || f.Name() == "price" || m.Descriptor().Name() == "Bar" && f.Number() >= 4 && f.Number() <= 7:
		return units(b, v.Int(), scale.Price)
	case f.Name() == "size" || f.Name() == "bid_size" || f.Name() == "ask_size" || f.Name() == "volume":
		return units(b, v.Int(), scale.Size)
	case f.Kind() == protoreflect.StringKind:
		return text(b, v.String())
	case f.Kind() == protoreflect.Uint64Kind:
		return strconv.AppendUint(b, v.Uint(), 10)
	case f.Kind() == protoreflect.BoolKind:
		return strconv.AppendBool(b, v.Bool())
	}
	return strconv.AppendInt(b, v.Int(), 10)
}

// units appends a number of units of 10^-decimals.
func units(b []byte, v int64, decimals int) []byte {
	n := uint64(v)
	if v < 0 {
		b, n = append(b, '-'), -n
	}
	digits := fmt.Sprintf("%0*d", decimals+1, n)
	point := len(digits) - decimals
	b = append(b, digits[:point]...)
	if decimals > 0 {
		b = append(append(b, '.'), digits[point:]...)
	}
	return b
}

func text(b []byte, s string) []byte {
	j, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return append(b, j...)
}
