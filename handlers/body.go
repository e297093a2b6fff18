package handlers

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/strictjson"
)

// jsonBodies reads the JSON bodies of requests that change something.
type jsonBodies struct {
	access  *access
	maxSize int // bytes
}

// read returns a copy of the body of a request from a page of this server, from an allowed origin or from a program. The
// error is a problem.
func (b *jsonBodies) read(c *fiber.Ctx) ([]byte, error) {
	if !b.access.sameOrigin(c) {
		return nil, b.access.foreignOrigin(c)
	}
	if !c.Is("json") {
		return nil, problemOf(http.StatusUnsupportedMediaType, "Content-Type: want application/json.")
	}
	if e := c.Get(fiber.HeaderContentEncoding); e != "" && !strings.EqualFold(e, "identity") {
		return nil, problemOf(http.StatusUnsupportedMediaType, "Content-Encoding: want an uncompressed body.")
	}
	// Not Body, which inflates without a limit.
	body := c.BodyRaw()
	if len(body) > b.maxSize {
		return nil, problemOf(http.StatusRequestEntityTooLarge, "body: larger than limits.message_size.")
	}
	return slices.Clone(body), nil
}

// unmarshal reads the body as an object whose members have the names in known. The error is a problem.
func (b *jsonBodies) unmarshal(c *fiber.Ctx, into any, known ...string) error {
	body, err := b.read(c)
	if err != nil {
		return err
	}
	var unknown *strictjson.MemberError
	if json.Valid(body) && errors.As(strictjson.CheckMembers(body, known...), &unknown) {
		return badParameters([]fieldError{{unknown.Member, unknown.Msg}})
	}
	if err := json.Unmarshal(body, into); err != nil {
		return problemOf(http.StatusBadRequest, "body: not the JSON object described: "+err.Error())
	}
	return nil
}
