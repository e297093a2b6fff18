//go:build linux

package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

var start = time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC)

// tickAt returns the text of a tick of one symbol, whose n is its seq.
func tickAt(seq uint64) string {
	return fmt.Sprintf(`{"T":"q","S":"AAPL","p":%.2f,"t":1795997006764000,"n":%d,"i":%d}`, 100+float64(seq)/100, seq, seq)
}

func hello(epoch, resume string, head uint64) string {
	return fmt.Sprintf(`{"T":"hello","epoch":%q,"head":%d,"resume":%q,"snapshot":%t,"t":1}`, epoch, head, resume, resume == "none" || resume == "reset")
}

func snapshot(seq uint64) string {
	return fmt.Sprintf(`{"T":"snapshot","i":%d,"part":1,"parts":1,"quotes":[]}`, seq)
}

// play passes messages to a stream, 10 ms after each other.
func play(s *stream, messages ...string) {
	for k, m := range messages {
		s.take([]byte(m), start.Add(time.Duration(k)*10*time.Millisecond))
	}
}

func TestStream(t *testing.T) {
	opened := []string{hello("ab", "none", 5), snapshot(5), tickAt(6), tickAt(7)}
	for _, c := range []struct {
		name     string
		then     []string
		want     counts
		position string
	}{
		{"nothing else", nil, counts{Ticks: 2, Opened: 1}, "ab-7"},
		{"resumed", []string{hello("ab", "complete", 9), tickAt(8), tickAt(9)}, counts{Ticks: 4, Opened: 2}, "ab-9"},
		{"missing ticks", []string{tickAt(10)}, counts{Ticks: 3, Opened: 1, Undetected: 2}, "ab-10"},
		{"missing ticks, by a heartbeat", []string{`{"T":"hb","t":1,"head":9}`}, counts{Ticks: 2, Opened: 1, Undetected: 2}, "ab-9"},
		{"a tick again", []string{hello("ab", "complete", 8), tickAt(7), tickAt(8)}, counts{Ticks: 4, Opened: 2, Doubles: 1}, "ab-8"},
		{"a reported gap", []string{`{"T":"gap","from":8,"to":20,"t":1}`, tickAt(21)}, counts{Ticks: 3, Opened: 1, Reported: 1}, "ab-21"},
		{"a gap elsewhere", []string{`{"T":"gap","from":9,"to":20,"t":1}`}, counts{Ticks: 2, Opened: 1, Reported: 1, Invalid: 1}, "ab-20"},
		{"a position ignored", []string{hello("ab", "none", 9), snapshot(9)}, counts{Ticks: 2, Opened: 2, Ignored: 1}, "ab-9"},
		{"taken for another log", []string{hello("ab", "reset", 6), snapshot(6), tickAt(7)}, counts{Ticks: 3, Opened: 2, Ignored: 1}, "ab-7"},
		{"another epoch", []string{hello("cd", "reset", 3), snapshot(3), tickAt(4)}, counts{Ticks: 3, Opened: 2, Resets: 1}, "cd-4"},
		{"cut before the snapshot of another epoch", []string{hello("cd", "reset", 3)}, counts{Ticks: 2, Opened: 2, Resets: 1}, "ab-7"},
		{"a tick before the snapshot", []string{hello("cd", "reset", 3), tickAt(4)}, counts{Ticks: 3, Opened: 2, Resets: 1, Invalid: 1}, "ab-7"},
		{"no JSON", []string{"{"}, counts{Ticks: 2, Opened: 1, Invalid: 1}, "ab-7"},
		{"stale", []string{`{"T":"status","status":"stale","t":1}`}, counts{Ticks: 2, Opened: 1, Stale: 1}, "ab-7"},
	} {
		l := newLedger()
		s := newStream("client", l)
		play(s, append(opened, c.then...)...)
		if _, got := s.end(start); got != c.want || s.position() != c.position {
			t.Errorf("%s: %+v at %s: want %+v at %s", c.name, got, s.position(), c.want, c.position)
		}
		if findings := l.verify(); (len(findings) > 0) != (c.want.broken() || c.want.Reported > 0) {
			t.Errorf("%s: findings %q", c.name, findings)
		}
	}
}

// TestLedger: one seq must be the same tick for all clients, and what all of them missed or what jumps is found.
func TestLedger(t *testing.T) {
	for _, c := range []struct {
		name   string
		a, b   []string
		expect string
	}{
		{"the same", []string{tickAt(6), tickAt(7)}, []string{tickAt(6), tickAt(7), tickAt(8)}, ""},
		{"two ticks with one seq", []string{tickAt(6)}, []string{strings.Replace(tickAt(6), "AAPL", "MSFT", 1)}, "another tick for a"},
		{"a number left out", []string{tickAt(6), strings.Replace(tickAt(7), `"n":7`, `"n":8`, 1)}, nil, "AAPL has n 8 after 6"},
		{"a jump of the price", []string{tickAt(6), strings.Replace(tickAt(7), `"p":100.07`, `"p":80`, 1)}, nil, "the price of AAPL is 80 after 100.06"},
	} {
		l := newLedger()
		opened := []string{hello("ab", "none", 5), snapshot(5)}
		play(newStream("a", l), append(opened, c.a...)...)
		play(newStream("b", l), append(opened, c.b...)...)
		found := strings.Join(l.verify(), "\n")
		if c.expect == "" && found != "" || !strings.Contains(found, c.expect) {
			t.Errorf("%s: found %q, want %q", c.name, found, c.expect)
		}
		if again := l.verify(); len(again) > 0 {
			t.Errorf("%s: found again: %q", c.name, again)
		}
	}
}

// TestLedgerKeepsOnAcrossCalls: what is verified continues what was verified before.
func TestLedgerKeepsOnAcrossCalls(t *testing.T) {
	l := newLedger()
	s := newStream("client", l)
	play(s, hello("ab", "none", 5), snapshot(5), tickAt(6))
	if found := l.verify(); len(found) > 0 {
		t.Fatalf("%q", found)
	}
	play(s, `{"T":"gap","from":7,"to":8,"t":1}`, tickAt(9))
	if found := l.verify(); len(found) != 2 || !strings.Contains(found[0], "no client has received 7 to 8") {
		t.Errorf("%q", found)
	}
	if epoch, head := l.head(); epoch != "ab" || head != 9 {
		t.Errorf("head %s-%d", epoch, head)
	}
}

func TestStall(t *testing.T) {
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	var s stall
	if s.until(at(0)) != 0 {
		t.Error("a stall before the first tick")
	}
	s.begin(at(0))
	for _, ms := range []int{10, 500, 505, 400} { // the last one was recorded late
		s.tick(at(ms))
	}
	if got := s.until(at(600)); got != 490*time.Millisecond {
		t.Errorf("%v", got)
	}
	if got := s.until(at(2000)); got != 1495*time.Millisecond {
		t.Errorf("%v, with the time since the newest tick", got)
	}
}

// TestLines: each line that was accepted must be one tick.
func TestLines(t *testing.T) {
	line := func(seq, number uint64) string {
		return strings.Replace(tickAt(seq), `"p":`, fmt.Sprintf(`"bs":%d,"p":`, number), 1)
	}
	for _, c := range []struct {
		ticks  []string
		expect string
	}{
		{[]string{line(1, 1), line(2, 2), line(3, 3)}, ""},
		{[]string{line(1, 1), line(2, 2), line(3, 3), line(4, 2)}, "line 2 is 2 ticks"},
		{[]string{line(1, 1), line(2, 3)}, "line 2 of 3"},
		{nil, "no ticks"},
	} {
		l := newLedger()
		play(newStream("client", l), append([]string{hello("ab", "none", 0), snapshot(0)}, c.ticks...)...)
		if err := l.lines(3); (err == nil) != (c.expect == "") || err != nil && !strings.Contains(err.Error(), c.expect) {
			t.Errorf("%v: want %q", err, c.expect)
		}
	}
	f := &feeder{}
	for answer, want := range map[string]bool{
		`{"accepted":7,"rejected":0,"duplicates":0}`: true, `{"accepted":3,"rejected":0,"duplicates":4}`: true,
		`{"accepted":6,"rejected":0,"duplicates":0}`: false, `{"accepted":6,"rejected":1,"duplicates":0}`: false, `no`: false,
	} {
		if err := f.check(200, []byte(answer)); (err == nil) != want {
			t.Errorf("%s: %v", answer, err)
		}
	}
	if f.check(503, []byte(`{"accepted":7}`)) == nil {
		t.Error("503 is accepted")
	}
}
