package client

import (
	"errors"
	"fmt"
	"maps"
	"net/url"

	"ticklane/internal/wire"
)

// Encodings of messages.
const (
	JSON     = "json"
	Protobuf = "protobuf" // WebSocket only
)

// Compressions, as the protocol names them.
const (
	Uncompressed      = "none"
	Gzip              = "gzip"
	PerMessageDeflate = "permessage-deflate"
)

// Request is the stream that a client asks for.
type Request struct {
	Lane     wire.Lane
	Engine   string // that the hello must report; empty: any
	Encoding string
	Compress bool // offer compression, and fail if the server doesn't use it
	Query    url.Values
}

// Compression returns the compression that the server must use.
func (r *Request) Compression() string {
	switch {
	case !r.Compress:
		return Uncompressed
	case r.Lane == wire.SSE:
		return Gzip
	}
	return PerMessageDeflate
}

// Path returns the path and query of the request. from is a position to resume from, empty for none; SSE sends it as a
// header instead.
func (r *Request) Path(from string) string {
	q := r.Query
	if from != "" && r.Lane == wire.WS {
		q = maps.Clone(q)
		q.Set("from", from)
	}
	return "/" + r.Lane.String() + "/subscribe?" + q.Encode()
}

func (r *Request) subprotocol() string { return "ticklane.v1." + r.Encoding }

// verify checks that the server's stream is the one that was asked for.
func (r *Request) verify(h Hello) error {
	if h.Lane != r.Lane.String() {
		return fmt.Errorf("asked for lane %s, got %q", r.Lane, h.Lane)
	}
	if r.Engine != "" && h.Engine != r.Engine {
		return fmt.Errorf("--engine: asked for %s, but the server uses engine %s", r.Engine, h.Engine)
	}
	if mode := r.Query.Get("mode"); h.Mode != mode {
		return fmt.Errorf("--mode: asked for %s, got %q", mode, h.Mode)
	}
	switch {
	case h.Narrowed:
		return errors.New(`--token-file: the token may not read all symbols, so "*" shows no lost ticks; choose --topics that it may read`)
	case h.Delay > 0:
		return errors.New("--token-file: the token's access is delayed, so latency has no meaning; use one without delay")
	}
	return nil
}
