package handlers

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"
	"github.com/klauspost/compress/gzip"
)

// content is the body of an answer with its compressed form. It is immutable and safe for concurrent use.
type content struct {
	body      []byte
	mediaType string
	header    map[string]string // further fields of the answer
	gzip      func() []byte     // the compressed body, nil if that isn't worth it; made at the first call
	tag       string            // hash of the body
}

// newContent returns a content that is compressed when a client first accepts that.
func newContent(mediaType string, body []byte) *content {
	sum := sha256.Sum256(body)
	return &content{body: body, mediaType: mediaType, tag: hex.EncodeToString(sum[:8]),
		gzip: sync.OnceValue(func() []byte { return compressed(body) })}
}

// newJSON returns the content of a value as JSON.
func newJSON(v any) (*content, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return newContent(fiber.MIMEApplicationJSON, body), nil
}

// send answers a request with the content in the form that its client accepts, or with 304 if the client has that. A
// client that has no copy of a form never sends its tag, so each form has its own (RFC 9110 §8.8.3).
func (x *content) send(c *fiber.Ctx) error {
	body, tag := x.body, `"`+x.tag+`"`
	c.Vary(fiber.HeaderAcceptEncoding)
	if accepts(c, fiber.HeaderAcceptEncoding, "gzip") {
		if zip := x.gzip(); zip != nil {
			body, tag = zip, `"`+x.tag+`-gzip"`
			c.Set(fiber.HeaderContentEncoding, "gzip")
		}
	}
	c.Set(fiber.HeaderContentType, x.mediaType)
	for name, value := range x.header {
		c.Set(name, value)
	}
	if string(c.Response().Header.Peek(fiber.HeaderCacheControl)) != "no-store" {
		c.Set(fiber.HeaderETag, tag)
		if matchesETag(c.Get(fiber.HeaderIfNoneMatch), tag) {
			c.Status(http.StatusNotModified)
			return nil
		}
	}
	c.Response().SetBodyRaw(body)
	return nil
}

// matchesETag reports whether If-None-Match contains a tag. The comparison is weak (RFC 9110 §13.1.2), since proxies that
// compress weaken tags.
func matchesETag(list, tag string) bool {
	for part := range strings.SplitSeq(list, ",") {
		part = strings.TrimPrefix(strings.TrimSpace(part), "W/")
		if part == tag || part == "*" {
			return true
		}
	}
	return false
}

const (
	minCompressed = 1024      // bytes; a smaller body fits into one packet anyway
	gzipLevel     = 5         // of answers that are made while their clients wait
	fastCompress  = 256 << 10 // bytes from which level 1 is used, four times as fast
)

var gzipWriters, fastGzipWriters = gzipPool(gzipLevel), gzipPool(gzip.BestSpeed)

func gzipPool(level int) *sync.Pool {
	return &sync.Pool{New: func() any {
		w, _ := gzip.NewWriterLevel(nil, level) // the level is valid
		return w
	}}
}

// compressed returns a body in gzip's format, nil if that isn't worth it.
func compressed(body []byte) []byte {
	if len(body) < minCompressed {
		return nil
	}
	pool := gzipWriters
	if len(body) >= fastCompress {
		pool = fastGzipWriters
	}
	w := pool.Get().(*gzip.Writer)
	defer pool.Put(w)
	out := sliceWriter(make([]byte, 0, len(body)/4))
	w.Reset(&out)
	_, _ = w.Write(body) // a slice never fails
	_ = w.Close()
	return ifSmaller(out, body)
}

// ifSmaller returns the compressed form of a body, nil if it saves less than a tenth.
func ifSmaller(zip, body []byte) []byte {
	if len(zip) > len(body)*9/10 {
		return nil
	}
	return zip
}

// sliceWriter is a slice that grows by what is written.
type sliceWriter []byte

func (s *sliceWriter) Write(b []byte) (int, error) {
	*s = append(*s, b...)
	return len(b), nil
}

// compressJSON compresses the answers of endpoints that don't do it themselves.
func compressJSON(c *fiber.Ctx) error {
	if err := c.Next(); err != nil {
		return err
	}
	head := &c.Response().Header
	if len(head.ContentEncoding()) > 0 || len(head.Peek(fiber.HeaderETag)) > 0 || c.Response().StatusCode() != http.StatusOK || len(c.Response().Body()) < minCompressed {
		return nil
	}
	c.Vary(fiber.HeaderAcceptEncoding)
	if accepts(c, fiber.HeaderAcceptEncoding, "gzip") {
		if zip := compressed(c.Response().Body()); zip != nil {
			c.Set(fiber.HeaderContentEncoding, "gzip")
			c.Response().SetBodyRaw(zip)
		}
	}
	return nil
}
