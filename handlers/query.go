package handlers

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/valyala/fasthttp"

	"ticklane/internal/quote"
	"ticklane/internal/shard"
	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

const (
	maxUser     = 64 // characters
	maxInterval = 5 * time.Second
	maxDelay    = time.Second
)

// query reads parameters and collects what is wrong with them, so that a client learns all at once.
type query struct {
	args *fasthttp.Args
	bad  []wrong
}

func (q *query) fail(name, format string, a ...any) {
	q.bad = append(q.bad, wrong{Parameter: name, Detail: fmt.Sprintf(format, a...)})
}

// get returns a parameter's value, copied: fasthttp reuses its memory. ok is false when it isn't given.
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

// err is the 400 for what was wrong, nil when nothing was.
func (q *query) err() error {
	if len(q.bad) == 0 {
		return nil
	}
	return badParameters(q.bad)
}

// Engines: what moves bytes from the log to the socket.
const (
	engineStream = "stream" // fasthttp's stream writer; on WebSocket the hijacked connection
	engineShard  = "shard"  // a few writers for all connections
)

// Engines are those that a server of this build has for each lane, the default first.
func Engines() [wire.Lanes][]string {
	all := [wire.Lanes][]string{wire.SSE: {engineStream}, wire.WS: {engineStream}}
	if shard.Available {
		for lane := range all {
			all[lane] = append(all[lane], engineShard)
		}
	}
	return all
}

// engines are those that a lane can have on this server, its own first.
func (s *Server) engines(lane wire.Lane) []string {
	all := Engines()[lane]
	if !s.shardable() {
		all = slices.DeleteFunc(all, func(e string) bool { return e == engineShard })
	}
	if k := slices.Index(all, s.set.Engine); k > 0 {
		all = slices.Insert(slices.Delete(all, k, k+1), 0, s.set.Engine)
	}
	return all
}

// What a lab may say of a stream's compression.
const (
	compressOff = "off" // even if the client offers it
	compressOn  = "on"  // if the client offers it, however few read the same
)

// compressions are those that a stream can have on this server: none to choose where nothing is compressed.
func (s *Server) compressions() []string {
	if !s.stream.CompressionEnabled() {
		return nil
	}
	return []string{compressOff, compressOn}
}

// subscription is what a client asked for.
type subscription struct {
	stream.Options
	delay time.Duration // planted before each write, in a lab
	plain bool          // whatever the client offers, in a lab
}

// subscription reads the query that both lanes take, and a lab's own parameters where there is one.
func (s *Server) subscription(args *fasthttp.Args, format wire.Format) (subscription, error) {
	q := &query{args: args}
	o := subscription{}
	o.Options = stream.Options{
		Format:    format,
		Engine:    s.engines(format.Lane())[0],
		User:      q.user(),
		Topics:    q.topics(s.stream.Universe(), s.set.MaxTopics),
		MaxTopics: s.set.MaxTopics,
		Limit:     q.limit(),
		Duration:  q.duration("duration", 0, 0),
		MaxRead:   maxRead,
	}
	o.From, o.Position = q.from()
	o.Mode = q.mode()
	least := time.Duration(0)
	if o.Mode == stream.ModeLatest {
		least = s.set.Interval
	}
	o.Interval = q.duration("interval", least, maxInterval)
	o.NoSnapshot = !q.flag("snapshot", true)
	if s.lab != nil {
		o.Engine = q.engine(s.engines(format.Lane()))
		o.delay = q.duration("delay", 0, maxDelay)
		o.plain, o.ForceCompress = q.compress(s.compressions())
	}
	return o, q.err()
}

func (q *query) user() string {
	user, _ := q.get("user")
	if user == "" {
		return "anonymous"
	}
	if !utf8.ValidString(user) {
		q.fail("user", "not UTF-8")
		return ""
	}
	if n := utf8.RuneCountInString(user); n > maxUser {
		q.fail("user", "%d characters; at most %d are allowed", n, maxUser)
	}
	for _, r := range user {
		if !unicode.IsPrint(r) {
			q.fail("user", "character %U is not printable", r)
			break
		}
	}
	return user
}

func (q *query) topics(u *quote.Universe, most int) quote.Topics {
	list, ok := q.get("topics")
	if !ok {
		list = quote.All
	}
	t, err := u.Topics(quote.SplitTopics(list), most)
	if err != nil {
		q.fail("topics", "%v", err)
	}
	return t
}

func (q *query) from() (stream.From, quote.Position) {
	switch v, ok := q.get("from"); {
	case !ok, v == "latest":
		return stream.FromLatest, quote.Position{}
	case v == "oldest":
		return stream.FromOldest, quote.Position{}
	default:
		p, err := quote.ParsePosition(v)
		if err != nil {
			q.fail("from", `%s: want latest, oldest or a position: %v`, quoted(v), err)
		}
		return stream.FromPosition, p
	}
}

func (q *query) mode() stream.Mode {
	switch v, ok := q.get("mode"); {
	case !ok, v == "all":
		return stream.ModeAll
	case v == "latest":
		return stream.ModeLatest
	default:
		q.fail("mode", "%s: want all or latest", quoted(v))
		return stream.ModeAll
	}
}

// engine is one of those that there are, by default the first.
func (q *query) engine(all []string) string {
	v, ok := q.get("engine")
	if !ok {
		return all[0]
	}
	if !slices.Contains(all, v) {
		q.fail("engine", "%s: want %s on this lane", quoted(v), strings.Join(all, " or "))
	}
	return v
}

// compress is a lab's word on this stream's compression: refused, or insisted on, or neither.
func (q *query) compress(can []string) (off, on bool) {
	v, ok := q.get("compress")
	switch {
	case !ok:
	case v != compressOff && v != compressOn:
		q.fail("compress", "%s: want off or on", quoted(v))
	case v == compressOn && len(can) == 0:
		q.fail("compress", "%s: stream.compress is off on this server", quoted(v))
	}
	return v == compressOff, v == compressOn
}

func (q *query) limit() uint64 { return q.number("limit", 0, 1, 1<<62) }

// number reads a whole number in least..most.
func (q *query) number(name string, def, least, most uint64) uint64 {
	v, ok := q.get(name)
	if !ok {
		return def
	}
	n, err := strconv.ParseUint(v, 10, 64)
	if err != nil || n < least || n > most {
		if most >= 1<<62 {
			q.fail(name, "%s: want a whole number of at least %d", quoted(v), least)
		} else {
			q.fail(name, "%s: want a whole number from %d to %d", quoted(v), least, most)
		}
		return def
	}
	return n
}

// duration reads a Go duration: above 0 when most is 0, else in 0..most.
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

func (q *query) flag(name string, def bool) bool {
	switch v, ok := q.get(name); {
	case !ok:
		return def
	case v == "true", v == "false":
		return v == "true"
	default:
		q.fail(name, "%s: want true or false", quoted(v))
		return def
	}
}

// quoted shows a client's own text in an error: escaped, and not more of it than a person reads.
func quoted(v string) string {
	const most = 60
	if len(v) > most {
		v = strings.ToValidUTF8(v[:most], "") + "…"
	}
	return strconv.Quote(v)
}
