package quote

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// All is the topic of all symbols. The topic of a sector is SectorPrefix and its name.
const (
	All          = "*"
	SectorPrefix = "sector:"
)

// ErrTooManyTopics is the error of a list with more topics than the caller allows.
var ErrTooManyTopics = errors.New("too many topics")

// UnknownTopicError lists the topics that the universe doesn't have.
type UnknownTopicError struct {
	Names []string
	Meant string // the topic that one of them is in another case or without blanks; empty if there is none
}

func (e *UnknownTopicError) Error() string {
	var b strings.Builder
	b.WriteString("unknown topic")
	writeNames(&b, e.Names)
	b.WriteString(`: want a symbol ("AAPL"), a sector ("sector:technology") or "*"; /api/symbols lists all`)
	if e.Meant != "" {
		fmt.Fprintf(&b, "; did you mean %q?", e.Meant)
	}
	return b.String()
}

// ForbiddenTopicError lists the topics that a client may not read. A client that may not read all gets it for unknown topics too, so
// that it can't find out which exist.
type ForbiddenTopicError struct{ Names []string }

func (e *ForbiddenTopicError) Error() string {
	var b strings.Builder
	b.WriteString("no right to read the topic")
	writeNames(&b, e.Names)
	b.WriteString(`: /api/symbols lists what you may read, and "*" stands for all of it`)
	return b.String()
}

// writeNames writes a list of topics, the first five of them, after a word in the singular.
func writeNames(b *strings.Builder, names []string) {
	const maxNames, maxName = 5, 40
	if len(names) > 1 {
		b.WriteByte('s')
	}
	for i, n := range names {
		if i == maxNames {
			fmt.Fprintf(b, " and %d more", len(names)-maxNames)
			break
		}
		if i > 0 {
			b.WriteByte(',')
		}
		if len(n) > maxName {
			n = strings.ToValidUTF8(n[:maxName], "") + "…"
		}
		fmt.Fprintf(b, " %q", n)
	}
}

// Topics is a set of topics together with the symbols that it selects, as of the time at which it was made: see Universe.Current. The
// zero value is the empty set. Topics are immutable and safe for concurrent use.
type Topics struct {
	names  []string
	within []string // the topics that All selects; nil for all symbols
	ids    []ID     // ascending, without duplicates
	bits   []uint64
	all    bool
	size   int      // of the universe when the set was made
	grows  []string // the topics of a growing universe that may select others later, sorted; only of sets with all false
}

// Topics returns the set of the named topics; duplicates are removed. The error is an *UnknownTopicError with all unknown names,
// or wraps ErrTooManyTopics if there are more than limit different names; a limit of 0 means none.
func (u *Universe) Topics(names []string, limit int) (Topics, error) {
	return u.TopicsWithin(names, nil, limit)
}

// TopicsWithin is Topics for a client whose All selects what the topics of within select, or all symbols if that is nil. Topics of
// within may be unknown: in a growing universe they select instruments that are added later.
func (u *Universe) TopicsWithin(names, within []string, limit int) (Topics, error) {
	return u.current.Load().topics(names, within, limit)
}

func (l *listing) topics(names, within []string, limit int) (Topics, error) {
	t := Topics{within: within}
	var unknown []string
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		if seen[name] {
			continue
		}
		seen[name] = true
		if !l.known(name) {
			unknown = append(unknown, strings.Clone(name))
			continue
		}
		t.names = append(t.names, strings.Clone(name))
	}
	if len(unknown) > 0 {
		return Topics{}, &UnknownTopicError{Names: unknown, Meant: l.meant(unknown)}
	}
	if limit > 0 && len(t.names) > limit {
		return Topics{}, fmt.Errorf("%w: %d given, at most %d allowed", ErrTooManyTopics, len(t.names), limit)
	}
	l.resolve(&t)
	return t, nil
}

// Add returns the union of t and the named topics, with the same errors as Topics, and the set of the topics that were added.
// On an error sum is t. All selects the same in both.
func (u *Universe) Add(t Topics, names []string, limit int) (sum, added Topics, err error) {
	l := u.current.Load()
	more, err := l.topics(names, t.within, 0)
	if err != nil {
		return t, Topics{}, err
	}
	sum.names, sum.within, added.within = slices.Clone(t.names), t.within, t.within
	for _, n := range more.names {
		if !slices.Contains(t.names, n) {
			sum.names = append(sum.names, n)
			added.names = append(added.names, n)
		}
	}
	if limit > 0 && len(sum.names) > limit {
		return t, Topics{}, fmt.Errorf("%w: %d together, at most %d allowed", ErrTooManyTopics, len(sum.names), limit)
	}
	l.resolve(&sum)
	l.resolve(&added)
	return sum, added, nil
}

// Remove returns t without the named topics. Names that are not in t are ignored, but unknown ones are an error, on which
// Remove returns t.
func (u *Universe) Remove(t Topics, names []string) (Topics, error) {
	l := u.current.Load()
	less, err := l.topics(names, t.within, 0)
	if err != nil {
		return t, err
	}
	rest := Topics{within: t.within}
	for _, n := range t.names {
		if !slices.Contains(less.names, n) {
			rest.names = append(rest.names, n)
		}
	}
	l.resolve(&rest)
	return rest, nil
}

// Within returns the set of t's topics whose All selects what the topics of within select, and the symbols of that which t doesn't
// have: see TopicsWithin.
func (u *Universe) Within(t Topics, within []string) (now, added Topics) {
	l := u.current.Load()
	now = Topics{names: t.names, within: within}
	l.resolve(&now)
	added = Topics{bits: make([]uint64, len(now.bits)), size: now.size}
	for _, id := range now.ids {
		if !t.Has(id) {
			added.ids = append(added.ids, id)
			added.set(id)
		}
	}
	return now, added
}

// Outdated reports whether instruments were added after t was made.
func (u *Universe) Outdated(t Topics) bool {
	return u.growing && t.size != len(u.current.Load().instruments)
}

// Current returns t with the instruments of its sectors and of "*" that were added after it was made. It is t if there are none.
func (u *Universe) Current(t Topics) Topics {
	l := u.current.Load()
	switch {
	case !u.growing || t.size == len(l.instruments):
		return t
	case len(t.names) == 0 && t.all:
		return l.all
	}
	now := Topics{names: t.names, within: t.within}
	l.resolve(&now)
	return now
}

// meant returns the topic that the first possible one of unknown names is in another case or without blanks, "" if there is
// none: symbols are too short for more likeness.
func (l *listing) meant(names []string) string {
	for _, name := range names {
		name = strings.TrimSpace(name)
		for _, topic := range []string{name, strings.ToUpper(name), strings.ToLower(name)} {
			if l.known(topic) {
				return topic
			}
		}
	}
	return ""
}

// known reports whether a topic with this name exists.
func (l *listing) known(name string) bool {
	if name == All {
		return true
	}
	if s, ok := strings.CutPrefix(name, SectorPrefix); ok {
		return len(l.members[s]) > 0
	}
	_, ok := l.byName[name]
	return ok
}

// resolve sets t's symbols from its names. Sets of all symbols share their memory, which is large for many symbols.
func (l *listing) resolve(t *Topics) {
	t.size = len(l.instruments)
	every := slices.Contains(t.names, All)
	if every && t.within == nil {
		t.bits, t.ids, t.all = l.all.bits, l.all.ids, true
		return
	}
	t.bits = make([]uint64, (len(l.instruments)+63)/64)
	l.add(t, t.names)
	if every {
		l.add(t, t.within)
	}
	for i := range l.instruments {
		if t.Has(ID(i)) {
			t.ids = append(t.ids, ID(i))
		}
	}
	t.all = len(t.ids) == len(l.instruments) && !l.growing // a growing universe may get others
	slices.Sort(t.grows)
	t.grows = slices.Compact(t.grows)
}

// add adds the symbols that topics other than All select.
func (l *listing) add(t *Topics, names []string) {
	for _, name := range names {
		sector, isSector := strings.CutPrefix(name, SectorPrefix)
		id, isSymbol := l.byName[name]
		switch {
		case name == All:
		case isSector:
			for _, id := range l.members[sector] {
				t.set(id)
			}
		case isSymbol:
			t.set(id)
		}
		if l.growing && name != All && !isSymbol {
			t.grows = append(t.grows, name)
		}
	}
}

// everything returns the set of all symbols, without names.
func (l *listing) everything() Topics {
	t := Topics{bits: make([]uint64, (len(l.instruments)+63)/64), ids: make([]ID, len(l.instruments)), all: true, size: len(l.instruments)}
	for i := range l.instruments {
		t.ids[i] = ID(i)
		t.set(ID(i))
	}
	return t
}

func (t *Topics) set(id ID) { t.bits[id/64] |= 1 << (id % 64) }

// Has reports whether the symbol is in the set.
func (t Topics) Has(id ID) bool {
	w := int(id / 64)
	return w < len(t.bits) && t.bits[w]&(1<<(id%64)) != 0
}

// Every reports whether the set contains all symbols of the universe, also those that a growing one gets.
func (t Topics) Every() bool { return t.all }

// AppendKey appends a text that two sets of a universe share only if they select the same symbols, now and after the universe has
// grown.
func (t Topics) AppendKey(key []byte) []byte {
	if t.all {
		return append(key, 0)
	}
	for _, id := range t.ids {
		key = binary.AppendUvarint(key, uint64(id)+1)
	}
	for _, name := range t.grows {
		key = append(append(key, 0), name...)
	}
	return key
}

// IDs returns the symbols in ascending order. The caller must not change the slice.
func (t Topics) IDs() []ID { return t.ids }

// Names returns the topics in the order in which they were requested. The caller must not change the slice.
func (t Topics) Names() []string { return t.names }
