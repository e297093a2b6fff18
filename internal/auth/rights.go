package auth

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"ticklane/internal/excerpt"
	"ticklane/internal/quote"
	"ticklane/internal/strictjson"
)

// Action is something that a right may allow besides reading and ingesting topics.
type Action string

// The actions.
const (
	Lab         Action = "lab"         // run experiments
	Metrics     Action = "metrics"     // read metrics, counters and profiles
	Connections Action = "connections" // list open streams
	Reports     Action = "reports"     // read reports of the load tester
	Admin       Action = "admin"       // revoke tokens; includes all other actions
)

var actions = []Action{Lab, Metrics, Connections, Reports, Admin}

// Limits of a list of rights.
const (
	maxRights = 64
	maxTopics = 512 // of one right, in each of read and write
	maxTopic  = len(quote.SectorPrefix) + quote.MaxSymbol
	maxDelay  = 7 * 24 * time.Hour
	maxNumber = 1_000_000
)

// Rights is what a principal may do: the union of a list of entries. The zero value allows nothing. It is immutable.
type Rights struct {
	entries  []entry
	read     map[string]time.Duration // how far behind each topic may be read: the least of the entries that list it
	readable []string                 // the keys of read, in the order of the entries
	key      string                   // see Key
	write    map[string]bool          // topics
	actions  map[Action]bool
	streams  int
	requests float64
}

// entry is one right.
type entry struct {
	read, write []string // topics
	delay       time.Duration
}

// everything is the rights of Unrestricted.
var everything = Rights{
	entries: []entry{{read: []string{quote.All}, write: []string{quote.All}}},
	read:    map[string]time.Duration{quote.All: 0}, readable: []string{quote.All}, write: map[string]bool{quote.All: true}, actions: map[Action]bool{Admin: true},
}

// right is an entry as it is written in tokens.
type right struct {
	Read     []string `json:"read"`
	Delay    string   `json:"delay"`    // a Go duration, "15m"
	Write    []string `json:"write"`    // topics that may be ingested
	May      []Action `json:"may"`      // other actions
	Streams  int      `json:"streams"`  // most open streams of the subject; 0 for the server's limits only
	Requests float64  `json:"requests"` // most HTTP requests of the subject per second; 0 for the server's limits only
}

// ParseRights parses a JSON list of rights. One malformed entry is an error, which names it:
//
//	[{"read":["AAPL","sector:technology"],"delay":"15m","write":["*"],"may":["lab"],"streams":5,"requests":50}]
func ParseRights(text []byte) (Rights, error) {
	if !utf8.Valid(text) {
		return Rights{}, errors.New("rights: want UTF-8")
	}
	var list []json.RawMessage
	if err := json.Unmarshal(text, &list); err != nil || list == nil {
		return Rights{}, errors.New(`rights: want a JSON list such as [{"read":["*"]}]`)
	}
	if len(list) > maxRights {
		return Rights{}, fmt.Errorf("rights: %d entries; want at most %d", len(list), maxRights)
	}
	all := Rights{read: map[string]time.Duration{}, write: map[string]bool{}, actions: map[Action]bool{}}
	for i, text := range list {
		if text[0] != '{' {
			return Rights{}, fmt.Errorf("rights: entry %d: want an object", i+1)
		}
		if err := strictjson.CheckMembers(text, "read", "delay", "write", "may", "streams", "requests"); err != nil {
			return Rights{}, fmt.Errorf("rights: entry %d: %w", i+1, err)
		}
		var r right
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields() // those that start with an underscore
		if err := d.Decode(&r); err != nil {
			return Rights{}, fmt.Errorf("rights: entry %d: %w", i+1, entryError(err))
		}
		if err := all.add(&r); err != nil {
			return Rights{}, fmt.Errorf("rights: entry %d: %w", i+1, err)
		}
	}
	all.key = keyOf(all.readable)
	return all, nil
}

// entryError returns an error of encoding/json without the names of Go's types.
func entryError(err error) error {
	if typ, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		want := map[string]string{"streams": "a whole number", "requests": "a number", "delay": `a text such as "15m"`}[typ.Field]
		return fmt.Errorf("%s: want %s, got %s", typ.Field, cmp.Or(want, "a list of texts"), typ.Value)
	}
	return err
}

// MarshalJSON returns the rights as ParseRights reads them. Equal texts mean equal rights.
func (r Rights) MarshalJSON() ([]byte, error) {
	type right struct {
		Read     []string `json:"read,omitempty"`
		Delay    string   `json:"delay,omitempty"`
		Write    []string `json:"write,omitempty"`
		May      []Action `json:"may,omitempty"`
		Streams  int      `json:"streams,omitempty"`
		Requests float64  `json:"requests,omitempty"`
	}
	list := make([]right, len(r.entries))
	for i, e := range r.entries {
		list[i] = right{Read: e.read, Write: e.write}
		if e.delay > 0 {
			list[i].Delay = e.delay.String()
		}
		if i == 0 { // what belongs to the whole list
			list[0].May, list[0].Streams, list[0].Requests = slices.Sorted(maps.Keys(r.actions)), r.streams, r.requests
		}
	}
	return json.Marshal(list)
}

func (r *Rights) add(from *right) error {
	e := entry{read: from.Read, write: from.Write}
	for _, list := range []struct {
		name   string
		topics []string
	}{{"read", from.Read}, {"write", from.Write}} {
		if len(list.topics) > maxTopics {
			return fmt.Errorf("%s: %d topics; want at most %d", list.name, len(list.topics), maxTopics)
		}
		for _, topic := range list.topics {
			if !validTopic(topic) {
				return fmt.Errorf(`%s: %q: want a symbol, "sector:…" or "*"`, list.name, excerpt.Of(topic))
			}
		}
	}
	if from.Delay != "" {
		d, err := time.ParseDuration(from.Delay)
		if err != nil || d < 0 || d > maxDelay {
			return fmt.Errorf(`delay: %q: want a duration from 0s to %s, such as "15m"`, excerpt.Of(from.Delay), maxDelay)
		}
		e.delay = d
	}
	for _, a := range from.May {
		if !slices.Contains(actions, a) {
			return fmt.Errorf("may: unknown %q; want %s", excerpt.Of(string(a)), joined(actions))
		}
		r.actions[a] = true
	}
	if from.Streams < 0 || from.Streams > maxNumber {
		return fmt.Errorf("streams: %d: want 0 to %d", from.Streams, maxNumber)
	}
	if !(from.Requests >= 0 && from.Requests <= maxNumber) {
		return fmt.Errorf("requests: %v: want 0 to %d per second", from.Requests, maxNumber)
	}
	r.streams, r.requests = max(r.streams, from.Streams), max(r.requests, from.Requests)
	for _, topic := range from.Read {
		before, known := r.read[topic]
		if !known {
			r.readable = append(r.readable, topic)
		}
		if !known || e.delay < before {
			r.read[topic] = e.delay
		}
	}
	for _, topic := range from.Write {
		r.write[topic] = true
	}
	r.entries = append(r.entries, e)
	return nil
}

func validTopic(topic string) bool {
	if sector, ok := strings.CutPrefix(topic, quote.SectorPrefix); ok {
		return sector != "" && len(topic) <= maxTopic
	}
	return topic == quote.All || quote.ValidSymbol(topic)
}

// May reports whether the rights allow an action.
func (r *Rights) May(a Action) bool { return r.actions[a] || r.actions[Admin] }

// Actions returns the actions that the rights allow, never nil.
func (r *Rights) Actions() []Action {
	may := []Action{}
	for _, a := range actions {
		if r.May(a) {
			may = append(may, a)
		}
	}
	return may
}

// Streams returns how many streams the subject may have open, 0 for no limit besides the server's.
func (r *Rights) Streams() int { return r.streams }

// Requests returns how many HTTP requests the subject may make per second, 0 for no limit besides the server's.
func (r *Rights) Requests() float64 { return r.requests }

// ReadsAll reports whether every topic may be read, whatever its delay.
func (r *Rights) ReadsAll() bool {
	_, ok := r.read[quote.All]
	return ok
}

// DelayOf returns how far behind the feed a topic may be read: the least delay of the entries that cover it. ok is false if
// none does. A symbol is covered by its name, its sector or "*"; a sector by itself or "*". sector is that of a symbol, "" for
// a topic that isn't one.
func (r *Rights) DelayOf(topic, sector string) (delay time.Duration, ok bool) {
	for _, by := range [...]string{topic, quote.All, quote.SectorPrefix + sector} {
		if d, covered := r.read[by]; covered && (!ok || d < delay) {
			delay, ok = d, true
		}
	}
	return delay, ok
}

// CanRead reports whether a topic may be read, however far behind: see DelayOf.
func (r *Rights) CanRead(topic, sector string) bool {
	_, ok := r.DelayOf(topic, sector)
	return ok
}

// CanWrite reports whether ticks of a symbol may be ingested.
func (r *Rights) CanWrite(symbol, sector string) bool {
	return r.write[quote.All] || r.write[symbol] || r.write[quote.SectorPrefix+sector]
}

// WritesAny reports whether ticks of any symbol may be ingested.
func (r *Rights) WritesAny() bool { return len(r.write) > 0 }

// Readable returns the topics that may be read, as they are written in the entries, without duplicates. The caller must not change
// the slice.
func (r *Rights) Readable() []string { return r.readable }

func joined(list []Action) string {
	names := make([]string, len(list))
	for i, a := range list {
		names[i] = string(a)
	}
	return strings.Join(names, ", ")
}
