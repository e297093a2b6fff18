package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ticklane/internal/auth"
)

// runToken runs ticklane token with arguments.
func runToken(args ...string) (out, notes string, err error) {
	var stdout, stderr bytes.Buffer
	c := command()
	c.SetOut(&stdout)
	c.SetErr(&stderr)
	c.SetArgs(append([]string{"token"}, args...))
	err = c.Execute()
	return stdout.String(), stderr.String(), err
}

func TestTokenCommand(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tokens.yaml")
	out, notes, err := runToken("new", "desk", "--file", file, "--read", "AAPL,sector:energy", "--delay", "15m", "--may", "lab", "--streams", "2", "--subject", "ann", "--expires", "1d")
	if err != nil {
		t.Fatal(err)
	}
	secret := strings.TrimSuffix(out, "\n")
	if !strings.HasPrefix(secret, "tl_") || len(secret) != 46 || strings.Contains(notes, secret) {
		t.Fatalf("%q, %q", out, notes)
	}
	if !strings.Contains(notes, "no delay of 15m yet must be restarted") {
		t.Errorf("nothing about the new delay in %q", notes)
	}
	s, err := auth.New(auth.Options{Mode: auth.ModeToken, TokenFile: file})
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Verifier.Verify(secret)
	if err != nil || p.Subject != "ann" || p.TokenID != "desk" || p.Rights.Streams() != 2 || !p.Rights.May(auth.Lab) || p.Rights.ReadsAll() || p.Expires.After(time.Now().Add(24*time.Hour)) {
		t.Fatalf("%+v, %v", p, err)
	}
	if delay, ok := p.Rights.DelayOf("XOM", "energy"); !ok || delay != 15*time.Minute {
		t.Errorf("delay %v, %t", delay, ok)
	}
	if _, _, err := runToken("new", "desk", "--file", file, "--read", "*"); err == nil || !strings.Contains(err.Error(), "exists") {
		t.Errorf("the same name: %v", err)
	}
	if _, notes, err = runToken("revoke", "desk", "--file", file); err != nil || !strings.Contains(notes, "revoked") {
		t.Errorf("%q, %v", notes, err)
	}
	out, _, err = runToken("list", "--file", file)
	if err != nil || !strings.Contains(out, "desk  ann      revoked ") || !strings.Contains(out, `"read":["AAPL","sector:energy"]`) || strings.Contains(out, secret) {
		t.Errorf("%s%v", out, err)
	}
	if out, _, err = runToken("new", "desk", "--file", file, "--write", "*", "--expires", "never"); err != nil || strings.TrimSpace(out) == secret {
		t.Errorf("in place of a revoked one: %v", err)
	}
	if out, _, err = runToken("list", "--file", file); err != nil || !strings.Contains(out, "without expiry") || strings.Contains(out, "revoked") {
		t.Errorf("%s%v", out, err)
	}
}

// TestTokenCommandsAtOnce: no command undoes the change of another, and a revoked token stays revoked.
func TestTokenCommandsAtOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tokens.yaml")
	if _, _, err := runToken("new", "stolen", "--file", file, "--read", "*"); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			args := []string{"new", fmt.Sprintf("desk%d", i), "--read", "*"}
			if i == 0 {
				args = []string{"revoke", "stolen"}
			}
			if _, _, err := runToken(append(args, "--file", file)...); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	tokens, err := auth.ReadTokens(file)
	if err != nil || len(tokens) != 8 {
		t.Errorf("%d tokens, want 8; %v", len(tokens), err)
	}
	if i := indexOf(tokens, "stolen"); i < 0 || tokens[i].Revoked.IsZero() {
		t.Error("the token that was revoked is in use")
	}
	if left, err := filepath.Glob(file + "*"); err != nil || len(left) != 1 {
		t.Errorf("files %v, %v", left, err)
	}
}

func TestTokenHelp(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"new", "--help"}} {
		out, _, err := runToken(args...)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"ticklane token revoke", "--file string", "--read strings", "--expires string", "Exit codes"} {
			if !strings.Contains(out, want) {
				t.Errorf("%v: no %s in\n%s", args, want, out)
			}
		}
		for line := range strings.Lines(out) {
			if strings.Count(line, "--help") > 1 || len([]rune(line)) > 122 {
				t.Errorf("%v: %s", args, line)
			}
		}
	}
}

func TestTokenCommandRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tokens.yaml")
	for args, want := range map[string]string{
		"":                              "want new NAME, list or revoke NAME",
		"new":                           "one name",
		"new a b --read *":              "one name",
		"new a":                         "at least one of --read, --write and --may",
		"new a --read a_b!":             `--read: "a_b!"`,
		"new a --may root":              `--may: unknown "root"`,
		"new a --read * --delay 15":     `--delay: "15"`,
		"new a --read * --streams -1":   "--streams: -1",
		"new a --read * --expires 0d":   "--expires",
		"new a --read * --expires -5m":  "--expires",
		"new a --read * --expires soon": "--expires",
		"new a --read * --requests=NaN": "",
		"new a\tb --read *":             "name",
		"new a --read * --subject a\tb": "subject",
		"new a --reed *":                "unknown flag: --reed",
		"list a":                        "flags only",
		"revoke a":                      `no token "a"`,
	} {
		var list []string
		if args != "" {
			list = strings.Split(args, " ")
		}
		_, _, err := runToken(append(list, "--file", file)...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %q", args, err, want)
		}
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a refused command has written the file")
	}
}
