package storm

import (
	"fmt"
	"testing"

	"ticklane/internal/testkit"
	"ticklane/internal/wire"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func quoteText(symbol string, n, seq int) string {
	return fmt.Sprintf(`{"T":"q","S":"%s","bp":1.00,"t":%d,"n":%d,"i":%d}`, symbol, seq, n, seq)
}

func snapshotJSON(seq int, part string, quotes ...string) string {
	text := fmt.Sprintf(`{"T":"snapshot","i":%d%s,"quotes":[`, seq, part)
	for i, q := range quotes {
		if i > 0 {
			text += ","
		}
		text += q
	}
	return text + "]}"
}

func helloText(resume string, head int, more string) string {
	return fmt.Sprintf(`{"T":"hello","conn":"c","engine":"shard","epoch":"e","head":%d,"resume":"%s"%s,"t":1}`, head, resume, more)
}

// TestState: what a client knows, and what it counts, after each sequence of messages. A blank message is a new connection.
func TestState(t *testing.T) {
	market := NewMarket([]string{"A", "B"})
	a, b := quoteText("A", 1, 1), quoteText("B", 1, 2)
	whole := []string{helloText("none", 2, `,"snapshot":true`), snapshotJSON(2, "", a, b)}
	after := func(more ...string) []string { return append(whole[:2:2], more...) }
	for _, tt := range []struct {
		name     string
		messages []string
		whole    bool
		position string
		losses   Losses
	}{
		{"a snapshot", whole, true, "e-2", Losses{}},
		{"a hello alone", whole[:1], false, "", Losses{}},
		{"ticks in order", after(quoteText("A", 2, 3), quoteText("A", 3, 4)), true, "e-4", Losses{}},
		{"a hole", after(quoteText("A", 2, 5)), true, "e-5", Losses{Lost: 2}},
		{"a tick twice", after(quoteText("A", 2, 3), quoteText("A", 2, 3)), true, "e-3", Losses{Repeated: 1}},
		{"a heartbeat beyond what arrived", after(`{"T":"hb","t":1,"head":4}`), true, "e-4", Losses{Lost: 2}},
		{"parts", []string{whole[0], snapshotJSON(2, `,"part":1,"parts":2`, a), snapshotJSON(2, `,"part":2,"parts":2`, b)}, true, "e-2", Losses{}},
		{"parts not yet complete", []string{whole[0], snapshotJSON(2, `,"part":1,"parts":2`, a)}, false, "", Losses{}},
		{"parts of two snapshots", []string{whole[0], snapshotJSON(2, `,"part":1,"parts":2`, a), snapshotJSON(3, `,"part":2,"parts":2`, b)}, false, "e-3", Losses{Incomplete: 1}},
		{"a symbol twice instead of another", []string{whole[0], snapshotJSON(2, "", a, a)}, false, "e-2", Losses{}},
		{"the rest of a snapshot as ticks", []string{whole[0], snapshotJSON(1, "", a), b}, true, "e-2", Losses{}},
		{"an empty snapshot, and all as ticks", []string{helloText("reset", 0, `,"snapshot":true`), snapshotJSON(0, ""), a, b}, true, "e-2", Losses{}},
		{"all as ticks after a hello", []string{helloText("none", 0, ""), a, b}, true, "e-2", Losses{}},
		{"a complete resume", after("", helloText("complete", 3, ""), quoteText("A", 2, 3)), true, "e-3", Losses{}},
		{"a complete resume that hasn't caught up", after("", helloText("complete", 4, ""), quoteText("A", 2, 3)), false, "e-3", Losses{}},
		{"a complete resume without state", []string{helloText("none", 2, ""), "", helloText("complete", 2, "")}, false, "e-2", Losses{Unreported: 1}},
		{"a gap", after(`{"T":"gap","from":3,"to":9,"missed":7,"snapshot":true}`), false, "e-2", Losses{}},
		{"a reset", after("", helloText("reset", 9, `,"snapshot":true`)), false, "e-2", Losses{}},
		{"ticks alone", []string{a, b}, true, "", Losses{}},
		{"ticks of one symbol alone", []string{a, quoteText("A", 2, 2)}, false, "", Losses{}},
	} {
		var s state
		var l Losses
		p := newParser()
		for _, text := range tt.messages {
			if text == "" {
				s.connected()
				continue
			}
			m, ok := p.parse([]byte(text))
			if !ok {
				t.Fatalf("%s: %s is malformed", tt.name, text)
			}
			s.take(&m, wire.WS, &market, &l)
		}
		if s.whole() != tt.whole || string(s.position) != tt.position || l != tt.losses {
			t.Errorf("%s: whole %v, position %q, %+v; want %v, %q, %+v", tt.name, s.whole(), s.position, l, tt.whole, tt.position, tt.losses)
		}
	}
}

// TestWrongQuotes: quotes of a snapshot are compared with the ticks before it.
func TestWrongQuotes(t *testing.T) {
	ticks := []quoted{{1, 5, 10}, {2, 9, 11}, {1, 6, 12}, {2, 10, 13}}
	for _, tt := range []struct {
		name   string
		seq    uint64
		quotes []quoted
		wrong  int64
	}{
		{"right", 12, []quoted{{1, 6, 12}, {2, 9, 11}, {3, 4, 7}}, 0},
		{"an old quote", 12, []quoted{{1, 5, 10}, {2, 9, 11}}, 1},
		{"a quote of the future", 11, []quoted{{1, 6, 12}, {2, 9, 11}}, 1},
		{"a number that differs", 12, []quoted{{1, 7, 12}}, 1},
		{"a tick that wasn't sent", 12, []quoted{{3, 4, 11}}, 1},
		{"before the first tick", 9, []quoted{{1, 7, 12}}, 0},
		{"after the last tick", 14, []quoted{{1, 5, 10}}, 0},
	} {
		s := &snapshotText{tt.seq, &part{each: tt.quotes}}
		if got := wrongQuotes(s, ticks); got != tt.wrong {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.wrong)
		}
	}
}

func TestUntil(t *testing.T) {
	times := []float64{40, 10, 30, 20}
	for _, tt := range []struct {
		n     int
		share float64
		want  float64
	}{{4, .5, 20}, {4, .99, 40}, {4, 1, 40}, {5, .8, 40}, {5, .99, 0}, {5, 1, 0}, {4, .25, 10}} {
		if got := Until(times, tt.n, tt.share); got != tt.want {
			t.Errorf("%v of %d: %v, want %v", tt.share, tt.n, got, tt.want)
		}
	}
}
