package handlers

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"ticklane/internal/auth"
	"ticklane/internal/history"
	"ticklane/internal/nearest"
	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// query reads the parameters of a request and collects the errors of all of them. Its methods return a parameter's value,
// or the default if it is missing or invalid.
//
// To add a parameter, read it in the endpoint's handler (for streams, in subscription.go) and describe it in docs/api.
type query struct {
	args   *fasthttp.Args
	known  []string // parameters that were read
	errors []fieldError
	denied *problem // of a topic that the client may not read; nil if there is none
}

func queryOf(c *fiber.Ctx) *query { return &query{args: c.Context().QueryArgs()} }

// fail adds the error of a parameter.
func (q *query) fail(name, format string, a ...any) {
	q.errors = append(q.errors, fieldError{Parameter: name, Detail: fmt.Sprintf(format, a...)})
}

// invalid returns the problem that lists all errors, otherwise that of a topic that the client may not read, nil if there is
// neither. It ignores unknown parameters.
func (q *query) invalid() error {
	switch {
	case len(q.errors) > 0:
		return badParameters(q.errors)
	case q.denied != nil:
		return q.denied
	}
	return nil
}

// maxUnknown is the maximum number of unknown parameters that are listed: each error is longer than its parameter.
const maxUnknown = 8

// err is like invalid, but a parameter that wasn't read is an error too, unless its name starts with an underscore, as that
// of a cache buster does. It must be called once, after all parameters were read.
func (q *query) err() error {
	var unknown []string
	for name := range q.args.All() {
		if n := string(name); !strings.HasPrefix(n, "_") && !slices.Contains(q.known, n) && !slices.Contains(unknown, n) {
			if len(unknown) == maxUnknown {
				break
			}
			unknown = append(unknown, n)
		}
	}
	for _, name := range unknown {
		q.errors = append(q.errors, fieldError{printable(name), q.unknownDetail(name)})
	}
	return q.invalid()
}

func (q *query) unknownDetail(name string) string {
	if suggested, ok := nearest.Name(name, q.known); ok {
		return "unknown parameter; did you mean " + suggested + "?"
	}
	if len(q.known) == 0 {
		return "unknown parameter; this address has none"
	}
	return "unknown parameter; want " + strings.Join(q.known, ", ")
}

// withoutParameters rejects requests with parameters, for endpoints that have none.
func withoutParameters(next fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if err := queryOf(c).err(); err != nil {
			return err
		}
		return next(c)
	}
}

// get returns a copy of a parameter's value, since fasthttp reuses its memory; ok is false if the parameter is missing or
// repeated.
func (q *query) get(name string) (value string, ok bool) {
	q.known = append(q.known, name)
	switch all := q.args.PeekMulti(name); len(all) {
	case 0:
		return "", false
	case 1:
		return string(all[0]), true
	default:
		q.fail(name, "given %d times; want it once", len(all))
		return "", false
	}
}

// number reads a whole number from least to most. The error names no maximum if most is maxLimit,
// which no client reaches.
func (q *query) number(name string, def, least, most uint64) uint64 {
	v, ok := q.get(name)
	if !ok {
		return def
	}
	n, err := strconv.ParseUint(v, 10, 64)
	switch {
	case err == nil && n >= least && n <= most:
		return n
	case most == maxLimit:
		q.fail(name, "%s: want a whole number, at least %d", quoted(v), least)
	default:
		q.fail(name, "%s: want a whole number from %d to %d", quoted(v), least, most)
	}
	return def
}

// duration reads a Go duration from 0 to most, or above 0 if most is 0.
func (q *query) duration(name string, def, most time.Duration) time.Duration {
	v, ok := q.get(name)
	if !ok {
		return def
	}
	d, err := time.ParseDuration(v)
	switch {
	case err != nil:
		q.fail(name, "%s: want a duration such as 250ms, 30s or 5m, at most 290 years", quoted(v))
	case most == 0 && d <= 0:
		q.fail(name, "%s: want a duration above 0", quoted(v))
	case most > 0 && (d < 0 || d > most):
		q.fail(name, "%s: want a duration from 0 to %s", quoted(v), most)
	default:
		return d
	}
	return def
}

// flag reads true or false.
func (q *query) flag(name string, def bool) bool {
	return q.choice(name, strconv.FormatBool(def), []string{"true", "false"}) == "true"
}

// choice reads one of several words.
func (q *query) choice(name, def string, words []string) string {
	v, ok := q.get(name)
	switch {
	case !ok:
		return def
	case slices.Contains(words, v):
		return v
	}
	q.fail(name, "%s: want %s", quoted(v), strings.Join(words, " or "))
	return def
}

// topics reads a list of at most most topics within a client's rights, by default all that it may read.
func (q *query) topics(u *quote.Universe, most int, rights *auth.Rights) quote.Topics {
	t, err := rights.Topics(u, q.topicNames(), most)
	q.failTopics("topics", err)
	return t
}

// topicNames reads a list of topics, by default all symbols.
func (q *query) topicNames() []string {
	list, ok := q.get("topics")
	if !ok {
		list = quote.All
	}
	return strings.Split(list, ",")
}

// failTopics adds the error of a parameter with topics, if there is one.
func (q *query) failTopics(name string, err error) {
	var forbidden *quote.ForbiddenTopicError
	switch {
	case errors.As(err, &forbidden):
		q.denied = forbiddenTopic(name, err)
	case err != nil:
		q.fail(name, "%v", err)
	}
}

// forbiddenTopic returns the problem of a parameter with a topic that the client may not read.
func forbiddenTopic(parameter string, err error) *problem {
	p := problemOf(http.StatusForbidden, parameter+": "+err.Error()+".")
	p.Code, p.Parameter, p.Errors = wire.CodeForbiddenTopic, parameter, []fieldError{{parameter, err.Error()}}
	return p
}

// symbol reads the ticker of a symbol, which is required.
func (q *query) symbol(u *quote.Universe, rights *auth.Rights) quote.ID {
	v, present := q.get("symbol")
	id, ok := u.Lookup(v)
	if err := rights.Forbidden(u, []string{v}); present && err != nil {
		q.failTopics("symbol", err)
		return 0
	}
	if !ok {
		q.fail("symbol", "unknown %s; /api/symbols lists all", quoted(v))
	}
	return id
}

// barInterval reads the length of a bar, by default a minute.
func (q *query) barInterval() history.Interval {
	v, ok := q.get("interval")
	if !ok {
		return history.Minute
	}
	i, err := history.ParseInterval(v)
	if err != nil {
		q.fail("interval", "%s", strings.TrimPrefix(err.Error(), "interval: "))
	}
	return i
}

// time reads a time in µs since 1970.
func (q *query) time(name string, def int64) int64 {
	v, ok := q.get(name)
	if !ok {
		return def
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, v); err == nil {
			return at.UnixMicro()
		}
	}
	µs, err := strconv.ParseInt(v, 10, 64)
	if err != nil || µs < 0 {
		q.fail(name, "%s: want µs since 1970, such as a bar's t, or a time such as 2026-03-02T14:30:00Z or 2026-03-02 (UTC)", quoted(v))
		return def
	}
	if µs >= 1e9 && µs < 100_000_000_000_000 {
		q.fail(name, "%s: want µs since 1970; this is %s, and looks like a time in s or ms", quoted(v), time.UnixMicro(µs).UTC().Format(time.DateTime))
		return def
	}
	return µs
}

// quoted returns a client's text for an error message: escaped, and cut after 60 bytes.
func quoted(v string) string { return strconv.Quote(shortened(v)) }

// shortened returns a client's text for a log, which escapes it: cut after 60 bytes.
func shortened(v string) string {
	const most = 60
	if len(v) > most {
		v = strings.ToValidUTF8(v[:most], "") + "…"
	}
	return v
}

// printable returns a parameter's name, which the client chose, for an error message. It is quoted only if it has special
// characters or is empty.
func printable(name string) string {
	if q := quoted(name); q != `"`+name+`"` || name == "" {
		return q
	}
	return name
}
