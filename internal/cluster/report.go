// Package cluster keeps the list of the nodes that share a stream. Each node publishes a report of itself every second on core NATS,
// and keeps the reports of the others. Nothing is stored: the list of a node begins with its start.
package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// Roles of a node.
const (
	RoleWriter  = "writer"
	RoleStandby = "standby" // it may write, but another node does
	RoleReader  = "reader"
	RoleSingle  = "single" // with bus.kind memory, which has one node
)

// Reasons why a node isn't ready.
const (
	ReasonReading  = "reading"  // it reads the log from the stream
	ReasonStopping = "stopping" // it ends, or doesn't serve yet
)

// Report is what a node reports about itself. Times are µs since 1970, durations µs.
type Report struct {
	Name      string  `json:"name"` // bus.node
	Version   string  `json:"version"`
	Address   string  `json:"address"` // on which it listens
	Role      string  `json:"role"`
	Ready     bool    `json:"ready"`
	Reason    string  `json:"reason"` // why it isn't ready
	Started   int64   `json:"started"`
	Epoch     string  `json:"epoch"`
	Term      uint64  `json:"term"`   // of the newest message that it has read
	Head      uint64  `json:"head"`   // number of its newest tick
	Lag       uint64  `json:"lag"`    // messages in the stream that it had not read at its newest check
	Behind    uint64  `json:"behind"` // ticks behind the largest head that another node of its epoch reported within the last second
	SSE       int     `json:"sse"`    // open streams
	WS        int     `json:"ws"`
	Ticks     float64 `json:"ticks"` // sent to clients per second
	Bytes     float64 `json:"bytes"`
	Read      Latency `json:"read"` // from the server's store to this node
	Ack       Latency `json:"ack"`  // from publishing to the acknowledgement; of the writer
	Server    string  `json:"server"`
	Connected bool    `json:"connected"` // to the server
	Stale     int64   `json:"stale"`     // since when it may not have the newest ticks; 0 if it has
	Error     string  `json:"error"`     // what fails
}

// Latency has quantiles of durations in µs.
type Latency struct {
	P50 int64 `json:"p50"`
	P99 int64 `json:"p99"`
}

// message is a report as it is published.
type message struct {
	Format  int    `json:"v"`
	ID      string `json:"id"` // of one start of a node
	Leaving bool   `json:"leaving,omitempty"`
	Report
	Settings map[string]string `json:"settings,omitempty"` // values by names: see Setting
}

// format is the version of the messages. A new member needs no new version: nodes ignore those that they don't know.
const format = 1

const (
	maxMessage = 8 << 10 // bytes
	maxText    = 256     // bytes of a text
)

// errFormat is the error of a message of another version.
var errFormat = errors.New("another version of the report")

// encode encodes a message. Texts that are too long are cut.
func (m *message) encode() []byte {
	cut := *m
	for _, text := range cut.texts() {
		*text = clean(*text)
	}
	data, err := json.Marshal(&cut)
	if err != nil {
		panic(err) // the rates are finite
	}
	return data
}

// parse decodes a message of another node.
func parse(data []byte) (*message, error) {
	if len(data) > maxMessage {
		return nil, fmt.Errorf("%d bytes: at most %d are read", len(data), maxMessage)
	}
	var head struct {
		Format int `json:"v"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, err
	}
	if head.Format != format {
		return nil, fmt.Errorf("%w: v is %d, want %d", errFormat, head.Format, format)
	}
	var m message
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, err
	}
	if m.ID == "" || m.Name == "" {
		return nil, errors.New("id or name is missing")
	}
	for _, text := range m.texts() {
		if len(*text) > maxText || *text != clean(*text) {
			return nil, fmt.Errorf("text %.40q: want at most %d bytes of printable UTF-8", *text, maxText)
		}
	}
	if err := validSettings(m.Settings); err != nil {
		return nil, err
	}
	switch m.Role {
	case RoleWriter, RoleStandby, RoleReader:
	default:
		return nil, fmt.Errorf("role %.40q: want writer, standby or reader", m.Role)
	}
	for _, n := range []int64{m.Started, int64(m.SSE), int64(m.WS), m.Read.P50, m.Read.P99, m.Ack.P50, m.Ack.P99, m.Stale} {
		if n < 0 || n > maxNumber {
			return nil, fmt.Errorf("number %d: want 0 to 2^53", n)
		}
	}
	if max(m.Term, m.Head, m.Lag, m.Behind) > maxNumber || min(m.Ticks, m.Bytes) < 0 || max(m.Ticks, m.Bytes) > maxNumber {
		return nil, errors.New("a number isn't in 0 to 2^53")
	}
	return &m, nil
}

// maxNumber is the largest number of a report: JavaScript represents integers up to it exactly.
const maxNumber = 1 << 53

func (m *message) texts() []*string {
	return []*string{&m.ID, &m.Name, &m.Version, &m.Address, &m.Role, &m.Reason, &m.Epoch, &m.Server, &m.Error}
}

// clean cuts a text to maxText bytes and replaces what isn't printable by spaces.
func clean(text string) string {
	out := make([]byte, 0, min(len(text), maxText))
	for _, r := range text {
		if !unicode.IsPrint(r) {
			r = ' '
		}
		if len(out)+utf8.RuneLen(r) > maxText {
			break
		}
		out = utf8.AppendRune(out, r)
	}
	return string(out)
}
