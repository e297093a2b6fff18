package quote

import (
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
	const maxNames, maxName = 5, 40
	var b strings.Builder
	b.WriteString("unknown topic")
	if len(e.Names) > 1 {
		b.WriteByte('s')
	}
	for i, n := range e.Names {
		if i == maxNames {
			fmt.Fprintf(&b, " and %d more", len(e.Names)-maxNames)
			break
		}
		if i > 0 {
			b.WriteByte(',')
		}
		if len(n) > maxName {
			n = n[:maxName] + "…"
		}
		fmt.Fprintf(&b, " %q", n)
	}
	b.WriteString(`: want a symbol ("AAPL"), a sector ("sector:technology") or "*"; /api/symbols lists all`)
	if e.Meant != "" {
		fmt.Fprintf(&b, "; did you mean %q?", e.Meant)
	}
	return b.String()
}

// Topics is a set of topics together with the symbols that it selects. The zero value is the empty set. Topics are immutable
// and safe for concurrent use.
type Topics struct {
	names []string
	ids   []ID // ascending, without duplicates
	bits  []uint64
	all   bool
}

// Topics returns the set of the named topics; duplicates are removed. The error is an *UnknownTopicError with all unknown names,
// or wraps ErrTooManyTopics if there are more than limit different names; a limit of 0 means none.
func (u *Universe) Topics(names []string, limit int) (Topics, error) {
	var t Topics
	var unknown []string
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		if seen[name] {
			continue
		}
		seen[name] = true
		if !u.known(name) {
			unknown = append(unknown, strings.Clone(name))
			continue
		}
		t.names = append(t.names, strings.Clone(name))
	}
	if len(unknown) > 0 {
		return Topics{}, &UnknownTopicError{Names: unknown, Meant: u.meant(unknown)}
	}
	if limit > 0 && len(t.names) > limit {
		return Topics{}, fmt.Errorf("%w: %d given, at most %d allowed", ErrTooManyTopics, len(t.names), limit)
	}
	u.resolve(&t)
	return t, nil
}

// Add returns the union of t and the named topics, with the same errors as Topics, and the set of the topics that were added.
// On an error sum is t.
func (u *Universe) Add(t Topics, names []string, limit int) (sum, added Topics, err error) {
	more, err := u.Topics(names, 0)
	if err != nil {
		return t, Topics{}, err
	}
	sum.names = slices.Clone(t.names)
	for _, n := range more.names {
		if !slices.Contains(t.names, n) {
			sum.names = append(sum.names, n)
			added.names = append(added.names, n)
		}
	}
	if limit > 0 && len(sum.names) > limit {
		return t, Topics{}, fmt.Errorf("%w: %d together, at most %d allowed", ErrTooManyTopics, len(sum.names), limit)
	}
	u.resolve(&sum)
	u.resolve(&added)
	return sum, added, nil
}

// Remove returns t without the named topics. Names that are not in t are ignored, but unknown ones are an error, on which
// Remove returns t.
func (u *Universe) Remove(t Topics, names []string) (Topics, error) {
	less, err := u.Topics(names, 0)
	if err != nil {
		return t, err
	}
	var rest Topics
	for _, n := range t.names {
		if !slices.Contains(less.names, n) {
			rest.names = append(rest.names, n)
		}
	}
	u.resolve(&rest)
	return rest, nil
}

// meant returns the topic that the first possible one of unknown names is in another case or without blanks, "" if there is
// none: symbols are too short for more likeness.
func (u *Universe) meant(names []string) string {
	for _, name := range names {
		name = strings.TrimSpace(name)
		for _, topic := range []string{name, strings.ToUpper(name), strings.ToLower(name)} {
			if u.known(topic) {
				return topic
			}
		}
	}
	return ""
}

// known reports whether a topic with this name exists.
func (u *Universe) known(name string) bool {
	if name == All {
		return true
	}
	if s, ok := strings.CutPrefix(name, SectorPrefix); ok {
		return len(u.members[s]) > 0
	}
	_, ok := u.byName[name]
	return ok
}

// resolve sets t's symbols from its names. Sets of all symbols share their memory, which is large for many symbols.
func (u *Universe) resolve(t *Topics) {
	if slices.Contains(t.names, All) {
		t.bits, t.ids, t.all = u.all.bits, u.all.ids, true
		return
	}
	t.bits = make([]uint64, (len(u.instruments)+63)/64)
	for _, name := range t.names {
		if s, sector := strings.CutPrefix(name, SectorPrefix); sector {
			for _, id := range u.members[s] {
				t.set(id)
			}
		} else {
			t.set(u.byName[name])
		}
	}
	for i := range u.instruments {
		if t.Has(ID(i)) {
			t.ids = append(t.ids, ID(i))
		}
	}
	t.all = len(t.ids) == len(u.instruments)
}

// everything returns the set of all symbols, without names.
func (u *Universe) everything() Topics {
	t := Topics{bits: make([]uint64, (len(u.instruments)+63)/64), ids: make([]ID, len(u.instruments)), all: true}
	for i := range u.instruments {
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

// Every reports whether the set contains all symbols of the universe.
func (t Topics) Every() bool { return t.all }

// IDs returns the symbols in ascending order. The caller must not change the slice.
func (t Topics) IDs() []ID { return t.ids }

// Names returns the topics in the order in which they were requested. The caller must not change the slice.
func (t Topics) Names() []string { return t.names }
