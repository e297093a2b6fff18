package handlers

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"ticklane/internal/auth"
	"ticklane/internal/market/ingest"
	"ticklane/internal/netconn"
	"ticklane/internal/wire"
)

const (
	ingestPath       = "/api/ingest"
	ingestSocketPath = "/ws/ingest"
	// ingestRead is how much of a body is read and published at once, in bytes.
	ingestRead = 64 << 10
	// openBody is a header that no client sends: the length of a body that fasthttp doesn't read, or "chunked".
	openBody = "X-Ticklane-Open-Body"
)

// post is POST /api/ingest?source=: the lines of a feed. fasthttp has read a body of at most limits.body_size; the connection goes on
// after it. A longer one, and one without a length, is read here while it comes, and the connection ends with it.
func (h *ingestAPI) post(c *fiber.Ctx) error {
	if err := h.authorize(c); err != nil {
		return err
	}
	name, err := h.sourceOf(c, queryOf(c), h.source.Claim)
	if err != nil {
		return err
	}
	if media, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType)); err != nil || media != "application/x-ndjson" {
		return problemOf(http.StatusUnsupportedMediaType, "Content-Type: want application/x-ndjson.")
	}
	if e := c.Get(fiber.HeaderContentEncoding); e != "" && !strings.EqualFold(e, "identity") {
		return problemOf(http.StatusUnsupportedMediaType, "Content-Encoding: want an uncompressed body.")
	}
	noStore(c)
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	if length := c.Get(openBody); length != "" {
		return h.stream(c, name, strings.Clone(length))
	}
	x, err := h.open(name, principalOf(c))
	if err != nil {
		return foreignSource(c)
	}
	defer x.Close()
	err = x.Write(h.ctx, c.BodyRaw())
	if err == nil {
		err = x.End(h.ctx)
	}
	if errors.Is(err, ingest.ErrForeignSource) { // it has become another subject's since the request
		return foreignSource(c)
	}
	h.answer(c.Response(), x.Take(), err)
	return nil
}

// answer sets the status and the body of a response: 503 if the server doesn't take any more lines.
func (h *ingestAPI) answer(r *fasthttp.Response, result ingest.Result, err error) {
	if err == nil {
		r.SetBodyRaw(marshalResult(result, ""))
		return
	}
	status := http.StatusServiceUnavailable
	switch {
	case errors.Is(err, wire.ErrChunk):
		status = http.StatusBadRequest
	case errors.Is(err, errUnauthorized):
		status = http.StatusUnauthorized
	default:
		r.Header.Set(fiber.HeaderRetryAfter, "1")
	}
	r.SetStatusCode(status)
	r.SetBodyRaw(marshalResult(result, h.reason(err)))
}

// marshalResult encodes a result, with the reason why not all lines were handled.
func marshalResult(r ingest.Result, detail string) []byte {
	b, err := json.Marshal(struct {
		ingest.Result
		Detail string `json:"detail,omitempty"`
	}{r, detail})
	if err != nil {
		panic(err) // it has no value that can't be encoded
	}
	return b
}

// stream takes the connection from fasthttp and reads the body.
func (h *ingestAPI) stream(c *fiber.Ctx, name, length string) error {
	conn, p := netconn.Of(c.Context().Conn()), principalOf(c)
	if refused := h.add(conn); refused != nil {
		return refused
	}
	conn.StartStream(func(int, int) {}, func() { h.remove(conn) })
	request := c.Context() // fasthttp's context lives until the function returns, Fiber's doesn't
	request.HijackSetNoResponse(true)
	request.Hijack(func(hijacked net.Conn) {
		defer h.streams.containHijack(conn)
		nc, received, ok := conn.Detach(hijacked)
		if !ok {
			return
		}
		defer h.remove(conn)
		defer nc.Close()
		h.interrupt(nc)
		x, err := h.open(name, p)
		if err != nil {
			return // it has become another subject's since the request
		}
		defer x.Close()
		err = h.read(p, x, io.MultiReader(bytes.NewReader(received), nc), length)
		answered := err == nil || h.ctx.Err() != nil || errors.Is(err, wire.ErrChunk) || errors.Is(err, errUnauthorized) || errors.Is(err, ingest.ErrStopped)
		if !answered {
			return // the client has gone
		}
		h.answer(&request.Response, x.Take(), err)
		h.streams.respondAndClose(nc, request)
	})
	return nil
}

// errUnauthorized ends a body whose client's credential has expired or was revoked since its request.
var errUnauthorized = errors.New("the credential is no longer valid")

// read reads a body to its end. A last line without end counts only if the body is complete.
func (h *ingestAPI) read(p *auth.Principal, x IngestInput, r io.Reader, length string) error {
	b, body := make([]byte, ingestRead), newBodyDecoder(length)
	for {
		n, err := r.Read(b)
		received := time.Now()
		if h.streams.refuses(p, received) != "" {
			return errUnauthorized
		}
		done, failed := body.feed(b[:n], func(lines []byte) error { return x.Add(h.ctx, lines, received) })
		if failed == nil || errors.Is(failed, wire.ErrChunk) { // what came before a broken chunk counts
			failed = cmp.Or(x.Flush(h.ctx), failed)
		}
		switch {
		case failed != nil:
			return failed
		case done:
			return x.End(h.ctx)
		case errors.Is(err, io.EOF):
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		}
	}
}

// bodyDecoder finds the end of a body that fasthttp doesn't read.
type bodyDecoder struct {
	chunks  wire.Dechunker
	chunked bool
	left    int // bytes, unless chunked
}

func newBodyDecoder(length string) *bodyDecoder {
	n, err := strconv.Atoi(length)
	return &bodyDecoder{chunked: err != nil, left: n}
}

// feed passes the content of the next bytes to f; done reports that the body has ended.
func (r *bodyDecoder) feed(b []byte, f func([]byte) error) (done bool, err error) {
	if r.chunked {
		return r.chunks.Feed(b, f)
	}
	b = b[:min(len(b), r.left)]
	r.left -= len(b)
	return r.left == 0, f(b)
}

// respondAndClose writes the response of a hijacked request, and closes the connection once the client has read it.
func (s *streams) respondAndClose(nc net.Conn, request *fasthttp.RequestCtx) {
	request.Response.Header.SetConnectionClose()
	w := bufio.NewWriter(nc)
	if request.Response.Write(w) != nil || w.Flush() != nil {
		return
	}
	nc.SetReadDeadline(time.Now().Add(s.set.CloseWait))
	netconn.Drain(nc)
}

// leaveOpen makes fasthttp not read the body of a feed that is longer than most, in bytes, or has no length: the handler reads it.
// feedPath is the path of feeds.
func leaveOpen(most int, feedPath string) func(*fasthttp.RequestHeader) fasthttp.RequestConfig {
	return func(head *fasthttp.RequestHeader) fasthttp.RequestConfig {
		head.Del(openBody) // a client's
		path, _, _ := bytes.Cut(head.RequestURI(), []byte{'?'})
		if !head.IsPost() || string(path) != feedPath {
			return fasthttp.RequestConfig{}
		}
		switch n := head.ContentLength(); {
		case n == -1:
			head.SetContentLength(0)
			head.Set(openBody, "chunked")
		case n > most:
			head.SetContentLength(0)
			head.Set(openBody, strconv.Itoa(n))
		}
		return fasthttp.RequestConfig{}
	}
}

// closeOpenBody ends the connection of a request that was answered while its body is open: what follows in it is no request.
func (s *streams) closeOpenBody(c *fasthttp.RequestCtx) {
	if len(c.Request.Header.Peek(openBody)) == 0 || c.Hijacked() {
		return
	}
	conn := netconn.Of(c.Conn())
	conn.StartStream(func(int, int) {}, nil)
	c.HijackSetNoResponse(true)
	c.Hijack(func(hijacked net.Conn) {
		defer s.containHijack(conn)
		if nc, _, ok := conn.Detach(hijacked); ok {
			defer nc.Close()
			s.respondAndClose(nc, c)
		}
	})
}
