package handlers

import (
	"net/http"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/valyala/fasthttp"

	"ticklane/internal/stream"
)

// panicked counts and logs a panic. The deferred function that recovered v must call it, because the log gets the stack.
// It recovers from a panic of the log itself.
func (o *observer) panicked(where string, v any, args ...any) {
	o.panics.Add(1)
	p := stream.Recovered(v)
	o.protect(func() {
		o.log.Error("panic", append([]any{"where", where, "panic", p.Value, "stack", string(p.Stack)}, args...)...)
	})
}

// protect calls f, which only logs. If f panics, protect counts that: it can't be logged.
func (o *observer) protect(f func()) {
	defer func() {
		if recover() != nil {
			o.panics.Add(1)
		}
	}()
	f()
}

// contain recovers from a panic, which would end the process. It must be deferred itself.
func (o *observer) contain(where string) {
	if v := recover(); v != nil {
		o.panicked(where, v)
	}
}

// containRequest is contain for a request: it answers with 500 and ends the connection. It is the last defence, outside of
// Fiber; panics of handlers are answered in request.
func (o *observer) containRequest(c *fasthttp.RequestCtx) {
	if v := recover(); v != nil {
		o.panicked("request", v)
		o.requests.Add(1)
		o.failures.Add(1)
		failBare(c)
	}
}

// failBare answers with 500 without the error handler, and discards what a handler has prepared.
func failBare(c *fasthttp.RequestCtx) {
	c.Hijack(nil)
	c.HijackSetNoResponse(false)
	c.Response.Reset()
	c.SetStatusCode(http.StatusInternalServerError)
	c.SetContentType("application/problem+json")
	c.Response.Header.Set(fiber.HeaderCacheControl, "no-store")
	c.SetBodyString(`{"type":"about:blank","title":"Internal Server Error","status":500,"detail":"` +
		statusDetail[http.StatusInternalServerError] + `"}`)
	c.SetConnectionClose()
}

// call calls a handler; a panic becomes a 500.
func (o *observer) call(c *fiber.Ctx, next func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			o.panicked("handler", v, "route", c.Route().Path)
			c.Context().Hijack(nil)
			c.Context().HijackSetNoResponse(false)
			err = problemOf(http.StatusInternalServerError, statusDetail[http.StatusInternalServerError])
		}
	}()
	return next()
}

// respond answers a failed request by the error handler, or with a bare 500 if that panics.
func (o *observer) respond(c *fiber.Ctx, failure error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			o.panicked("error handler", v, "route", c.Route().Path)
			failBare(c.Context())
			err = nil
		}
	}()
	return o.errors.respond(c, failure)
}

// adapt adapts a handler of net/http. A panic keeps its stack: Fiber's adaptor calls h in another goroutine, and panics again
// without its value.
func adapt(h http.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		var panicked *stream.Panic
		err := adaptor.HTTPHandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				if v := recover(); v != nil {
					panicked = stream.Recovered(v)
				}
			}()
			h.ServeHTTP(w, r)
		})(c)
		if panicked != nil {
			panic(panicked)
		}
		return err
	}
}
