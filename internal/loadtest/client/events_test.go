package client

import (
	"fmt"
	"strings"
	"testing"
)

// parseEvents returns the events of a stream that arrives in pieces cut at the given offsets, each as id|data.
func parseEvents(t *testing.T, stream string, cuts ...int) string {
	t.Helper()
	var got []string
	s := eventParser{emit: func(id, data []byte) error {
		got = append(got, fmt.Sprintf("%s|%q", id, data))
		return nil
	}}
	from := 0
	for _, to := range append(cuts, len(stream)) {
		piece := []byte(stream[from:to])
		if err := s.feed(piece); err != nil {
			t.Fatal(err)
		}
		for i := range piece {
			piece[i] = '#' // the parser must keep nothing of it
		}
		from = to
	}
	return strings.Join(got, "\n")
}

var eventCases = []struct{ name, stream, want string }{
	{"tick", "data: {\"T\":\"q\"}\nid: 1-5\n\n", `1-5|"{\"T\":\"q\"}"`},
	{"named, with retry", "retry: 1000\nevent: hello\ndata: {}\nid: 1-4\n\ndata: x\n\n", "1-4|\"{}\"\n1-4|\"x\""},
	{"several lines of data", "data: a\ndata:b\ndata\ndata:  c\nid\n\n", `|"a\nb\n\n c"`},
	{"CRLF and comments", ": hi\r\nevent: x\r\ndata: 1\r\n\r\n:\r\ndata: 2\r\n\r\n", "|\"1\"\n|\"2\""},
	{"no data, no event", "event: x\nid: 7\n\nid: 8\n\ndata: y\n\n", `8|"y"`},
	{"an id with NUL counts as none", "id: 1\ndata: a\n\nid: \x002\ndata: b\n\n", "1|\"a\"\n1|\"b\""},
	{"unknown fields", "foo: bar\nda: x\nDATA: y\ndata: z\n\n", `|"z"`},
	{"an unfinished event", "data: a\n\ndata: b\n", `|"a"`},
	{"two lines, then one again", "data: a\ndata: b\n\ndata: c\n\ndata: d\ndata: e\n\n", "|\"a\\nb\"\n|\"c\"\n|\"d\\ne\""},
	{"empty data", "data\n\ndata:\n\n", "|\"\"\n|\"\""},
}

func TestEvents(t *testing.T) {
	for _, c := range eventCases {
		if got := parseEvents(t, c.stream); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
		for cut := range len(c.stream) + 1 {
			if got := parseEvents(t, c.stream, cut); got != c.want {
				t.Errorf("%s, cut at %d:\n%s\nwant\n%s", c.name, cut, got, c.want)
			}
		}
		var every []int
		for cut := range len(c.stream) {
			every = append(every, cut)
		}
		if got := parseEvents(t, c.stream, every...); got != c.want {
			t.Errorf("%s, byte by byte:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

func TestEventTooLong(t *testing.T) {
	s := eventParser{emit: func(_, _ []byte) error { return nil }}
	piece := make([]byte, 1<<20)
	for range maxMessage>>20 + 1 {
		if err := s.feed(piece); err != nil {
			return
		}
	}
	t.Error("an endless line is buffered without limit")
}

func FuzzEvents(f *testing.F) {
	for _, c := range eventCases {
		f.Add(c.stream, 3, 7)
	}
	f.Fuzz(func(t *testing.T, stream string, a, b int) {
		whole := parseEvents(t, stream)
		if a < 0 || b < a || b > len(stream) {
			return
		}
		if got := parseEvents(t, stream, a, b); got != whole {
			t.Errorf("%q cut at %d and %d:\n%s\nwhole:\n%s", stream, a, b, got, whole)
		}
	})
}

func TestEventsAllocateNothing(t *testing.T) {
	stream := []byte(strings.Repeat("data: "+goldenTick+"\nid: 9f3c1a-482913\n\n", 10))
	s := eventParser{emit: func(_, _ []byte) error { return nil }}
	s.feed(stream[:300])
	s.feed(stream[300:])
	if n := testing.AllocsPerRun(100, func() { s.feed(stream[:300]); s.feed(stream[300:]) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkEvents(b *testing.B) {
	stream := []byte(strings.Repeat("data: "+goldenTick+"\nid: 9f3c1a-482913\n\n", 100))
	var q Tick
	s := eventParser{emit: func(_, data []byte) error { q.parseJSON(data); return nil }}
	b.SetBytes(int64(len(stream)))
	for b.Loop() {
		s.feed(stream)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100, "ns/tick")
}
