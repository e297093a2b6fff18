package handlers

import (
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// basePath is the path below which the server serves everything, such as /quotes; empty for the root. Routes and middleware
// don't contain it: it is removed from the path of each request before, and added to the addresses in answers.
type basePath string

// outsideKey is the key of the user value of a request that isn't below the base path.
type outsideKey struct{}

// strip removes the base path from a request's path.
func (b basePath) strip(c *fasthttp.RequestCtx) {
	if b == "" {
		return
	}
	uri := c.URI()
	switch rest, ok := b.cut(string(uri.PathOriginal())); {
	case ok:
		uri.SetPath(rest)
	case !isProbe(string(uri.PathOriginal())): // probes needn't know it
		c.SetUserValue(outsideKey{}, true)
	}
}

// cut returns a path without the base path. ok is false if it isn't below that.
func (b basePath) cut(path string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(path, string(b))
	if rest == "" {
		return "/", ok
	}
	return rest, ok && rest[0] == '/'
}

// refuseOutside is a middleware that answers requests outside of the base path with 404.
func (b basePath) refuseOutside(c *fiber.Ctx) error {
	if c.Context().UserValue(outsideKey{}) == nil {
		return c.Next()
	}
	return b.outside()
}

// outside returns the problem of a request outside of the base path.
func (b basePath) outside() *problem {
	return problemOf(http.StatusNotFound, "This server serves everything below "+string(b)+" (server.base_path). A proxy in front of it must keep that part of the path.")
}

// isProbe reports whether a path is that of a probe.
func isProbe(path string) bool { return path == "/healthz" || path == "/readyz" }
