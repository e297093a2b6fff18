//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ticklane/internal/testkit"
)

// storedHistory is an answer of /api/history.
type storedHistory struct {
	Epoch string
	I     uint64
	Bars  []struct {
		T int64
		C float64
	}
}

func (p *process) history(t *testing.T) (h storedHistory) {
	t.Helper()
	p.getJSON(t, "/api/history?symbol=AAPL&interval=10s&from=0", &h)
	return h
}

// oldest returns the seq of the oldest tick in the log.
func (p *process) oldest(t *testing.T) uint64 {
	t.Helper()
	var stats struct{ Log struct{ Oldest uint64 } }
	p.getJSON(t, "/api/stats", &stats)
	if stats.Log.Oldest < 500 {
		t.Fatalf("oldest %d", stats.Log.Oldest)
	}
	return stats.Log.Oldest
}

// resume returns what the hello says to a client with a position.
func (p *process) resume(t *testing.T, position string) (resume string) {
	t.Helper()
	answer, err := http.Get("http://" + p.addr + "/sse/subscribe?limit=1&from=" + position)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && strings.Contains(data, `"hello"`) {
			var hello struct{ Resume string }
			if err := json.Unmarshal([]byte(data), &hello); err != nil {
				t.Fatal(err)
			}
			return hello.Resume
		}
	}
	t.Fatal("no hello")
	return ""
}

// TestStoredHistory: bars survive an orderly end and a kill. After an orderly end the log goes on, so that a client learns what it
// missed; after a kill it is another log.
func TestStoredHistory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	args := []string{"--data.dir=" + dir, "--market.symbols=5", "--market.rate=500", "--market.arrivals=steady", "--market.warmup=1h"}
	first := startServer(t, args...)
	var before storedHistory
	testkit.Eventually(t, func() bool { before = first.history(t); return before.I > 500 }, "no 500 ticks")
	if len(before.Bars) < 300 {
		t.Fatalf("%d bars of a simulated hour", len(before.Bars))
	}

	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	second := exec.Command(self, append([]string{"serve", "--server.addr=127.0.0.1:0"}, args...)...)
	second.Env, second.Dir = append(os.Environ(), "TEST_SERVE=1"), t.TempDir()
	out, err := second.CombinedOutput()
	if second.ProcessState.ExitCode() != exitUsage || !strings.Contains(string(out), "data.dir: "+dir+"/history.db is in use by another process: stop that, or choose another directory") {
		t.Errorf("a second process on the directory: %v, %s", err, out)
	}

	kept := func(after storedHistory) {
		t.Helper()
		for i, b := range before.Bars[:len(before.Bars)-1] { // the last may go on
			if i >= len(after.Bars) || after.Bars[i] != b {
				t.Fatalf("bar %d of %d has changed", i, len(before.Bars))
			}
		}
	}
	first.signal(t, syscall.SIGTERM)
	if err := first.Wait(); err != nil {
		t.Fatal(err)
	}
	next := startServer(t, args...)
	after := next.history(t)
	kept(after)
	if after.Epoch != before.Epoch || after.I < before.I {
		t.Errorf("the log is %s up to %d, want %s from %d on", after.Epoch, after.I, before.Epoch, before.I)
	}
	oldest := next.oldest(t)
	for seq, want := range map[uint64]string{400: "gap", oldest - 2: "gap", oldest - 1: "complete", oldest + 1_000_000: "reset"} {
		if resume := next.resume(t, fmt.Sprintf("%s-%d", before.Epoch, seq)); resume != want {
			t.Errorf("the log goes on at %d: a client at %d resumes with %s, want %s", oldest, seq, resume, want)
		}
	}
	if a, b := before.Bars[len(before.Bars)-1].C, after.Bars[len(after.Bars)-1].C; a/b < 0.99 || a/b > 1.01 {
		t.Errorf("the price jumped from %v to %v", a, b)
	}
	testkit.Eventually(t, func() bool { return next.history(t).I > after.I+1000 }, "no 1000 ticks") // two seconds: these are saved

	if err := next.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = next.Wait()
	last := startServer(t, args...)
	after = last.history(t)
	kept(after)
	if after.Epoch == before.Epoch {
		t.Error("the log of a killed process goes on")
	}
	if resume := last.resume(t, fmt.Sprintf("%s-%d", before.Epoch, 400)); resume != "reset" {
		t.Errorf("a client of before resumes with %s, want reset", resume)
	}
	last.signal(t, syscall.SIGTERM)
	if err := last.Wait(); err != nil {
		t.Fatal(err)
	}
}
