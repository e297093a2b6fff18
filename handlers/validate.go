package handlers

import (
	"bytes"
	"net/http"
	"slices"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
	"golang.org/x/net/http/httpguts"
)

// validator makes the checks of RFC 9110 and 9112 that fasthttp and Fiber leave out.
type validator struct {
	app      *fiber.App
	observer *observer
}

// validate is called before the router. It answers a request that must be refused, and reports whether it did.
func (v *validator) validate(c *fasthttp.RequestCtx) (done bool) {
	head := &c.Request.Header
	if httpguts.HeaderValuesContainsToken(values(head, fiber.HeaderConnection), "close") { // fasthttp knows only the exact value "close"
		c.SetConnectionClose()
	}
	var p *problem
	switch {
	case len(head.Protocol()) > 0 && !bytes.HasPrefix(head.Protocol(), []byte("HTTP/1.")): // 1.2 and later are served as 1.x (RFC 9110 §2.5)
		c.SetConnectionClose()
		p = problemOf(http.StatusHTTPVersionNotSupported, statusDetail[http.StatusHTTPVersionNotSupported])
	case bytes.Contains(head.RawHeaders(), []byte("\n ")), bytes.Contains(head.RawHeaders(), []byte("\n\t")):
		c.SetConnectionClose()
		p = problemOf(http.StatusBadRequest, "A header field is continued on another line, which is obsolete (RFC 9112 §5.2).")
	case bodyLengths(head.RawHeaders()) > 1:
		// A proxy may have used the other one to find the end of the body (RFC 9112 §6.1, §6.3).
		c.SetConnectionClose()
		p = problemOf(http.StatusBadRequest, "Content-Length: not allowed with Transfer-Encoding.")
	case !slices.Contains(fiber.DefaultMethods, string(head.Method())): // Fiber would answer in plain text, uncounted
		p = problemOf(http.StatusNotImplemented, statusDetail[http.StatusNotImplemented])
	default:
		return false
	}
	fc := v.app.AcquireCtx(c)
	defer v.app.ReleaseCtx(fc)
	_ = v.observer.request(fc, func() error { return p })
	return true
}

// bodyLengths returns the number of lines of a request header that define the length of the body. fasthttp keeps only one.
func bodyLengths(raw []byte) (n int) {
	for line := range bytes.Lines(raw) {
		name, _, _ := bytes.Cut(line, []byte(":"))
		if bytes.EqualFold(name, []byte(fiber.HeaderContentLength)) || bytes.EqualFold(name, []byte(fiber.HeaderTransferEncoding)) {
			n++
		}
	}
	return n
}

// closeRefusedUpgrade ends the connection of a request with Upgrade that isn't upgraded. A proxy may have made a tunnel of the
// connection before the answer, as Varnish's pipe does. Through it the client could send requests that the proxy doesn't
// see, with header fields that only the proxy may set, such as X-Forwarded-For.
func closeRefusedUpgrade(c *fasthttp.RequestCtx) {
	if len(c.Request.Header.Peek(fiber.HeaderUpgrade)) > 0 && c.Response.StatusCode() != http.StatusSwitchingProtocols {
		c.SetConnectionClose()
	}
}
