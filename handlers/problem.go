package handlers

import (
	"errors"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// problem is an HTTP error as RFC 9457 describes it. Its extension members tell which parameter was wrong, and for
// answers to commands the contract's error fields.
type problem struct {
	Type      string  `json:"type"`
	Title     string  `json:"title"`
	Status    int     `json:"status"`
	Detail    string  `json:"detail,omitempty"`
	Parameter string  `json:"parameter,omitempty"` // the first wrong one
	Errors    []wrong `json:"errors,omitempty"`    // all of them
	T         string  `json:"T,omitempty"`
	Code      string  `json:"code,omitempty"`
	Msg       string  `json:"msg,omitempty"`
	ID        *int64  `json:"id,omitempty"`
}

// wrong is one bad parameter and what was expected.
type wrong struct {
	Parameter string `json:"parameter"`
	Detail    string `json:"detail"`
}

func (p *problem) Error() string { return p.Detail }

func problemOf(status int, detail string) *problem {
	return &problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail}
}

// badParameters is the 400 that names every wrong parameter.
func badParameters(all []wrong) *problem {
	details := make([]string, len(all))
	for i, w := range all {
		details[i] = w.Parameter + ": " + w.Detail
	}
	p := problemOf(http.StatusBadRequest, strings.Join(details, "; "))
	p.Parameter, p.Errors = all[0].Parameter, all
	return p
}

// plainly says what a request's reader or router refused.
var plainly = map[int]string{
	http.StatusBadRequest:                  "The request can't be read: it is not HTTP/1.1 as RFC 9112 has it.",
	http.StatusNotFound:                    "There is nothing at this address.",
	http.StatusMethodNotAllowed:            "This address doesn't take this method.",
	http.StatusNotImplemented:              "This server doesn't know the method.",
	http.StatusRequestTimeout:              "The request took longer than server.read_timeout.",
	http.StatusRequestEntityTooLarge:       "The body is larger than limits.body_size.",
	http.StatusRequestHeaderFieldsTooLarge: "The head of the request is larger than limits.header_size.",
}

// fail answers with an error: a page to a browser that asked for one, a problem to everybody else.
func (s *Server) fail(c *fiber.Ctx, err error) error {
	var p *problem
	var f *fiber.Error
	switch {
	case errors.As(err, &p):
	case errors.As(err, &f):
		// The message of a request that can't be read quotes it, so it isn't repeated.
		if p = problemOf(f.Code, plainly[f.Code]); p.Detail == "" {
			p.Detail = http.StatusText(f.Code) + "."
		}
	default:
		s.log.Error("request failed", "route", c.Route().Path, "err", err)
		p = problemOf(http.StatusInternalServerError, "The server failed at this request; its log says why.")
	}
	c.Status(p.Status)
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	if s.wantsPage(c) && s.pages.errorPage(c, p) == nil {
		return nil
	}
	if err := c.JSON(p); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "application/problem+json")
	return nil
}

// wantsPage tells whether a person looks at the answer.
func (s *Server) wantsPage(c *fiber.Ctx) bool {
	path := c.Path()
	return c.Method() == fiber.MethodGet && strings.Contains(c.Get(fiber.HeaderAccept), fiber.MIMETextHTML) &&
		!strings.HasPrefix(path, "/api/") && !strings.HasSuffix(path, "/subscribe")
}
