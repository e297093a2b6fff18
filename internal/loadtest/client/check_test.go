package client

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// account passes lines to a checker: "q AAPL 3 17" is a tick with its N and Seq, "reconnect" a new connection, anything else
// the text of a message.
func account(t *testing.T, c *checker, lines ...string) error {
	t.Helper()
	for _, line := range lines {
		var symbol string
		var n, seq uint64
		if k, _ := fmt.Sscanf(line, "q %s %d %d", &symbol, &n, &seq); k == 3 {
			if _, err := c.tick(&Tick{Symbol: []byte(symbol), N: n, Seq: seq}, nil); err != nil {
				return err
			}
			continue
		}
		if line == "reconnect" {
			c.reconnect(c.position() != "")
			continue
		}
		if _, err := c.message(Message{kind: jsonText, body: []byte(line)}); err != nil {
			return err
		}
	}
	return nil
}

func helloAt(head int, resume string) string {
	return fmt.Sprintf(`{"T":"hello","lane":"sse","engine":"stream","epoch":"ab","head":%d,"oldest":1,"resume":%q,"mode":"all","topics":["*"],"hb":15000,"t":1}`, head, resume)
}

func gapTo(from, to int) string {
	return fmt.Sprintf(`{"T":"gap","from":%d,"to":%d,"missed":%d,"reason":"lag"}`, from, to, to-from+1)
}

func snapshotAt(i int, quotes ...string) string {
	s := fmt.Sprintf(`{"T":"snapshot","i":%d,"quotes":[`, i)
	for k, q := range quotes {
		if k > 0 {
			s += ","
		}
		var symbol string
		var n, at int
		fmt.Sscanf(q, "%s %d %d", &symbol, &n, &at)
		s += fmt.Sprintf(`{"T":"q","S":%q,"t":1,"n":%d,"i":%d,"o":1.00}`, symbol, n, at)
	}
	return s + "]}"
}

// due adds the announcement of a snapshot to a hello, gap or subscription.
func due(text string) string { return strings.TrimSuffix(text, "}") + `,"snapshot":true}` }

// part makes a snapshot one of several messages.
func part(k, parts int, text string) string {
	return strings.Replace(text, `,"quotes"`, fmt.Sprintf(`,"part":%d,"parts":%d,"quotes"`, k, parts), 1)
}

func subscriptionAt(i int) string {
	return fmt.Sprintf(`{"T":"subscription","topics":["*"],"i":%d,"id":1}`, i)
}

const hbDue = `{"T":"hb","t":1}` // while a snapshot is due

func hb(head int) string { return fmt.Sprintf(`{"T":"hb","t":1,"head":%d}`, head) }

func TestCheckEverything(t *testing.T) {
	for _, c := range []struct {
		name     string
		lines    []string
		want     Counts
		position string
	}{
		{"complete", []string{helloAt(9, "none"), snapshotAt(9), "q A 1 10", "q B 1 11", hb(11), "q A 2 12"}, Counts{}, "ab-12"},
		{"one lost", []string{helloAt(9, "none"), "q A 1 10", "q A 3 12"}, Counts{Lost: 1}, "ab-12"},
		{"the first lost", []string{helloAt(9, "none"), "q A 1 12"}, Counts{Lost: 2}, "ab-12"},
		{"lost, shown by a heartbeat alone", []string{helloAt(9, "none"), "q A 1 10", hb(12)}, Counts{Lost: 2}, "ab-12"},
		{"bars, trades and an unknown message", []string{helloAt(9, "none"), `{"T":"bar","S":"A","interval":"1m","t":60,"o":1.00,"h":1.00,"l":1.00,"c":1.00,"v":3,"complete":true,"i":10}`,
			`{"T":"trade","S":"A","p":1.00,"s":3,"id":"x","t":60,"n":1,"i":10}`, "q A 1 10", `{"T":"weather","i":99}`, "q A 2 11"}, Counts{}, "ab-11"},
		{"a duplicate", []string{helloAt(9, "none"), "q A 1 10", "q A 1 10", "q A 2 11"}, Counts{Duplicates: 1}, "ab-11"},
		{"a replayed tick that it already had", []string{helloAt(9, "none"), "q A 1 9"}, Counts{Duplicates: 1}, "ab-9"},
		{"out of order", []string{helloAt(9, "none"), "q A 1 10", "q A 3 12", "q A 2 11", "q A 4 13"}, Counts{OutOfOrder: 1}, "ab-13"},
		{"a hole filled in parts, then a duplicate", []string{helloAt(0, "none"), "q A 1 1", "q A 5 5", "q A 3 3", "q A 2 2", "q A 4 4", "q A 3 3"},
			Counts{OutOfOrder: 3, Duplicates: 1}, "ab-5"},
		{"a gap message", []string{helloAt(9, "none"), "q A 1 10", gapTo(11, 20), snapshotAt(20), "q A 12 21"}, Counts{Gaps: 1, GapTicks: 10}, "ab-21"},
		{"more lost than the gap message reports", []string{helloAt(9, "none"), "q A 1 10", gapTo(11, 20), "q A 12 23"}, Counts{Gaps: 1, GapTicks: 10, Lost: 2}, "ab-23"},
		{"resumed", []string{helloAt(9, "none"), "q A 1 10", "reconnect", helloAt(14, "complete"), "q A 2 11", "q A 3 12"}, Counts{}, "ab-12"},
		{"resumed with a duplicate", []string{helloAt(9, "none"), "q A 1 10", "reconnect", helloAt(14, "complete"), "q A 1 10"}, Counts{Duplicates: 1}, "ab-10"},
		{"resumed with a hole", []string{helloAt(9, "none"), "q A 1 10", "reconnect", helloAt(14, "complete"), "q A 3 12"}, Counts{Lost: 1}, "ab-12"},
		{"resumed too late", []string{helloAt(9, "none"), "q A 1 10", "reconnect", helloAt(90, "gap"), gapTo(11, 90), snapshotAt(90), "q A 9 91"},
			Counts{Gaps: 1, GapTicks: 80}, "ab-91"},
		{"another log", []string{helloAt(9, "none"), "q A 1 10", "reconnect", helloAt(3, "reset"), snapshotAt(3), "q A 1 4"}, Counts{Resets: 1}, "ab-4"},
		{"the same log, but reset", []string{helloAt(9, "none"), "q A 1 10", "reconnect", helloAt(13, "reset"), snapshotAt(13), "q A 1 14"},
			Counts{Resets: 1, Lost: 3}, "ab-14"},
		{"the position is ignored", []string{helloAt(9, "none"), "q A 1 10", "reconnect", helloAt(14, "none"), snapshotAt(14), "q A 6 15"},
			Counts{Ignored: 1, Lost: 4}, "ab-15"},
		{"ignored, with nothing to miss", []string{helloAt(9, "none"), "q A 1 10", "reconnect", helloAt(10, "none"), snapshotAt(10)},
			Counts{Ignored: 1}, "ab-10"},
		{"a snapshot that is older than the head", []string{due(helloAt(9, "none")), snapshotAt(7), "q A 1 8", "q A 2 9", "q A 3 10"}, Counts{}, "ab-10"},
		{"a tick lost after such a snapshot", []string{due(helloAt(9, "none")), snapshotAt(7), "q A 2 9"}, Counts{Lost: 1}, "ab-9"},
		{"cut before the first snapshot", []string{due(helloAt(9, "none")), hbDue}, Counts{}, ""},
		{"cut in the first snapshot", []string{due(helloAt(9, "none")), part(1, 2, snapshotAt(9)), hbDue, "reconnect", due(helloAt(20, "none")), snapshotAt(20)}, Counts{}, "ab-20"},
		{"a snapshot in parts", []string{due(helloAt(9, "none")), part(1, 2, snapshotAt(9)), hbDue, part(2, 2, snapshotAt(9)), "q A 1 10"}, Counts{}, "ab-10"},
		{"an incomplete snapshot, then another", []string{due(helloAt(9, "none")), part(1, 2, snapshotAt(9)), part(1, 2, snapshotAt(12)), part(2, 2, snapshotAt(12)), "q A 1 13"},
			Counts{}, "ab-13"},
		{"cut between a gap and its snapshot", []string{helloAt(9, "none"), "q A 1 10", due(gapTo(11, 20))}, Counts{Gaps: 1, GapTicks: 10}, "ab-10"},
		{"cut in the snapshot after a gap, then the same answer", []string{helloAt(9, "none"), "q A 1 10", due(gapTo(11, 20)), part(1, 2, snapshotAt(20)), "reconnect",
			due(helloAt(40, "gap")), due(gapTo(11, 40)), part(1, 2, snapshotAt(40)), part(2, 2, snapshotAt(40)), "q A 12 41"}, Counts{Gaps: 2, GapTicks: 30}, "ab-41"},
		{"cut after a reset", []string{helloAt(9, "none"), "q A 1 10", "reconnect", strings.Replace(due(helloAt(3, "reset")), `"ab"`, `"cd"`, 1), part(1, 2, snapshotAt(3))},
			Counts{Resets: 1}, "ab-10"},
		{"reset twice, with ticks in between", []string{helloAt(9, "none"), "q A 1 10", "reconnect", strings.Replace(due(helloAt(3, "reset")), `"ab"`, `"cd"`, 1), "reconnect",
			strings.Replace(due(helloAt(8, "reset")), `"ab"`, `"cd"`, 1), snapshotAt(8), "q A 1 9"}, Counts{Resets: 2}, "cd-9"},
		{"the same log, but reset, with a snapshot", []string{helloAt(9, "none"), "q A 1 10", "reconnect", due(helloAt(13, "reset")), snapshotAt(12), "q A 1 13"},
			Counts{Resets: 1, Lost: 2}, "ab-13"},
		{"cut between a subscription and its snapshot", []string{helloAt(9, "none"), "q A 1 10", due(subscriptionAt(10)), hbDue}, Counts{}, "ab-10"},
		{"an unknown answer", []string{helloAt(9, "none"), "q A 1 10", "reconnect", helloAt(12, ""), "q A 4 13"},
			Counts{Ignored: 1, Lost: 2}, "ab-13"},
	} {
		k := checker{unfiltered: true}
		if err := account(t, &k, c.lines...); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if k.counts != c.want || k.position() != c.position {
			t.Errorf("%s: %+v at %s, want %+v at %s", c.name, k.counts, k.position(), c.want, c.position)
		}
	}
}

func filtered() checker {
	return checker{symbols: map[string]int{"A": 0, "B": 1}, bySymbol: make([]sequence, 2)}
}

func TestCheckFiltered(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		want  Counts
	}{
		{"holes in the seq are no loss", []string{helloAt(9, "none"), snapshotAt(9, "A 4 7"), "q A 5 12", "q A 6 31"}, Counts{}},
		{"a hole in the number is", []string{helloAt(9, "none"), snapshotAt(9, "A 4 7"), "q A 6 31"}, Counts{Lost: 1}},
		{"each symbol separately", []string{helloAt(9, "none"), snapshotAt(9, "A 4 7", "B 1 2"), "q A 5 10", "q B 2 11", "q B 2 11", "q A 7 13"},
			Counts{Lost: 1, Duplicates: 1}},
		{"a lower seq", []string{helloAt(9, "none"), snapshotAt(9, "A 4 7", "B 1 2"), "q A 5 12", "q B 2 11"}, Counts{OutOfOrder: 1}},
		{"without a snapshot the first sets the position", []string{helloAt(9, "none"), "q A 5 12", "q A 7 13"}, Counts{Lost: 1}},
		{"the snapshot shows what the gap lost", []string{helloAt(9, "none"), snapshotAt(9, "A 4 7", "B 1 2"), gapTo(10, 50), snapshotAt(50, "A 9 48", "B 1 2"), "q A 10 51"},
			Counts{Gaps: 1, GapTicks: 5}},
		{"a snapshot that is ahead without a gap", []string{helloAt(9, "none"), snapshotAt(9, "A 4 7"), snapshotAt(9, "A 6 9")}, Counts{Lost: 2}},
		{"resumed", []string{helloAt(9, "none"), snapshotAt(9, "A 4 7"), "q A 5 12", "reconnect", helloAt(40, "complete"), "q A 6 31"}, Counts{}},
		{"parts older than the head", []string{due(helloAt(9, "none")), part(1, 2, snapshotAt(7, "A 4 6")), part(2, 2, snapshotAt(7, "B 1 2")), "q A 5 8", "q B 2 9"}, Counts{}},
		{"each part shows what the gap lost", []string{helloAt(9, "none"), snapshotAt(9, "A 4 7", "B 1 2"), due(gapTo(10, 50)), part(1, 2, snapshotAt(50, "A 9 48")), hbDue,
			part(2, 2, snapshotAt(50, "B 4 3")), "q A 10 51"}, Counts{Gaps: 1, GapTicks: 8}},
		{"cut in that snapshot", []string{helloAt(9, "none"), snapshotAt(9, "A 4 7", "B 1 2"), due(gapTo(10, 50)), part(1, 2, snapshotAt(50, "A 9 48")), "reconnect",
			due(helloAt(70, "gap")), due(gapTo(10, 70)), snapshotAt(70, "A 11 60", "B 4 3"), "q A 12 71"}, Counts{Gaps: 2, GapTicks: 10}},
	} {
		k := filtered()
		if err := account(t, &k, c.lines...); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if k.counts != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, k.counts, c.want)
		}
	}
}

func TestCheckLatest(t *testing.T) {
	k := filtered()
	k.latest = true
	err := account(t, &k, helloAt(9, "none"), snapshotAt(9, "A 4 7"), "q A 9 12", "q B 3 13", "q A 9 12")
	if want := (Counts{Duplicates: 1}); err != nil || k.counts != want {
		t.Errorf("%+v, %v; want %+v", k.counts, err, want)
	}
}

func TestCheckRejects(t *testing.T) {
	for _, c := range []struct {
		lines []string
		want  error
	}{
		{[]string{"q A 1 1"}, ErrNoHello},
		{[]string{hb(1)}, ErrNoHello},
		{[]string{snapshotAt(1)}, ErrNoHello},
		{[]string{helloAt(1, "none"), helloAt(1, "none")}, ErrMalformed},
		{[]string{`{"T":"hello"}`}, ErrMalformed},
		{[]string{`{"T"`}, ErrMalformed},
		{[]string{helloAt(1, "none"), "q Z 1 2"}, ErrMalformed},
		{[]string{helloAt(1, "none"), snapshotAt(1, "Z 1 1")}, ErrMalformed},
		{[]string{helloAt(1, "none"), `{"T":"snapshot","quotes":[]}`}, ErrMalformed},
		{[]string{due(helloAt(1, "none")), "q A 1 2"}, ErrMalformed},
		{[]string{due(helloAt(1, "none")), part(2, 2, snapshotAt(1))}, ErrMalformed},
		{[]string{due(helloAt(1, "none")), part(1, 3, snapshotAt(1)), part(3, 3, snapshotAt(1))}, ErrMalformed},
		{[]string{due(helloAt(1, "none")), part(1, 2, snapshotAt(1)), part(2, 2, snapshotAt(2))}, ErrMalformed},
		{[]string{due(helloAt(1, "none")), part(1, 2, snapshotAt(1)), part(2, 3, snapshotAt(1))}, ErrMalformed},
		{[]string{due(helloAt(1, "none")), part(3, 2, snapshotAt(1))}, ErrMalformed},
		{[]string{due(helloAt(1, "none")), part(1, 2, snapshotAt(1)), "q A 1 2"}, ErrMalformed},
		{[]string{due(helloAt(1, "none")), part(1, 2, snapshotAt(1)), due(gapTo(2, 3))}, ErrMalformed},
		{[]string{due(helloAt(1, "none")), part(1, 2, snapshotAt(1)), due(subscriptionAt(2))}, ErrMalformed},
	} {
		k := filtered()
		if err := account(t, &k, c.lines...); !errors.Is(err, c.want) {
			t.Errorf("%q: %v, want %v", c.lines, err, c.want)
		}
	}
}

func TestCheckIDs(t *testing.T) {
	k := checker{unfiltered: true}
	if err := account(t, &k, helloAt(9, "none")); err != nil {
		t.Fatal(err)
	}
	k.tick(&Tick{Seq: 10}, []byte("ab-10"))
	k.tick(&Tick{Seq: 11}, []byte("ab-12"))
	if k.counts != (Counts{WrongIDs: 1}) {
		t.Errorf("%+v", k.counts)
	}
}

// TestCheckMessageIDs compares the ids of messages with the position: one that promises a snapshot has none.
func TestCheckMessageIDs(t *testing.T) {
	for _, c := range []struct {
		name, text, id string
		wrong          uint64
	}{
		{"a hello without an id", due(helloAt(9, "none")), "", 0},
		{"a hello with the position of its snapshot", due(helloAt(9, "none")), "ab-9", 1},
		{"a hello that needs no snapshot", helloAt(9, "none"), "ab-9", 0},
		{"a hello with another id", helloAt(9, "none"), "ab-8", 1},
	} {
		k := checker{unfiltered: true}
		if _, err := k.message(Message{kind: jsonText, body: []byte(c.text), id: []byte(c.id)}); err != nil || k.counts.WrongIDs != c.wrong {
			t.Errorf("%s: %v, %+v", c.name, err, k.counts)
		}
	}
	k := checker{unfiltered: true}
	for _, m := range []struct{ text, id string }{
		{due(helloAt(9, "none")), ""}, {part(1, 2, snapshotAt(9)), ""}, {hbDue, ""}, {part(2, 2, snapshotAt(9)), "ab-9"},
		{hb(9), "ab-9"}, {due(gapTo(10, 20)), "ab-9"}, {snapshotAt(20), "ab-20"}, {`{"T":"bye","reason":"limit","retry":0}`, "end"},
	} {
		if _, err := k.message(Message{kind: jsonText, body: []byte(m.text), id: []byte(m.id)}); err != nil || k.counts.WrongIDs != 0 {
			t.Fatalf("%s with id %q: %v, %+v", m.text, m.id, err, k.counts)
		}
	}
}

// TestCheckBackInTheLog: a client that was reset to another log, and cut before its snapshot had arrived, resumes in the first one.
func TestCheckBackInTheLog(t *testing.T) {
	other := strings.Replace(due(helloAt(3, "reset")), `"ab"`, `"cd"`, 1)
	k := checker{unfiltered: true}
	if err := account(t, &k, helloAt(9, "none"), "q A 1 10"); err != nil {
		t.Fatal(err)
	}
	k.reconnect(true)
	if err := account(t, &k, other, part(1, 2, strings.Replace(snapshotAt(3), `"ab"`, `"cd"`, 1))); err != nil {
		t.Fatal(err)
	}
	k.reconnect(true)
	if at := k.position(); at != "ab-10" {
		t.Fatalf("position %s", at)
	}
	if _, err := k.message(Message{kind: jsonText, body: []byte(helloAt(12, "complete")), id: []byte("ab-10")}); err != nil {
		t.Fatal(err)
	}
	if err := account(t, &k, "q A 2 12"); err != nil {
		t.Fatal(err)
	}
	if k.counts != (Counts{Resets: 1, Lost: 1}) {
		t.Errorf("%+v", k.counts)
	}
}

// TestCaughtUpWithTheSnapshot: a client has whole state when its snapshot is complete and the ticks up to the head are there.
func TestCaughtUpWithTheSnapshot(t *testing.T) {
	k := checker{unfiltered: true}
	if err := account(t, &k, due(helloAt(9, "none"))); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{part(1, 2, snapshotAt(8)), part(2, 2, snapshotAt(8)), "q A 1 9"} {
		if k.caughtUp() {
			t.Errorf("caught up before %s", line)
		}
		if err := account(t, &k, line); err != nil {
			t.Fatal(err)
		}
	}
	if !k.caughtUp() {
		t.Error("not caught up at the head")
	}
}

func TestReplayIsNotLive(t *testing.T) {
	k := checker{unfiltered: true}
	if err := account(t, &k, helloAt(9, "none"), "q A 1 10", "reconnect", helloAt(12, "complete")); err != nil {
		t.Fatal(err)
	}
	for i, want := range map[uint64]bool{11: false, 12: false, 13: true} {
		c := k
		if live, err := c.tick(&Tick{Seq: i}, nil); err != nil || live != want {
			t.Errorf("tick %d: live %v, %v", i, live, err)
		}
	}
}

func TestBehind(t *testing.T) {
	all, some := checker{unfiltered: true}, filtered()
	if err := errors.Join(account(t, &all, helloAt(9, "none"), "q A 1 10"),
		account(t, &some, helloAt(9, "none"), snapshotAt(9, "A 4 7"), "q A 5 12")); err != nil {
		t.Fatal(err)
	}
	at := Heads{Seq: 13, Symbols: map[int]uint64{0: 8, 1: 3}}
	if n := all.behind(at); n != 3 {
		t.Errorf("everything: behind by %d, want 3", n)
	}
	if n := some.behind(at); n != 3 {
		t.Errorf("filtered: behind by %d, want 3", n)
	}
	if n := all.behind(Heads{Seq: 10}); n != 0 {
		t.Errorf("behind by %d with nothing missing", n)
	}
}
