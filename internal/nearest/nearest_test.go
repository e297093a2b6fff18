package nearest

import (
	"strings"
	"testing"
)

func TestDistance(t *testing.T) {
	long := strings.Repeat("x", 65)
	for _, c := range []struct {
		a, b        string
		limit, want int
	}{
		{"kitten", "sitting", 3, 3}, {"kitten", "sitting", 2, TooFar}, {"", "", 0, 0}, {"", "ab", 2, 2}, {"ab", "", 1, TooFar},
		{"rate", "rate", 0, 0}, {"rates", "rate", 1, 1}, {"rte", "rate", 1, 1}, {"rat3", "rate", 1, 1}, {"rtae", "rate", 2, 2},
		{long, long, 65, TooFar}, {long[1:], long[1:], 0, 0},
	} {
		if got := Distance(c.a, c.b, c.limit); got != c.want {
			t.Errorf("distance of %q and %q with limit %d: %d, want %d", c.a, c.b, c.limit, got, c.want)
		}
	}
}

func TestName(t *testing.T) {
	known := []string{"topics", "limit", "lastEventId", "id"}
	for name, want := range map[string]string{
		"topic": "topics", "Topics": "topics", "LIMIT": "limit", "last_event_id": "lastEventId", "Last-Event-ID": "lastEventId", "limt": "limit",
		"x": "", "": "", "colour": "", "token": "", "ID": "id", strings.Repeat("topics", 20): "",
	} {
		if got, ok := Name(name, known); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v; want %q", name, got, ok, want)
		}
	}
}
