package client

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Message is a message other than a tick, not yet parsed: JSON text, or the body of a protobuf message of one kind. It is
// valid only while its Handler runs.
type Message struct {
	kind int // of a protobuf message; jsonText for JSON
	body []byte
}

const jsonText = -1

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
