package handlers

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"ticklane/internal/history"
	"ticklane/internal/quote"
)

// query reads the parameters of a request and collects the errors of all of them. Its methods return a parameter's value,
// or the default if it is missing or invalid. Unknown parameters are ignored.
//
// To add a parameter, read it in the endpoint's handler (for streams, in subscription.go) and describe it in docs/api.
type query struct {
	args   *fasthttp.Args
	errors []fieldError
}

func queryOf(c *fiber.Ctx) *query { return &query{args: c.Context().QueryArgs()} }

// fail adds the error of a parameter.
func (q *query) fail(name, format string, a ...any) {
	q.errors = append(q.errors, fieldError{Parameter: name, Detail: fmt.Sprintf(format, a...)})
}

// err returns the problem that lists all errors, nil if there are none.
func (q *query) err() error {
	if len(q.errors) == 0 {
		return nil
	}
	return badParameters(q.errors)
}

// get returns a copy of a parameter's value, since fasthttp reuses its memory; ok is false if the parameter is missing or
// repeated.
func (q *query) get(name string) (value string, ok bool) {
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

// unlimited is a maximum of number that error messages leave out.
const unlimited = 1 << 62

// number reads a whole number from least to most.
func (q *query) number(name string, def, least, most uint64) uint64 {
	v, ok := q.get(name)
	if !ok {
		return def
	}
	n, err := strconv.ParseUint(v, 10, 64)
	switch {
	case err == nil && n >= least && n <= most:
		return n
	case most >= unlimited:
		q.fail(name, "%s: want a whole number of at least %d", quoted(v), least)
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
		q.fail(name, "%s: want a duration such as 250ms, 30s or 5m", quoted(v))
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

// topics reads a list of at most most topics, by default all symbols.
func (q *query) topics(u *quote.Universe, most int) quote.Topics {
	list, ok := q.get("topics")
	if !ok {
		list = quote.All
	}
	t, err := u.Topics(strings.Split(list, ","), most)
	if err != nil {
		q.fail("topics", "%v", err)
	}
	return t
}

// symbol reads the ticker of a symbol, which is required.
func (q *query) symbol(u *quote.Universe) quote.ID {
	v, _ := q.get("symbol")
	id, ok := u.Lookup(v)
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

// before reads the time that bars must start before, in µs since 1970, by default none.
func (q *query) before() int64 {
	v, ok := q.get("before")
	if !ok {
		return history.Latest
	}
	µs, err := strconv.ParseInt(v, 10, 64)
	if err != nil || µs < 0 {
		q.fail("before", "%s: want µs since 1970, such as a bar's t", quoted(v))
	}
	return µs
}

// quoted returns a client's text for an error message: escaped, and cut after 60 bytes.
func quoted(v string) string {
	const most = 60
	if len(v) > most {
		v = strings.ToValidUTF8(v[:most], "") + "…"
	}
	return strconv.Quote(v)
}
