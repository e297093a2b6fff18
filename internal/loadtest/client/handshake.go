package client

import (
	"bufio"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"slices"
	"strings"

	"ticklane/internal/wire"
)

// errUncompressed is a server that was offered compression and doesn't use it: its figures would be those of an
// uncompressed stream.
var errUncompressed = errors.New("compression was offered, but the server doesn't use it: set its stream.compress to on, or enable its lab")

// errUpgradeDropped is a request that arrived without the header Upgrade, which every WebSocket request of this client has.
var errUpgradeDropped = errors.New("a proxy before the server drops the header Upgrade: let it pass Upgrade and Connection over HTTP/1.1 " +
	"(nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade)")

// handshake sends the request, checks the head of the response, and returns how the stream is encoded and the bytes of
// it that arrived with the head. from is a position to resume from, empty for none.
func (r *Request) handshake(nc net.Conn, s *Server, from string) (f Format, rest []byte, err error) {
	key := newKey()
	if _, err := io.WriteString(nc, r.head(s, from, key)); err != nil {
		return f, nil, fmt.Errorf("send the request: %w", err)
	}
	br := bufio.NewReader(nc)
	res, err := http.ReadResponse(br, nil)
	if err != nil {
		return f, nil, fmt.Errorf("read the response to %s: %w", r.Path(""), err)
	}
	f = Format{Lane: r.Lane, Protobuf: r.Encoding == Protobuf, Length: -1}
	if r.Lane == wire.WS {
		f.Compressed, f.Independent, err = r.checkUpgrade(res, key)
	} else {
		f.Chunked, f.Length = slices.Contains(res.TransferEncoding, "chunked"), res.ContentLength
		f.Compressed, err = r.checkEventStream(res)
	}
	if err != nil {
		return f, nil, err
	}
	rest, _ = br.Peek(br.Buffered())
	return f, rest, nil
}

// head returns the request's head.
func (r *Request) head(s *Server, from, key string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "GET %s%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: ticklane-load\r\n", s.base(), r.Path(from), s.URL.Host)
	if s.Token != "" {
		b.WriteString("Authorization: Bearer " + s.Token + "\r\n")
	}
	if r.Lane == wire.WS {
		b.WriteString("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key +
			"\r\nSec-WebSocket-Protocol: " + r.subprotocol() + "\r\n")
		if r.Compress {
			b.WriteString("Sec-WebSocket-Extensions: " + PerMessageDeflate + "\r\n")
		}
	} else {
		b.WriteString("Accept: text/event-stream\r\nCache-Control: no-cache\r\n")
		if r.Compress {
			b.WriteString("Accept-Encoding: gzip\r\n")
		}
		if from != "" {
			b.WriteString("Last-Event-ID: " + from + "\r\n")
		}
	}
	b.WriteString("\r\n")
	return b.String()
}

// checkEventStream checks the head of an event stream and reports whether it is compressed.
func (r *Request) checkEventStream(res *http.Response) (compressed bool, err error) {
	if res.StatusCode != http.StatusOK {
		return false, ResponseError(res)
	}
	if kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); kind != "text/event-stream" {
		return false, fmt.Errorf("the response is %q, not text/event-stream: this is no Ticklane server, or a proxy changes responses", kind)
	}
	switch encoding := strings.ToLower(res.Header.Get("Content-Encoding")); {
	case encoding == "gzip" && r.Compress:
		return true, nil
	case encoding != "" && encoding != "identity":
		return false, fmt.Errorf("the stream has Content-Encoding %q, which was not asked for", encoding)
	}
	if r.Compress && res.ContentLength < 0 { // a refusal has a length, and a body with the reason
		return false, errUncompressed
	}
	return false, nil
}

// checkUpgrade checks the response to a WebSocket handshake (RFC 6455 §4.1).
func (r *Request) checkUpgrade(res *http.Response, key string) (compressed, independent bool, err error) {
	if res.StatusCode == http.StatusUpgradeRequired { // the server got this request without the header
		return false, false, errUpgradeDropped
	}
	if res.StatusCode != http.StatusSwitchingProtocols {
		return false, false, fmt.Errorf("the upgrade to WebSocket was refused: %w", ResponseError(res))
	}
	switch protocol := res.Header.Get("Sec-WebSocket-Protocol"); {
	case !strings.EqualFold(res.Header.Get("Upgrade"), "websocket"):
		err = errors.New("no Upgrade: websocket in the response (does a proxy remove it?)")
	case res.Header.Get("Sec-WebSocket-Accept") != acceptKey(key):
		err = errors.New("Sec-WebSocket-Accept doesn't match the key")
	case protocol != r.subprotocol():
		err = fmt.Errorf("subprotocol %q, want %s", protocol, r.subprotocol())
	default:
		compressed, independent, err = r.checkExtension(strings.Join(res.Header.Values("Sec-WebSocket-Extensions"), ","))
	}
	if err != nil && !errors.Is(err, errUncompressed) {
		err = fmt.Errorf("the upgrade to WebSocket failed: %w", err)
	}
	return compressed, independent, err
}

// checkExtension parses the extension that the server accepted (RFC 7692 §7.1). The client never sends compressed
// messages, so the parameters for its own direction don't matter.
func (r *Request) checkExtension(accepted string) (compressed, independent bool, err error) {
	if accepted == "" {
		if r.Compress {
			return false, false, errUncompressed
		}
		return false, false, nil
	}
	parts := strings.Split(accepted, ";")
	if !r.Compress || strings.TrimSpace(parts[0]) != PerMessageDeflate {
		return false, false, errors.New("an extension that was not offered")
	}
	for _, p := range parts[1:] {
		name, _, _ := strings.Cut(strings.TrimSpace(p), "=")
		switch name {
		case "server_no_context_takeover":
			independent = true
		case "client_no_context_takeover", "server_max_window_bits": // a smaller window needs no other decoder
		default: // client_max_window_bits too: it may only answer an offer of it
			return false, false, fmt.Errorf("%s has a parameter that was not offered: %q", PerMessageDeflate, name)
		}
	}
	return true, independent, nil
}

// ResponseError returns the error of a response that isn't the wanted one: its status, and the detail of its problem
// (RFC 9457) if it has one. It reads the body.
func ResponseError(res *http.Response) error {
	var problem struct {
		Detail string `json:"detail"`
	}
	body, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	_ = json.Unmarshal(body, &problem) // any other body has no detail
	if problem.Detail == "" {
		return fmt.Errorf("status %s", res.Status)
	}
	return fmt.Errorf("status %s: %s", res.Status, problem.Detail)
}

func newKey() string {
	var b [16]byte
	rand.Read(b[:]) // never fails since Go 1.24
	return base64.StdEncoding.EncodeToString(b[:])
}

func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}
