package auth

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"ticklane/internal/quote"
)

func universe(t *testing.T) *quote.Universe {
	t.Helper()
	u, err := quote.NewGrowingUniverse([]quote.Instrument{{Symbol: "AAPL", Sector: "technology"}, {Symbol: "MSFT", Sector: "technology"}, {Symbol: "XOM", Sector: "energy"}}, 10)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func symbols(u *quote.Universe, t quote.Topics) string {
	var all []string
	for _, id := range t.IDs() {
		all = append(all, u.Instrument(id).Symbol)
	}
	return strings.Join(all, " ")
}

func TestTopicsWithinRights(t *testing.T) {
	u := universe(t)
	r := parse(t, `[{"read":["AAPL","sector:energy","SHEL"]}]`)
	for topics, want := range map[string]string{"*": "AAPL XOM", "AAPL": "AAPL", "XOM": "XOM", "sector:energy,*": "AAPL XOM"} {
		got, err := r.Topics(u, strings.Split(topics, ","), 8)
		if err != nil || symbols(u, got) != want || !slices.Equal(got.Names(), strings.Split(topics, ",")) {
			t.Errorf("%s: %q of %v, %v; want %q", topics, symbols(u, got), got.Names(), err, want)
		}
	}
	for topics, want := range map[string][]string{
		"MSFT":                          {"MSFT"},
		"NOPE":                          {"NOPE"}, // unknown looks like forbidden
		"sector:technology,AAPL,MSFT,*": {"sector:technology", "MSFT"},
		"sector:nope":                   {"sector:nope"},
		"":                              {""},
		"aapl":                          {"aapl"},
	} {
		_, err := r.Topics(u, strings.Split(topics, ","), 8)
		var forbidden *quote.ForbiddenTopicError
		if !errors.As(err, &forbidden) || !slices.Equal(forbidden.Names, want) {
			t.Errorf("%s: %v, want %v to be forbidden", topics, err, want)
		}
	}
	var unknown *quote.UnknownTopicError
	if _, err := r.Topics(u, []string{"SHEL"}, 8); !errors.As(err, &unknown) {
		t.Errorf("SHEL: %v, want an unknown topic: it may be read", err)
	}
	lower := parse(t, `[{"read":["msft"]}]`)
	if _, err := lower.Topics(u, []string{"msft"}, 8); err == nil || strings.Contains(err.Error(), "MSFT") {
		t.Errorf("%v: want no hint at what may not be read", err)
	}
	if _, err := (&Rights{}).Topics(u, []string{"*"}, 8); err == nil {
		t.Error("without rights, * was accepted")
	}
	if all, err := Unrestricted.Rights.Topics(u, []string{"*"}, 8); err != nil || !all.Every() {
		t.Errorf("unrestricted: %v", err)
	}
}

// TestTopicsWithinRightsGrow: what "*" stands for grows with the feed, by names.
func TestTopicsWithinRightsGrow(t *testing.T) {
	u := universe(t)
	r := parse(t, `[{"read":["AAPL","sector:energy","SHEL"]}]`)
	topics, err := r.Topics(u, []string{"*"}, 8)
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Grow([]quote.Instrument{{Symbol: "BP", Sector: "energy"}, {Symbol: "TSLA", Sector: "cars"}, {Symbol: "SHEL", Sector: "oil"}}); err != nil {
		t.Fatal(err)
	}
	if got := symbols(u, u.Current(topics)); got != "AAPL XOM BP SHEL" {
		t.Errorf("after growth: %s", got)
	}
	if got := symbols(u, r.Readables(u)); got != "AAPL XOM BP SHEL" {
		t.Errorf("readable: %s", got)
	}
}

func TestDelayOfTopics(t *testing.T) {
	u := universe(t)
	r := parse(t, `[{"read":["AAPL"]},{"read":["sector:technology"],"delay":"15m"},{"read":["XOM"],"delay":"1h"}]`)
	for topics, want := range map[string]time.Duration{"AAPL": 0, "MSFT": 15 * time.Minute, "AAPL,MSFT": 15 * time.Minute, "sector:technology": 15 * time.Minute, "*": time.Hour} {
		if got, ok := r.Delay(u, strings.Split(topics, ",")); got != want || !ok {
			t.Errorf("%s: %v, want %v", topics, got, want)
		}
	}
}

func TestKeyOfRights(t *testing.T) {
	a, b, c := parse(t, `[{"read":["AAPL","XOM"]}]`), parse(t, `[{"read":["XOM"]},{"read":["AAPL"],"streams":1}]`), parse(t, `[{"read":["XOM"]}]`)
	if a.Key() != b.Key() || a.Key() == c.Key() || a.Key() == "" || Unrestricted.Rights.Key() != "" {
		t.Errorf("keys %q %q %q %q", a.Key(), b.Key(), c.Key(), Unrestricted.Rights.Key())
	}
	if none := (&Rights{}); none.Key() == "" || none.Key() == c.Key() {
		t.Error("no rights: want a key of their own")
	}
}
