package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// ErrMalformed is a message that breaks the protocol.
var ErrMalformed = errors.New("the message violates the protocol")

func malformed(what string) error { return fmt.Errorf("%s: %w", what, ErrMalformed) }

// Message is a message other than a tick, not yet parsed: JSON text, or the body of a protobuf message of one kind. It is
// valid only while its Handler runs.
type Message struct {
	kind int // of a protobuf message; jsonText for JSON
	body []byte
}

const jsonText = -1

// Hello is what a client uses of the first message of a stream.
type Hello struct {
	Lane      string   `json:"lane"`
	Engine    string   `json:"engine"`
	Epoch     string   `json:"epoch"`
	Head      uint64   `json:"head"`
	Oldest    uint64   `json:"oldest"`
	Resume    string   `json:"resume"`
	Mode      string   `json:"mode"`
	Topics    []string `json:"topics"`
	Heartbeat int64    `json:"hb"` // ms
}

// note is a message other than a tick or a snapshot.
type note struct {
	T      string `json:"T"`
	Time   int64  `json:"t"` // named, so that "t" is not taken for "T"
	From   uint64 `json:"from"`
	To     uint64 `json:"to"`
	Missed uint64 `json:"missed"`
	Head   uint64 `json:"head"`
	Reason string `json:"reason"`
	Retry  int64  `json:"retry"` // ms
	Code   string `json:"code"`
	Msg    string `json:"msg"`

	hello Hello // if T is "hello"
}

// Hello returns the message as a hello. ok is false for any other message, or a malformed one.
func (m Message) Hello() (h Hello, ok bool) {
	if m.isSnapshot() {
		return Hello{}, false
	}
	n, err := m.note()
	return n.hello, err == nil && n.T == "hello"
}

func (m Message) isSnapshot() bool {
	return m.kind == kindSnapshot || m.kind == jsonText && bytes.HasPrefix(m.body, snapshotPrefix)
}

// snapshot calls each for every quote of a snapshot and returns the seq at which it is valid.
func (m Message) snapshot(each func(*Tick)) (seq uint64, ok bool) {
	if m.kind == jsonText {
		return parseSnapshot(m.body, each)
	}
	return parseProtoSnapshot(m.body, each)
}

func (m Message) note() (n note, err error) {
	if m.kind != jsonText {
		return parseProtoNote(m.kind, m.body)
	}
	if err := json.Unmarshal(m.body, &n); err != nil {
		return n, fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	if n.T == "hello" && json.Unmarshal(m.body, &n.hello) != nil {
		return n, malformed("hello")
	}
	return n, nil
}
