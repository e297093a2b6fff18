package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ticklane/internal/loadtest"
)

func TestCommandLine(t *testing.T) {
	got := commandLine([]string{"/opt/bin/ticklane", "load", "--topics", "*", "--query-b", "a=1&b=2", "--lane=sse,ws", "--out", "", "it's"})
	want := `ticklane load --topics '*' --query-b 'a=1&b=2' --lane=sse,ws --out '' 'it'\''s'`
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

func TestLoadUsage(t *testing.T) {
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"--conns", "0", "--mode", "some", "--url", "http://example.com"}, []string{"--conns 0", "--mode", "--allow-remote"}},
		{[]string{"--conns", "many"}, []string{"conns", "many"}},
		{[]string{"--threshold", "latncy_p99<1ms", "--threshold", "lost=0", "--url", "http://127.0.0.1:1"}, []string{`--threshold "latncy_p99<1ms": unknown figure`, "did you mean latency_p99?", `--threshold "lost=0": operator =`}},
		{[]string{"--threshold", "ws:lost==0", "--lane", "sse", "--url", "http://127.0.0.1:1"}, []string{`no variant is "ws"`, "A SSE"}},
		{[]string{"--threshold", "lost==0,late==0", "--url", "http://127.0.0.1:1"}, []string{`limit "0,late==0"`}},
		{[]string{"--baseline", "none.json", "--url", "http://127.0.0.1:1"}, []string{"--baseline none.json: no such file"}},
		{[]string{"--baseline", "go.mod", "--url", "http://127.0.0.1:1"}, []string{"--baseline go.mod: is not JSON"}},
		{[]string{"--baseline", "docs/reports/standard.json", "--drill", "storm", "--url", "http://127.0.0.1:1"}, []string{"is a comparison, but this test is a drill storm"}},
		{[]string{"--set", "market.rat=5", "--set", "market.symbols=0"}, []string{"market.rat (--set): no such key; did you mean market.rate?", `market.symbols = "0" (--set): want `}},
		{[]string{"--token-file", "none", "--url", "http://127.0.0.1:1"}, []string{"--token-file none: no such file"}},
		{[]string{"--token-file", "go.mod", "--url", "http://127.0.0.1:1"}, []string{"--token-file go.mod: want one token"}},
		{[]string{"--nope"}, []string{"--nope"}},
		{[]string{"http://127.0.0.1:3000"}, []string{"http://127.0.0.1:3000"}},
	} {
		cmd := loadCommand()
		cmd.SetArgs(c.args)
		err := cmd.Execute()
		var usage *codedError
		if !errors.As(err, &usage) || usage.code != exitUsage {
			t.Errorf("%q: %v", c.args, err)
			continue
		}
		for _, part := range c.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q: %q doesn't say %q", c.args, err, part)
			}
		}
	}
}

func TestLoadHelp(t *testing.T) {
	var b strings.Builder
	cmd := loadCommand()
	cmd.SetOut(&b)
	cmd.SetArgs([]string{"--help"})
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"url", "variants", "lane", "engine", "conns", "topics", "duration", "rounds", "warmup", "ramp", "mode", "encoding", "compress",
		"slow-readers", "churn", "out", "allow-remote", "drill", "seed", "query-a", "query-b", "cuts", "set", "threshold", "baseline"} {
		if !strings.Contains(b.String(), "--"+name+" ") {
			t.Errorf("--%s is not documented", name)
		}
	}
	if strings.Contains(b.String(), "--sides") {
		t.Error("the deprecated flag --sides is documented")
	}
	for line := range strings.Lines(b.String()) {
		if n := len([]rune(line)); n > 121 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

// TestLoadSidesIsVariants: the former name of --variants still works.
func TestLoadSidesIsVariants(t *testing.T) {
	cmd := loadCommand()
	cmd.SetArgs([]string{"--sides", "sse,tcp", "--url", "http://127.0.0.1:1"})
	if err := cmd.Execute(); err == nil || !strings.Contains(err.Error(), `--variants "tcp"`) {
		t.Errorf("%v", err)
	}
}

// TestLoadExitCodes: a broken threshold has its own code, even if the test is also invalid or broken.
func TestLoadExitCodes(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{loadtest.ErrInvalid, exitInvalid},
		{loadtest.ErrBroken, exitBroken},
		{loadtest.ErrThreshold, 5},
		{fmt.Errorf("%w; %w", loadtest.ErrInvalid, loadtest.ErrThreshold), 5},
		{fmt.Errorf("%w; %w", loadtest.ErrBroken, loadtest.ErrThreshold), 5},
		{fmt.Errorf("%w; %w", loadtest.ErrInterrupted, loadtest.ErrThreshold), exitInterrupted},
	} {
		var e *codedError
		if !errors.As(coded(c.err), &e) || e.code != c.want {
			t.Errorf("%v: %v, want %d", c.err, coded(c.err), c.want)
		}
	}
	if err := coded(nil); err != nil {
		t.Error(err)
	}
}

// TestLoadInterrupted: a signal before anything was measured leaves no report, and has the shell's exit code.
func TestLoadInterrupted(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0") // accepts and never responds
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	o := loadtest.DefaultOptions()
	o.URL, o.Out, o.Conns = "http://"+ln.Addr().String(), filepath.Join(t.TempDir(), "r"), 1
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err = load(ctx, o, os.Stdout)
	var coded *codedError
	if !errors.As(err, &coded) || coded.code != exitInterrupted {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(o.Out + ".json"); err == nil {
		t.Error("a report was written")
	}
}
