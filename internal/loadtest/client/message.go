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
	id   []byte // the stream's last event id, which the message may have set; SSE only
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

// snapshotHead is what a message of a snapshot has besides its quotes.
type snapshotHead struct {
	seq         uint64 // at which the snapshot is valid
	part, parts uint64 // part of so many messages, from 1; both 0 in a snapshot of one message
}

// follows reports whether h may come after before, the newest part of an incomplete snapshot, or zero if there is none. Part
// 1 always may: it begins another snapshot.
func (h snapshotHead) follows(before snapshotHead) bool {
	if h.parts <= 1 || h.part == 1 {
		return h.part <= h.parts
	}
	return h == snapshotHead{before.seq, before.part + 1, before.parts}
}

// snapshot calls each for every quote of a snapshot's message and returns the other members.
func (m Message) snapshot(each func(*Tick)) (head snapshotHead, ok bool) {
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
