package handlers

import (
	"bytes"
	"net/http"
	"slices"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
	"golang.org/x/net/http/httpguts"
)

// strict stands before the router and does what fasthttp and Fiber leave undone of RFC 9110 and 9112. It answers a
// request that must be refused, and returns whether it did.
func (s *Server) strict(c *fasthttp.RequestCtx) (done bool) {
	head := &c.Request.Header
	if httpguts.HeaderValuesContainsToken(values(head, fiber.HeaderConnection), "close") { // fasthttp knows it alone and in small letters
		c.SetConnectionClose()
	}
	var p *problem
	switch {
	case !slices.Contains(fiber.DefaultMethods, string(head.Method())): // Fiber's answer is plain text, and isn't counted
		p = problemOf(http.StatusNotImplemented, statusDetail[http.StatusNotImplemented])
	case lengths(head.RawHeaders()) > 1:
		// A proxy in front may have gone by the other of the two (RFC 9112 §6.1, §6.3).
		c.SetConnectionClose()
		p = problemOf(http.StatusBadRequest, "Content-Length: not allowed with Transfer-Encoding.")
	default:
		return false
	}
	fc := s.app.AcquireCtx(c)
	defer s.app.ReleaseCtx(fc)
	s.observer.request(fc, func() error { return p })
	return true
}

// lengths tells how many ways of telling where the body ends a head's lines hold. fasthttp keeps but one.
func lengths(raw []byte) (n int) {
	for line := range bytes.Lines(raw) {
		name, _, _ := bytes.Cut(line, []byte(":"))
		if bytes.EqualFold(name, []byte(fiber.HeaderContentLength)) || bytes.EqualFold(name, []byte(fiber.HeaderTransferEncoding)) {
			n++
		}
	}
	return n
}
