package handlers

import (
	"errors"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// problem is an HTTP error in the format of RFC 9457. The members after Detail are extensions: Parameter and Errors name
// the values that were rejected, T, Code, Msg and ID are the contract's error message in an answer to a command. Code without
// T is the reason why credentials were refused.
type problem struct {
	Type      string       `json:"type"`
	Title     string       `json:"title"`
	Status    int          `json:"status"`
	Detail    string       `json:"detail,omitempty"`
	Parameter string       `json:"parameter,omitempty"` // of the first of Errors
	Errors    []fieldError `json:"errors,omitempty"`
	T         string       `json:"T,omitempty"`
	Code      string       `json:"code,omitempty"`
	Msg       string       `json:"msg,omitempty"`
	ID        *int64       `json:"id,omitempty"`

	reason error // for the audit log; nil if Detail has it
}

// fieldError is a rejected parameter, or member of a JSON body, with its value and what is accepted.
type fieldError struct {
	Parameter string `json:"parameter"`
	Detail    string `json:"detail"`
}

func (p *problem) Error() string { return p.Detail }

func problemOf(status int, detail string) *problem {
	return &problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail}
}

// badParameters returns the 400 that lists all rejected parameters.
func badParameters(all []fieldError) *problem {
	details := make([]string, len(all))
	for i, e := range all {
		details[i] = e.Parameter + ": " + e.Detail
	}
	p := problemOf(http.StatusBadRequest, strings.Join(details, "; "))
	p.Parameter, p.Errors = all[0].Parameter, all
	return p
}

// statusDetail maps a status to the detail of its problem, for errors of Fiber and fasthttp, which give no more than the
// status.
var statusDetail = map[int]string{
	http.StatusBadRequest:                  "The request can't be parsed as HTTP/1.1 (RFC 9112).",
	http.StatusNotFound:                    "There is no resource at this address.",
	http.StatusMethodNotAllowed:            "This resource doesn't support the method.",
	http.StatusHTTPVersionNotSupported:     "The server knows HTTP/1.1 and HTTP/1.0.",
	http.StatusNotImplemented:              "The server doesn't know the method.",
	http.StatusRequestTimeout:              "The request took longer than server.read_timeout.",
	http.StatusRequestEntityTooLarge:       "The body is larger than limits.body_size.",
	http.StatusRequestHeaderFieldsTooLarge: "The header is larger than limits.header_size.",
	http.StatusInternalServerError:         "The server failed to handle the request; its log has the cause.",
}

// problemFor returns the problem that answers an error. Errors of other types are answered with 500; unexpected reports
// whether err is one of them.
func problemFor(err error) (p *problem, unexpected bool) {
	var f *fiber.Error
	switch {
	case errors.As(err, &p):
		return p, false
	case errors.As(err, &f):
		detail, ok := statusDetail[f.Code]
		if !ok { // never f.Message: that of a malformed request quotes it
			detail = http.StatusText(f.Code) + "."
		}
		return problemOf(f.Code, detail), false
	}
	return problemOf(http.StatusInternalServerError, statusDetail[http.StatusInternalServerError]), true
}
