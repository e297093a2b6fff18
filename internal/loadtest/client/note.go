package client

import (
	"errors"
	"fmt"
)

// ErrMalformed is a message that breaks the protocol.
var ErrMalformed = errors.New("the message violates the protocol")

func malformed(what string) error { return fmt.Errorf("%s: %w", what, ErrMalformed) }

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
	Heartbeat int64    `json:"hb"`       // ms
	Snapshot  bool     `json:"snapshot"` // one follows, which has the first position
	Delay     int64    `json:"delay"`    // ms behind the feed
	Narrowed  bool     `json:"narrowed"` // "*" is less than all symbols
}

// note is a message other than a tick or a snapshot.
type note struct {
	T      string `json:"T"`
	Time   int64  `json:"t"` // named, so that "t" is not taken for "T"
	To     uint64 `json:"to"`
	Head   uint64 `json:"head"`
	Reason string `json:"reason"`
	// Snapshot reports that one follows a gap or a subscription, which has the next position.
	Snapshot bool `json:"snapshot"`

	hello Hello // if T is "hello"
}
