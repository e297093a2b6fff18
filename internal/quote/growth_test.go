package quote

import (
	"slices"
	"strings"
	"sync"
	"testing"
)

func growing(t *testing.T, limit int, symbols ...string) *Universe {
	t.Helper()
	u, err := NewGrowingUniverse(inSectors(symbols), limit)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// inSectors returns instruments from "SYMBOL sector".
func inSectors(list []string) []Instrument {
	var all []Instrument
	for _, entry := range list {
		symbol, sector, _ := strings.Cut(entry, " ")
		all = append(all, Instrument{Symbol: symbol, Sector: sector})
	}
	return all
}

func TestGrow(t *testing.T) {
	u := growing(t, 4)
	if u.Len() != 0 || u.Limit() != 4 || u.Sectors() == nil || len(u.Sectors()) != 0 { // nil would be null in JSON
		t.Fatalf("an empty universe has %d symbols, limit %d, sectors %v", u.Len(), u.Limit(), u.Sectors())
	}
	if err := u.Grow(inSectors([]string{"A fx", "B metals"})); err != nil {
		t.Fatal(err)
	}
	before := u.Instruments()
	if err := u.Grow(inSectors([]string{"C fx"})); err != nil {
		t.Fatal(err)
	}
	if id, ok := u.Lookup("C"); !ok || id != 2 || u.Instrument(id).Symbol != "C" {
		t.Errorf("C has ID %d", id)
	}
	if len(before) != 2 || !slices.Equal(u.Sectors(), []string{"fx", "metals"}) {
		t.Errorf("%d instruments before, sectors %v", len(before), u.Sectors())
	}
	for want, list := range map[string][]string{
		"5 instruments are more than the limit of 4": {"D fx", "E fx"},
		"instrument A: listed twice":                 {"A fx"},
		`instrument D: sector: ""`:                   {"D"},
	} {
		if err := u.Grow(inSectors(list)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v: got %v, want %s", list, err, want)
		}
	}
	if _, ok := u.Lookup("D"); ok || u.Len() != 3 {
		t.Errorf("a failed Grow has changed the universe: %d symbols", u.Len())
	}
	if err := u.Grow(inSectors([]string{"D fx"})); err != nil {
		t.Error(err)
	}
	fixed, _ := NewUniverse(inSectors([]string{"A x"}))
	if fixed.Limit() != 1 || fixed.Grow(inSectors([]string{"B x"})) == nil {
		t.Error("a fixed universe has grown")
	}
}

// TestTopicsGrow: topics get the symbols that are added to them. A set of all symbols, listed one by one, isn't a set of those that
// come later.
func TestTopicsGrow(t *testing.T) {
	u := growing(t, 10, "A fx", "B metals")
	for _, c := range []struct {
		topics string
		every  bool
		want   []ID
	}{
		{"*", true, []ID{0, 1, 2, 3}},
		{"sector:fx", false, []ID{0, 2}},
		{"B,sector:fx", false, []ID{0, 1, 2}},
		{"A,B", false, []ID{0, 1}},
		{"A,*", true, []ID{0, 1, 2, 3}},
	} {
		u := growing(t, 10, "A fx", "B metals")
		topics, err := u.Topics(strings.Split(c.topics, ","), 0)
		if err != nil {
			t.Fatal(err)
		}
		if u.Outdated(topics) || topics.Every() != c.every {
			t.Errorf("%s: outdated %v, every %v", c.topics, u.Outdated(topics), topics.Every())
		}
		if err := u.Grow(inSectors([]string{"C fx", "D oil"})); err != nil {
			t.Fatal(err)
		}
		if !u.Outdated(topics) || topics.Has(2) {
			t.Errorf("%s: outdated %v, has C %v", c.topics, u.Outdated(topics), topics.Has(2))
		}
		now := u.Current(topics)
		if u.Outdated(now) || !slices.Equal(now.IDs(), c.want) || now.Every() != c.every || !slices.Equal(now.Names(), topics.Names()) {
			t.Errorf("%s: IDs %v, want %v", c.topics, now.IDs(), c.want)
		}
		for id := range ID(5) {
			if now.Has(id) != slices.Contains(c.want, id) {
				t.Errorf("%s: has %d: %v", c.topics, id, now.Has(id))
			}
		}
	}
	if _, err := u.Topics([]string{"sector:oil"}, 0); err == nil {
		t.Error("a sector without symbols is a topic")
	}
}

// TestGrowWhileRead is for the race detector: readers see whole listings.
func TestGrowWhileRead(t *testing.T) {
	u := growing(t, 300)
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for u.Len() < u.Limit() {
				all := u.Instruments()
				topics, err := u.Topics([]string{All}, 0)
				if err != nil || len(topics.IDs()) < len(all) {
					t.Errorf("%d of %d symbols: %v", len(topics.IDs()), len(all), err)
					return
				}
				for i := range all {
					if id, ok := u.Lookup(all[i].Symbol); !ok || id != ID(i) {
						t.Errorf("%s has ID %d, want %d", all[i].Symbol, id, i)
						return
					}
				}
			}
		})
	}
	for i := range u.Limit() {
		if err := u.Grow([]Instrument{{Symbol: "S" + string(AppendDecimal(nil, uint64(i))), Sector: "x"}}); err != nil {
			t.Fatal(err)
		}
	}
	readers.Wait()
}
