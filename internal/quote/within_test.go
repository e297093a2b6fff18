package quote

import (
	"slices"
	"testing"
)

func names(u *Universe, t Topics) (all []string) {
	for _, id := range t.IDs() {
		all = append(all, u.Instrument(id).Symbol)
	}
	return all
}

func TestTopicsWithin(t *testing.T) {
	u := growing(t, 10, "A x", "B x", "C y")
	within := []string{"A", "sector:y", "E"}
	topics, err := u.TopicsWithin([]string{All}, within, 1)
	if err != nil || topics.Every() || !slices.Equal(names(u, topics), []string{"A", "C"}) || !slices.Equal(topics.Names(), []string{All}) {
		t.Fatalf("%v of %v, %v", names(u, topics), topics.Names(), err)
	}
	sum, added, err := u.Add(topics, []string{"C"}, 2)
	if err != nil || !slices.Equal(names(u, sum), []string{"A", "C"}) || !slices.Equal(names(u, added), []string{"C"}) {
		t.Errorf("added C: %v, %v", names(u, sum), err)
	}
	if rest, err := u.Remove(sum, []string{All}); err != nil || !slices.Equal(names(u, rest), []string{"C"}) {
		t.Errorf("without *: %v, %v", names(u, rest), err)
	}
	if back, _, err := u.Add(Topics{within: within}, []string{All}, 2); err != nil || !slices.Equal(names(u, back), []string{"A", "C"}) {
		t.Errorf("* again: %v, %v", names(u, back), err)
	}
	if err := u.Grow(inSectors([]string{"D y", "E z", "F x"})); err != nil {
		t.Fatal(err)
	}
	if now := u.Current(topics); !slices.Equal(names(u, now), []string{"A", "C", "D", "E"}) {
		t.Errorf("after growth: %v", names(u, now))
	}
	wider, added := u.Within(topics, nil)
	if !wider.Every() || !slices.Equal(names(u, added), []string{"B", "D", "E", "F"}) {
		t.Errorf("wider: %v, added %v", wider.Every(), names(u, added))
	}
	if narrower, added := u.Within(topics, []string{"A"}); !slices.Equal(names(u, narrower), []string{"A"}) || len(added.IDs()) > 0 {
		t.Errorf("narrower: %v, added %v", names(u, narrower), names(u, added))
	}
}

// TestKeysOfTopics: sets with the same symbols have the same key, unless one of them may get others later.
func TestKeysOfTopics(t *testing.T) {
	fixed, err := NewUniverse(inSectors([]string{"A x", "B y"}))
	if err != nil {
		t.Fatal(err)
	}
	open := growing(t, 10, "A x", "B y")
	key := func(u *Universe, within []string, topics ...string) string {
		set, err := u.TopicsWithin(topics, within, 0)
		if err != nil {
			t.Fatal(err)
		}
		return string(set.AppendKey(nil))
	}
	for _, c := range []struct {
		what      string
		one, two  string
		different bool
	}{
		{"a sector of one symbol in a fixed universe", key(fixed, nil, "A"), key(fixed, nil, "sector:x"), false},
		{"all symbols of a fixed universe", key(fixed, nil, "*"), key(fixed, nil, "A", "sector:y"), false},
		{"* within all of a fixed universe", key(fixed, nil, "*"), key(fixed, []string{"A", "B"}, "*"), false},
		{"a sector of a growing universe", key(open, nil, "A"), key(open, nil, "sector:x"), true},
		{"all symbols of a growing universe", key(open, nil, "*"), key(open, nil, "A", "B"), true},
		{"* within today's symbols", key(open, nil, "*"), key(open, []string{"A", "B"}, "*"), true},
		{"* within symbols that don't exist", key(open, []string{"A"}, "*"), key(open, []string{"A", "C"}, "*"), true},
		{"* within a symbol", key(open, nil, "A"), key(open, []string{"A"}, "*"), false},
		{"order", key(open, nil, "sector:x", "sector:y"), key(open, nil, "sector:y", "sector:x"), false},
	} {
		if (c.one != c.two) != c.different {
			t.Errorf("%s: keys %q and %q", c.what, c.one, c.two)
		}
	}
}
