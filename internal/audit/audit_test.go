package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"ticklane/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func newLog(t *testing.T, name string) *Log {
	t.Helper()
	l, err := Open(name, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func lines(t *testing.T, name string) []map[string]any {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var all []map[string]any
	for line := range bytes.Lines(text) {
		var m map[string]any
		if err := json.Unmarshal(line, &m); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		all = append(all, m)
	}
	return all
}

func TestRecords(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "audit.log")
	l := newLog(t, name)
	l.Record(Event{Kind: Request, Subject: "al\n\"ice", Token: "laptop", Address: "::1", Route: "GET /metrics", Decision: Denied, Reason: "forbidden"})
	l.Record(Event{Kind: StreamOpen, More: []slog.Attr{slog.String("lane", "sse")}})
	l.Close()
	got := lines(t, name)
	if len(got) != 2 || got[0]["event"] != "request" || got[0]["subject"] != "al\n\"ice" || got[0]["token"] != "laptop" || got[0]["address"] != "::1" ||
		got[0]["route"] != "GET /metrics" || got[0]["decision"] != "denied" || got[0]["reason"] != "forbidden" || !strings.HasSuffix(fmt.Sprint(got[0]["time"]), "Z") {
		t.Errorf("%v", got)
	}
	if len(got[1]) != 3 || got[1]["lane"] != "sse" { // time, event, lane
		t.Errorf("%v", got[1])
	}
	if info, err := os.Stat(name); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	l.Record(Event{Kind: SignOut})
	if l.Lost() != 1 {
		t.Errorf("%d lost after Close", l.Lost())
	}
}

func TestReopenFailure(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "sub")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	l := newLog(t, filepath.Join(dir, "audit.log"))
	l.name = filepath.Join(dir, "no", "audit.log")
	if l.Reopen() == nil {
		t.Fatal("no error")
	}
	l.Record(Event{Kind: SignIn})
	l.Close()
	if n := len(lines(t, filepath.Join(dir, "audit.log"))); n != 1 {
		t.Errorf("%d records in the old file", n)
	}
}

// TestSlowDisk: with a disk that is too slow records are lost, and their number is recorded; Record never blocks.
func TestSlowDisk(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "audit.log")
	l := newLog(t, name)
	l.fileMu.Lock()
	for range queue + 100 {
		l.Record(Event{Kind: SignIn})
	}
	lost := l.Lost()
	if lost == 0 || lost > 100 {
		t.Errorf("%d lost", lost)
	}
	l.fileMu.Unlock()
	testkit.Eventually(t, func() bool { return len(l.lines) == 0 }, "the queue")
	l.Record(Event{Kind: SignOut})
	l.Close()
	total, reported := 0, 0.0
	for _, m := range lines(t, name) {
		if m["event"] == lostRecords {
			reported += m["records"].(float64)
			continue
		}
		total++
	}
	if total != queue+101-int(lost) || reported != float64(lost) {
		t.Errorf("%d records and %v reported as lost, of %d", total, reported, lost)
	}
}

func TestNoLog(t *testing.T) {
	var l *Log
	l.Record(Event{Kind: SignIn})
	if l.Reopen() != nil || l.Lost() != 0 || l.Close() != nil {
		t.Error("want a nil log to do nothing")
	}
}
