package quote

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// All is the topic of every symbol; SectorPrefix starts the topic of one sector.
const (
	All          = "*"
	SectorPrefix = "sector:"
)

// ErrTooManyTopics says that a list holds more topics than the caller allows.
var ErrTooManyTopics = errors.New("too many topics")

// UnknownTopicError names topics that the universe doesn't have. An empty name stands for an empty topic.
type UnknownTopicError struct{ Names []string }

func (e *UnknownTopicError) Error() string {
	const most = 5
	var b strings.Builder
	b.WriteString("unknown topic")
	if len(e.Names) > 1 {
		b.WriteByte('s')
	}
	for i, n := range e.Names {
		if i == most {
			fmt.Fprintf(&b, " and %d more", len(e.Names)-most)
			break
		}
		if i > 0 {
			b.WriteByte(',')
		}
		if len(n) > 40 {
			n = n[:40] + "…"
		}
		fmt.Fprintf(&b, " %q", n)
	}
	b.WriteString(`: want a symbol ("AAPL"), a sector ("sector:technology") or "*"`)
	return b.String()
}

// Topics is a set of topics and the symbols that they stand for. The zero value is the empty set;
// a Topics is immutable and may be shared.
type Topics struct {
	names []string
	ids   []ID // ascending, without doubles
	bits  []uint64
	all   bool
}

// Topics resolves names. Doubles merge. Unknown names give an *UnknownTopicError that tells all of them;
// more than most different names (when most > 0) give an error that wraps ErrTooManyTopics.
func (u *Universe) Topics(names []string, most int) (Topics, error) {
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
		return Topics{}, &UnknownTopicError{Names: unknown}
	}
	if most > 0 && len(t.names) > most {
		return Topics{}, fmt.Errorf("%w: %d given, at most %d allowed", ErrTooManyTopics, len(t.names), most)
	}
	u.resolve(&t)
	return t, nil
}

// Add returns t with more names in it, checked as Topics does, and the part of t that is new.
func (u *Universe) Add(t Topics, names []string, most int) (sum, added Topics, err error) {
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
	if most > 0 && len(sum.names) > most {
		return t, Topics{}, fmt.Errorf("%w: %d together, at most %d allowed", ErrTooManyTopics, len(sum.names), most)
	}
	u.resolve(&sum)
	u.resolve(&added)
	return sum, added, nil
}

// Remove returns t without the names; names that are known but not in t are no error.
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

func (u *Universe) resolve(t *Topics) {
	t.bits = make([]uint64, (len(u.symbols)+63)/64)
	for _, name := range t.names {
		switch s, sector := strings.CutPrefix(name, SectorPrefix); {
		case name == All:
			t.all = true
			for i := range u.symbols {
				t.set(ID(i))
			}
		case sector:
			for _, id := range u.members[s] {
				t.set(id)
			}
		default:
			t.set(u.byName[name])
		}
	}
	for i := range u.symbols {
		if t.Has(ID(i)) {
			t.ids = append(t.ids, ID(i))
		}
	}
	t.all = t.all || len(t.ids) == len(u.symbols)
}

func (t *Topics) set(id ID) { t.bits[id/64] |= 1 << (id % 64) }

// Has tells whether the symbol is in the set.
func (t Topics) Has(id ID) bool {
	w := int(id / 64)
	return w < len(t.bits) && t.bits[w]&(1<<(id%64)) != 0
}

// Every tells whether the set holds every symbol of the universe.
func (t Topics) Every() bool { return t.all }

// IDs returns the symbols in ascending order. The caller must not change the slice.
func (t Topics) IDs() []ID { return t.ids }

// Names returns the topics as they were asked for, doubles merged. The caller must not change the slice.
func (t Topics) Names() []string { return t.names }

// SplitTopics cuts a comma list as it stands in a query. Empty places stay, so that Topics can refuse them.
func SplitTopics(list string) []string { return strings.Split(list, ",") }
