package handlers

import (
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// accepts reports whether a header such as Accept or Accept-Encoding lists a value with a weight above 0 (RFC 9110 §12.5).
// Wildcards don't count: they accept the uncompressed answer, too.
func accepts(c *fiber.Ctx, header, value string) bool {
	return listed(values(&c.Request().Header, header), value)
}

// listed reports whether one of the lists of such a header has a value with a weight above 0.
func listed(lists []string, value string) bool {
	for _, list := range lists {
		for part := range strings.SplitSeq(list, ",") {
			name, params, _ := strings.Cut(part, ";")
			if strings.EqualFold(strings.TrimSpace(name), value) {
				return weight(params) > 0
			}
		}
	}
	return false
}

// weight returns the q parameter of a list element, 1 if there is none and 0 if it is malformed.
func weight(params string) float64 {
	for param := range strings.SplitSeq(params, ";") {
		if key, v, _ := strings.Cut(param, "="); strings.EqualFold(strings.TrimSpace(key), "q") {
			q, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
			if err != nil {
				return 0
			}
			return q
		}
	}
	return 1
}

// values returns the values of a request header, one for each line with its name.
func values(h *fasthttp.RequestHeader, name string) []string {
	var all []string
	for _, v := range h.PeekAll(name) {
		all = append(all, string(v))
	}
	return all
}
