package loadtest

import (
	"bufio"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"ticklane/internal/wire"
)

// openTimeout is how long a connection may take up to its hello.
const openTimeout = 15 * time.Second

// path is the request's, with the place to resume from.
func (s *Side) path(from string) string {
	q := s.Query
	if from != "" && s.lane == wire.WS {
		q = url.Values{}
		for k, v := range s.Query {
			q[k] = v
		}
		q.Set("from", from)
	}
	return "/" + s.Lane + "/subscribe?" + q.Encode()
}

// handshake asks for the stream and returns what came behind the answer's head.
func (s *Side) handshake(nc net.Conn, t *target, from string) (rest []byte, b body, err error) {
	var ask strings.Builder
	fmt.Fprintf(&ask, "GET %s%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: ticklane-load\r\n", t.base, s.path(from), t.host)
	var key string
	if s.lane == wire.WS {
		key = newKey()
		ask.WriteString("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key +
			"\r\nSec-WebSocket-Protocol: " + s.subprotocol() + "\r\n")
		if s.Compress {
			ask.WriteString("Sec-WebSocket-Extensions: " + compressDeflate + "\r\n")
		}
		ask.WriteString("\r\n")
	} else {
		ask.WriteString("Accept: text/event-stream\r\nCache-Control: no-cache\r\n")
		if s.Compress {
			ask.WriteString("Accept-Encoding: gzip\r\n")
		}
		if from != "" {
			ask.WriteString("Last-Event-ID: " + from + "\r\n")
		}
		ask.WriteString("\r\n")
	}
	if _, err := io.WriteString(nc, ask.String()); err != nil {
		return nil, b, fmt.Errorf("send the request: %w", err)
	}
	r := bufio.NewReader(nc)
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		return nil, b, fmt.Errorf("read the answer to %s: %w", s.path(""), err)
	}
	b = body{chunked: slices.Contains(res.TransferEncoding, "chunked"), left: -1}
	if s.lane == wire.WS {
		b.packed, b.apart, err = s.upgraded(res, key)
	} else {
		b.packed, err = s.streaming(res)
	}
	if err != nil {
		return nil, b, err
	}
	rest, _ = r.Peek(r.Buffered())
	if s.lane == wire.SSE && !b.chunked {
		b.left = res.ContentLength
	}
	return rest, b, nil
}

// body is how an answer's end is told: by chunks, by a length (a refusal's), or by the connection's end.
type body struct {
	chunked bool
	left    int64 // bytes; −1 when not known
	packed  bool  // compressed
	apart   bool  // on WebSocket, each message for itself
}

// errNotPacked tells of a server that was offered compression and didn't take it: its figures would be a plain stream's.
var errNotPacked = errors.New("compression was offered, but the server answers without: is its stream.compress on, or its lab open?")

func (s *Side) subprotocol() string { return "ticklane.v1." + s.Encoding }

// streaming checks the head of an event stream, and tells whether it is compressed.
func (s *Side) streaming(res *http.Response) (packed bool, err error) {
	if res.StatusCode != http.StatusOK {
		return false, statusError(res)
	}
	if kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); kind != "text/event-stream" {
		return false, fmt.Errorf("the answer is %q, not text/event-stream: no Ticklane server, or something between that changes answers", kind)
	}
	switch enc := strings.ToLower(res.Header.Get("Content-Encoding")); {
	case enc == "gzip" && s.Compress:
		return true, nil
	case enc != "" && enc != "identity":
		return false, fmt.Errorf("the stream came with Content-Encoding %q although it was not asked for", enc)
	}
	if s.Compress && res.ContentLength < 0 { // a refusal has a length, and says why
		return false, errNotPacked
	}
	return false, nil
}

// upgraded checks the answer as RFC 6455 §4.1 asks of a client.
func (s *Side) upgraded(res *http.Response, key string) (packed, apart bool, err error) {
	if res.StatusCode != http.StatusSwitchingProtocols {
		return false, false, fmt.Errorf("the upgrade to WebSocket was refused: %w", statusError(res))
	}
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	switch {
	case !strings.EqualFold(res.Header.Get("Upgrade"), "websocket"):
		err = errors.New("the upgrade to WebSocket failed: the answer has no Upgrade: websocket (is a proxy between?)")
	case res.Header.Get("Sec-WebSocket-Accept") != base64.StdEncoding.EncodeToString(sum[:]):
		err = errors.New("the upgrade to WebSocket failed: Sec-WebSocket-Accept doesn't fit the key")
	case res.Header.Get("Sec-WebSocket-Protocol") != s.subprotocol():
		err = fmt.Errorf("the upgrade to WebSocket failed: subprotocol %q, not %s", res.Header.Get("Sec-WebSocket-Protocol"), s.subprotocol())
	default:
		packed, apart, err = s.extension(strings.Join(res.Header.Values("Sec-WebSocket-Extensions"), ","))
	}
	return packed, apart, err
}

// extension reads what the server agreed to of the one extension that may have been offered (RFC 7692 §7.1). Nothing is
// ever sent deflated, so what it says of our own messages doesn't matter.
func (s *Side) extension(answer string) (packed, apart bool, err error) {
	if answer == "" {
		if s.Compress {
			return false, false, errNotPacked
		}
		return false, false, nil
	}
	parts := strings.Split(answer, ";")
	if !s.Compress || strings.TrimSpace(parts[0]) != compressDeflate {
		return false, false, errors.New("the upgrade to WebSocket failed: an extension that was not offered")
	}
	for _, p := range parts[1:] {
		name, _, _ := strings.Cut(strings.TrimSpace(p), "=")
		switch name {
		case "server_no_context_takeover":
			apart = true
		case "client_no_context_takeover", "server_max_window_bits": // a smaller window needs no other reader
		default: // client_max_window_bits, too: it may only answer an offer of it
			return false, false, fmt.Errorf("the upgrade to WebSocket failed: %s has a parameter that was not offered: %q", compressDeflate, name)
		}
	}
	return true, apart, nil
}

// statusError tells a refusal with the problem's own words (RFC 9457), where there are some.
func statusError(res *http.Response) error {
	var p struct {
		Detail string `json:"detail"`
	}
	body, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	json.Unmarshal(body, &p) // what isn't a problem has no detail
	if p.Detail == "" {
		return fmt.Errorf("status %s", res.Status)
	}
	return fmt.Errorf("status %s: %s", res.Status, p.Detail)
}

// confirm checks that the stream is the one that was asked for.
func (s *Side) confirm(h hello) error {
	if h.Lane != s.Lane {
		return fmt.Errorf("asked for lane %s, got %q", s.Lane, h.Lane)
	}
	if s.Engine != "" && h.Engine != s.Engine {
		return fmt.Errorf("--engine: asked for %s, but the server answers with engine %s", s.Engine, h.Engine)
	}
	if mode := s.Query.Get("mode"); h.Mode != mode {
		return fmt.Errorf("--mode: asked for %s, got %q", mode, h.Mode)
	}
	return nil
}

func newKey() string {
	var b [16]byte
	rand.Read(b[:]) // never fails since Go 1.24
	return base64.StdEncoding.EncodeToString(b[:])
}

// writeFrame sends one final frame with a mask, as RFC 6455 §5.3 wants it of clients.
func writeFrame(w io.Writer, op byte, payload []byte) error {
	b := wire.AppendFrameHeader(nil, op, len(payload))
	b[1] |= 0x80
	var mask [4]byte
	rand.Read(mask[:])
	b = append(b, mask[:]...)
	for i, p := range payload {
		b = append(b, p^mask[i%4])
	}
	_, err := w.Write(b)
	return err
}

// closeFrame is the payload of a close with code 1000.
var closeFrame = binary.BigEndian.AppendUint16(nil, wire.CloseNormal)
