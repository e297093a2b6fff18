package quote

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// market returns the universe AAPL 0 tech, MSFT 1 tech, JPM 2 banks, XOM 3 energy.
func market(t testing.TB) *Universe {
	t.Helper()
	u, err := NewUniverse([]Instrument{
		{Symbol: "AAPL", Sector: "tech"}, {Symbol: "MSFT", Sector: "tech"},
		{Symbol: "JPM", Sector: "banks"}, {Symbol: "XOM", Sector: "energy"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestTopics(t *testing.T) {
	u := market(t)
	for _, c := range []struct {
		list  string
		names []string
		ids   []ID
		every bool
	}{
		{"*", []string{"*"}, []ID{0, 1, 2, 3}, true},
		{"XOM", []string{"XOM"}, []ID{3}, false},
		{"XOM,AAPL", []string{"XOM", "AAPL"}, []ID{0, 3}, false},
		{"AAPL,AAPL,AAPL", []string{"AAPL"}, []ID{0}, false},
		{"sector:tech", []string{"sector:tech"}, []ID{0, 1}, false},
		{"sector:tech,AAPL", []string{"sector:tech", "AAPL"}, []ID{0, 1}, false},
		{"AAPL,*", []string{"AAPL", "*"}, []ID{0, 1, 2, 3}, true},
		{"sector:tech,sector:banks,sector:energy", []string{"sector:tech", "sector:banks", "sector:energy"}, []ID{0, 1, 2, 3}, true},
		{"AAPL,MSFT,JPM,XOM", []string{"AAPL", "MSFT", "JPM", "XOM"}, []ID{0, 1, 2, 3}, true},
	} {
		got, err := u.Topics(strings.Split(c.list, ","), 4)
		if err != nil {
			t.Errorf("%s: %v", c.list, err)
			continue
		}
		if !slices.Equal(got.Names(), c.names) || !slices.Equal(got.IDs(), c.ids) || got.Every() != c.every {
			t.Errorf("%s: names %q, ids %v, every %v", c.list, got.Names(), got.IDs(), got.Every())
		}
		for id := range ID(4) {
			if got.Has(id) != slices.Contains(c.ids, id) {
				t.Errorf("%s: Has(%d) = %v", c.list, id, got.Has(id))
			}
		}
	}
}

func TestUnknownTopicsAreListed(t *testing.T) {
	u := market(t)
	for _, c := range []struct {
		list  string
		names []string
	}{
		{"", []string{""}},
		{"AAPL,", []string{""}},
		{",AAPL,,", []string{""}},
		{"aapl", []string{"aapl"}},
		{" AAPL", []string{" AAPL"}},
		{"AAPL,NOPE,sector:tech,sector:nope,NOPE", []string{"NOPE", "sector:nope"}},
		{"sector:", []string{"sector:"}},
		{"sector:Tech", []string{"sector:Tech"}},
		{"**", []string{"**"}},
		{"A,B,C,D,E,F,G", []string{"A", "B", "C", "D", "E", "F", "G"}},
	} {
		_, err := u.Topics(strings.Split(c.list, ","), 0)
		var unknown *UnknownTopicError
		if !errors.As(err, &unknown) || !slices.Equal(unknown.Names, c.names) {
			t.Errorf("%q: error %v, want one that names %q", c.list, err, c.names)
		}
	}
}

func TestTopicsTooMany(t *testing.T) {
	u := market(t)
	if _, err := u.Topics([]string{"AAPL", "MSFT", "JPM"}, 2); !errors.Is(err, ErrTooManyTopics) {
		t.Errorf("three with a limit of two: %v", err)
	}
	if _, err := u.Topics([]string{"AAPL", "AAPL", "MSFT"}, 2); err != nil {
		t.Errorf("two with a limit of two, and a duplicate: %v", err)
	}
	two, err := u.Topics([]string{"AAPL", "MSFT"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := u.Add(two, []string{"JPM"}, 3); err != nil {
		t.Errorf("one more with a limit of three: %v", err)
	}
	if _, _, err := u.Add(two, []string{"JPM"}, 0); err != nil {
		t.Errorf("one more without a limit: %v", err)
	}
	if _, _, err := u.Add(two, []string{"JPM", "XOM"}, 3); !errors.Is(err, ErrTooManyTopics) {
		t.Errorf("two more with a limit of three: %v", err)
	}
}

func TestTopicsAddRemove(t *testing.T) {
	u := market(t)
	have, err := u.Topics([]string{"AAPL"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	sum, added, err := u.Add(have, []string{"sector:tech", "AAPL", "XOM", "XOM"}, 3)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(sum.Names(), []string{"AAPL", "sector:tech", "XOM"}) || !slices.Equal(sum.IDs(), []ID{0, 1, 3}) {
		t.Errorf("sum: %q %v", sum.Names(), sum.IDs())
	}
	if !slices.Equal(added.Names(), []string{"sector:tech", "XOM"}) {
		t.Errorf("added: %q", added.Names())
	}
	if !slices.Equal(have.Names(), []string{"AAPL"}) || !slices.Equal(have.IDs(), []ID{0}) {
		t.Errorf("Add changed its operand: %q %v", have.Names(), have.IDs())
	}
	if kept, _, err := u.Add(have, []string{"MSFT", "JPM"}, 2); !errors.Is(err, ErrTooManyTopics) || !slices.Equal(kept.Names(), have.Names()) {
		t.Errorf("three together with a limit of two: %q, %v", kept.Names(), err)
	}
	var unknown *UnknownTopicError
	if _, _, err := u.Add(have, []string{"NOPE"}, 0); !errors.As(err, &unknown) {
		t.Errorf("Add of an unknown topic: %v", err)
	}

	// AAPL remains through its sector after it is removed by name.
	rest, err := u.Remove(sum, []string{"AAPL", "JPM"})
	if err != nil || !slices.Equal(rest.Names(), []string{"sector:tech", "XOM"}) || !slices.Equal(rest.IDs(), []ID{0, 1, 3}) {
		t.Errorf("rest: %q %v, %v", rest.Names(), rest.IDs(), err)
	}
	if _, err := u.Remove(sum, []string{"NOPE"}); !errors.As(err, &unknown) {
		t.Errorf("Remove of an unknown topic: %v", err)
	}
	none, err := u.Remove(have, []string{"AAPL"})
	if err != nil || len(none.Names()) != 0 || len(none.IDs()) != 0 || none.Every() || none.Has(0) {
		t.Errorf("none: %q %v, %v", none.Names(), none.IDs(), err)
	}
	var zero Topics
	if zero.Every() || zero.Has(0) || zero.Has(100) {
		t.Error("the zero value is not the empty set")
	}
}

// TestUnknownTopicErrorText: the text lists at most five names, each with at most 40 bytes.
func TestUnknownTopicErrorText(t *testing.T) {
	const want = `: want a symbol ("AAPL"), a sector ("sector:technology") or "*"; /api/symbols lists all`
	x40 := strings.Repeat("x", 40)
	for _, c := range []struct {
		names []string
		text  string
	}{
		{[]string{"A"}, `unknown topic "A"`},
		{[]string{""}, `unknown topic ""`},
		{[]string{"A", "B"}, `unknown topics "A", "B"`},
		{[]string{"A", "B", "C", "D", "E"}, `unknown topics "A", "B", "C", "D", "E"`},
		{[]string{"A", "B", "C", "D", "E", "F"}, `unknown topics "A", "B", "C", "D", "E" and 1 more`},
		{[]string{"A", "B", "C", "D", "E", "F", "G"}, `unknown topics "A", "B", "C", "D", "E" and 2 more`},
		{[]string{x40}, `unknown topic "` + x40 + `"`},
		{[]string{x40 + "y"}, `unknown topic "` + x40 + `…"`},
	} {
		if got := (&UnknownTopicError{Names: c.names}).Error(); got != c.text+want {
			t.Errorf("%s\nwant\n%s", got, c.text+want)
		}
	}
}

// TestUnknownTopicThatIsMeant: a ticker in another case or after a blank is suggested, but none that is merely similar.
func TestUnknownTopicThatIsMeant(t *testing.T) {
	u := market(t)
	for list, want := range map[string]string{
		"aapl": "AAPL", "Aapl": "AAPL", "JPM, MSFT": "MSFT", "Sector:Tech": "sector:tech", "NOPE,xom": "XOM", "AAPLE": "", "NOPE": "", "": "",
	} {
		_, err := u.Topics(strings.Split(list, ","), 0)
		if suggestion := fmt.Sprintf("; did you mean %q?", want); err == nil || strings.Contains(err.Error(), "did you mean") != (want != "") ||
			want != "" && !strings.HasSuffix(err.Error(), suggestion) {
			t.Errorf("%q: %v, want %q", list, err, want)
		}
	}
}

func FuzzTopics(f *testing.F) {
	for _, s := range []string{"*", "AAPL,MSFT", "sector:tech", "", ",", "AAPL,NOPE", "sector:", "aapl", "XOM,*,\xff"} {
		f.Add(s, "JPM")
	}
	u := market(f)
	f.Fuzz(func(t *testing.T, list, more string) {
		names := strings.Split(list, ",")
		got, err := u.Topics(names, 0)
		if err != nil {
			var unknown *UnknownTopicError
			if !errors.As(err, &unknown) || len(unknown.Names) == 0 {
				t.Fatalf("%q: %v", list, err)
			}
			for _, n := range unknown.Names {
				if !slices.Contains(names, n) {
					t.Fatalf("%q: the error contains %q, which was not requested", list, n)
				}
			}
			return
		}
		if len(got.IDs()) == 0 || !slices.IsSorted(got.IDs()) {
			t.Fatalf("%q: ids %v", list, got.IDs())
		}
		again, err := u.Topics(got.Names(), len(got.Names()))
		if err != nil || !slices.Equal(again.IDs(), got.IDs()) {
			t.Fatalf("%q: its names resolve to %v, %v", list, again.IDs(), err)
		}
		sum, added, err := u.Add(got, strings.Split(more, ","), 0)
		if err != nil {
			return
		}
		back, err := u.Remove(sum, added.Names())
		if err != nil || !slices.Equal(back.Names(), got.Names()) || !slices.Equal(back.IDs(), got.IDs()) {
			t.Fatalf("%q + %q - the same = %q, %v", list, more, back.Names(), err)
		}
	})
}

// TestTopicsOfAllShareMemory: thousands of clients request all symbols, and their sets take no memory for each symbol.
func TestTopicsOfAllShareMemory(t *testing.T) {
	list := make([]Instrument, 5000)
	for i := range list {
		list[i] = Instrument{Symbol: fmt.Sprintf("S%d", i), Sector: "technology"}
	}
	u, err := NewUniverse(list)
	if err != nil {
		t.Fatal(err)
	}
	all := []string{All}
	a, _ := u.Topics(all, 0)
	b, _ := u.Topics(all, 0)
	if len(a.IDs()) != len(list) || !a.Every() || &a.IDs()[0] != &b.IDs()[0] {
		t.Error("the symbols of two sets are in different memory")
	}
}
