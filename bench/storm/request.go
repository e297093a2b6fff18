package storm

import (
	"bytes"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"ticklane/internal/wire"
)

// Target is a server and what its clients ask for.
type Target struct {
	Port     int
	Lane     wire.Lane
	Path     string // with the query
	Compress bool   // offer gzip, or permessage-deflate with context takeover
	Resume   bool   // send positions
}

// The key of every handshake is the example of RFC 6455 §1.3.
const (
	key       = "dGhlIHNhbXBsZSBub25jZQ=="
	acceptKey = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

// request returns the head of a request that resumes from a position, if there is one.
func (t *Target) request(position []byte) []byte {
	path := t.Path
	from := string(position)
	if !t.Resume {
		from = ""
	}
	if from != "" && t.Lane == wire.WS {
		sep := "?"
		if strings.Contains(path, "?") {
			sep = "&"
		}
		path += sep + "from=" + url.QueryEscape(from)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n", path, t.Port)
	if t.Lane == wire.WS {
		b.WriteString("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + "\r\n")
		if t.Compress {
			b.WriteString("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n")
		}
	} else {
		b.WriteString("Accept: text/event-stream\r\n")
		if t.Compress {
			b.WriteString("Accept-Encoding: gzip\r\n")
		}
		if from != "" {
			b.WriteString("Last-Event-ID: " + from + "\r\n")
		}
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

// response is what a client needs of the head of a response.
type response struct {
	status      int
	chunked     bool
	compressed  bool
	independent bool // WebSocket: each message is compressed by itself
	accepted    bool // WebSocket: the answer to the key
	retryAfter  time.Duration
}

// parseResponse parses the head of a response without its last blank line.
func parseResponse(head []byte) (r response, ok bool) {
	line, rest, _ := bytes.Cut(head, []byte("\r\n"))
	fields := bytes.SplitN(line, []byte{' '}, 3)
	if len(fields) < 2 || !bytes.HasPrefix(line, []byte("HTTP/1.")) {
		return r, false
	}
	status, err := strconv.Atoi(string(fields[1]))
	if err != nil {
		return r, false
	}
	r.status = status
	for len(rest) > 0 {
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		name, value, _ := bytes.Cut(line, []byte{':'})
		v := string(bytes.TrimSpace(value))
		switch strings.ToLower(string(name)) {
		case "transfer-encoding":
			r.chunked = strings.EqualFold(v, "chunked")
		case "content-encoding":
			r.compressed = v == "gzip"
		case "sec-websocket-extensions":
			r.compressed = strings.HasPrefix(v, "permessage-deflate")
			r.independent = strings.Contains(v, "server_no_context_takeover")
		case "sec-websocket-accept":
			r.accepted = v == acceptKey
		case "retry-after":
			if seconds, err := strconv.Atoi(v); err == nil && seconds >= 0 {
				r.retryAfter = time.Duration(seconds) * time.Second
			}
		}
	}
	return r, true
}
