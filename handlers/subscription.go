package handlers

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/valyala/fasthttp"

	"ticklane/internal/auth"
	"ticklane/internal/quote"
	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

const (
	maxUser     = 64      // characters
	maxLimit    = 1 << 62 // ticks
	maxInterval = 5 * time.Second
	maxDelay    = time.Second
	// maxRead bounds one write of engine stream, in bytes: fasthttp's pipe copies each write and holds up to four.
	maxRead = 16 << 10
)

// Values of the lab's parameter compress.
const (
	compressOff = "off" // even if the client accepts it
	compressOn  = "on"  // if the client accepts it, however few streams share the encoder
)

// subscription is what a client requests of a stream.
type subscription struct {
	stream.Options
	view        *feedView
	topicNames  []string      // as requested
	lastEventID string        // parameter lastEventId, "" if missing; SSE only
	delay       time.Duration // lab: before each write
	plain       bool          // lab: uncompressed, whatever the client accepts
}

// subscriptions reads the requests for streams.
type subscriptions struct {
	set   Settings
	views *feedViews
	shard *shardEngine
	lab   bool // the lab is enabled
	auth  bool // the server requires credentials
}

// engines returns the engines that can serve a lane now, the default first.
func (s *subscriptions) engines(lane wire.Lane) []string { return s.shard.engines(lane, s.set.Engine) }

// compressions returns the values of the lab's parameter compress, none if the server doesn't compress.
func (s *subscriptions) compressions() []string {
	if !s.views.compressionEnabled() {
		return nil
	}
	return []string{compressOff, compressOn}
}

// parse reads the query of both lanes and, if the lab is enabled, the lab's own parameters, and chooses the view that the principal
// reads the topics from. p is nil for a client that has yet to send its token: see topics. The error is a problem.
func (s *subscriptions) parse(p *auth.Principal, args *fasthttp.Args, format wire.Format) (subscription, error) {
	q := &query{args: args}
	engines := s.engines(format.Lane())
	user, names, topics := q.user(), q.topicNames(), quote.Topics{}
	if p != nil {
		var err error
		topics, err = s.topics(p, names)
		q.failTopics("topics", err)
	}
	o := subscription{topicNames: names, Options: stream.Options{
		Format:    format,
		Engine:    engines[0],
		User:      user,
		Principal: p,
		Topics:    topics,
		MaxTopics: s.set.MaxTopics,
		Limit:     q.number("limit", 0, 1, maxLimit),
		Duration:  q.duration("duration", 0, 0),
		MaxRead:   maxRead,
	}}
	o.From, o.Position = q.from()
	// EventSource polyfills that can't set the header use this name.
	o.lastEventID, _ = q.get("lastEventId")
	interval := time.Duration(0)
	if q.choice("mode", "all", []string{"all", "latest"}) == "latest" {
		o.Mode, interval = stream.ModeLatest, s.set.Interval
	}
	o.Interval = q.duration("interval", interval, maxInterval)
	o.NoSnapshot = !q.flag("snapshot", true)
	if o.Channels = q.channels(); o.Channels&wire.Bars != 0 && o.Mode == stream.ModeLatest {
		q.fail("channels", "bars: want mode=all, since mode latest leaves out the ticks that end most bars")
	}
	if s.auth {
		q.get(ticketParameter) // see authentication
	}
	if s.lab {
		o.Engine = q.choice("engine", engines[0], engines)
		o.delay = q.duration("delay", 0, maxDelay)
		switch q.choice("compress", "", []string{compressOff, compressOn}) {
		case compressOff:
			o.plain = true
		case compressOn:
			if o.ForceCompress = true; !s.views.compressionEnabled() {
				q.fail("compress", `"on": stream.compress is off on this server`)
			}
		}
	} else {
		for _, name := range []string{"engine", "delay", "compress"} {
			if q.args.Has(name) { // otherwise it isn't one of the known names
				q.get(name)
				q.fail(name, "a parameter of the lab; start the server with lab.enabled")
			}
		}
	}
	err := q.err()
	if err == nil && p != nil {
		o.view, err = s.views.of(p, o.Topics)
	}
	return o, err
}

// topics returns a stream's topics, within the rights of a principal. The error is one of Rights.Topics.
func (s *subscriptions) topics(p *auth.Principal, names []string) (quote.Topics, error) {
	return p.Rights.Topics(s.views.universe(), names, s.set.MaxTopics)
}

// channelNames are the values of the parameter channels besides quotes, which is always there.
var channelNames = map[string]wire.Channels{"quotes": 0, "trades": wire.Trades, "bars": wire.Bars, "status": wire.Statuses}

// channels reads the kinds of messages that the stream carries, by default quotes alone.
func (q *query) channels() (c wire.Channels) {
	list, ok := q.get("channels")
	if !ok {
		return 0
	}
	names := strings.Split(list, ",")
	for _, name := range names {
		channel, known := channelNames[name]
		if !known {
			q.fail("channels", "%s: want quotes, and trades, bars or status where wanted, separated by commas", quoted(name))
			return 0
		}
		c |= channel
	}
	if !slices.Contains(names, "quotes") {
		q.fail("channels", "%s: want quotes among them: the positions of a stream are those of its quotes", quoted(list))
	}
	return c
}

// user reads the name of the client's user, by default anonymous.
func (q *query) user() string {
	user, _ := q.get("user")
	if user == "" {
		return "anonymous"
	}
	if !utf8.ValidString(user) {
		q.fail("user", "%s: want UTF-8", quoted(user))
		return ""
	}
	if n := utf8.RuneCountInString(user); n > maxUser {
		q.fail("user", "%d characters: want at most %d", n, maxUser)
	}
	for _, r := range user {
		if !unicode.IsPrint(r) {
			q.fail("user", "%s: the character %U is not printable", quoted(user), r)
			break
		}
	}
	return user
}

// from reads where the stream starts, by default at the newest tick.
func (q *query) from() (stream.From, quote.Position) {
	switch v, ok := q.get("from"); {
	case !ok, v == "latest":
		return stream.FromLatest, quote.Position{}
	case v == "oldest":
		return stream.FromOldest, quote.Position{}
	default:
		p, err := quote.ParsePosition(v)
		if err != nil {
			q.fail("from", "%s: want latest, oldest or a position <epoch>-<seq>, such as 9f3c1a-482913", quoted(v))
		}
		return stream.FromPosition, p
	}
}
