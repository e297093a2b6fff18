package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// buildTicklane builds the server, whose pages then explain that the browser code is missing.
func buildTicklane(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "ticklane")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", binary, ".") // as make build, so that nothing is compiled twice
	cmd.Dir, cmd.Env = "..", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

// stormOf runs a storm of 20 clients on each lane and returns its cases.
func stormOf(t *testing.T, args ...string) []*StormCase {
	t.Helper()
	file := filepath.Join(t.TempDir(), "storm.json")
	var out bytes.Buffer
	if err := runStorm(t.Context(), append(args, "-clients", "20", "-settle", "0s", "-out", file), &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	r, err := readStorm(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(out.String())
	return r.Cases
}

// TestStorm: twenty clients on each lane have whole state after every case, on both engines, plain and compressed, and
// nothing is lost.
func TestStorm(t *testing.T) {
	t.Parallel()
	ticklane := buildTicklane(t)
	for _, engine := range []string{"stream", "shard"} {
		for _, compress := range []string{"none", "gzip"} {
			t.Run(engine+" "+compress, func(t *testing.T) {
				t.Parallel()
				checkStorm(t, stormOf(t, "-ticklane", ticklane, "-engine", engine, "-compress", compress, "-symbols", "500", "-rate", "10"))
			})
		}
	}
}

func checkStorm(t *testing.T, cases []*StormCase) {
	t.Helper()
	if len(cases) != len(stormCases) {
		t.Errorf("%d cases", len(cases))
	}
	for _, c := range cases {
		if c.Whole != c.Clients || c.Losses.Total() > 0 || c.Until100 < c.Until50 || c.Until50 <= 0 {
			t.Errorf("%s %s, %s: %+v", c.Engine, c.Compress, c.Case, c)
		}
		// After a restart the first clients are alone, and get uncompressed streams.
		if n := c.Counts.Compressed; c.Bystanders != nil && (n > 0) != (c.Compress == "gzip") || n > 0 && c.Bystanders != nil && n < int64(c.Clients) {
			t.Errorf("%s %s, %s: %d compressed streams", c.Engine, c.Compress, c.Case, n)
		}
		if b := c.Bystanders; b != nil && (b.Losses.Total() > 0 || b.Counts.Attempts > 0 || b.Ticks == 0) {
			t.Errorf("%s, %s: bystanders %+v", c.Engine, c.Case, b)
		}
		if c.Case == "cut" && c.Counts.Resumes["complete"] != int64(c.Clients) {
			t.Errorf("%s, cut: %v", c.Engine, c.Counts.Resumes)
		}
	}
}

// TestStormOfRecipes: the clients of the other servers and of the null servers have whole state.
func TestStormOfRecipes(t *testing.T) {
	t.Parallel()
	for _, name := range recipeNames() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cases := stormOf(t, "-ticklane", "none", "-servers", name, "-symbols", "50")
			for _, c := range cases {
				if c.Server == "r3labs" && c.Case == "cut" {
					c.Losses.Repeated -= int64(c.Clients) // it replays from the last event id on, that event included
				}
				if c.Whole != c.Clients || c.Losses.Total() != 0 {
					t.Errorf("%s, %s: %+v", c.Server, c.Case, c)
				}
			}
			if len(cases) != 2 {
				t.Errorf("%d cases", len(cases))
			}
		})
	}
}

func TestStormFlags(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"-engine body", `-engine: unknown "body"`},
		{"-cases connect,cat", `-cases: unknown "cat"`},
		{"-symbols 0", "-symbols"},
		{"-timeout 1h", "-timeout"},
		{"-rate 0", "-rate"},
		{"-clients 20000", "-clients 20000"},
		{"connect", "only flags"},
	} {
		err := runStorm(t.Context(), strings.Fields("-ticklane none "+tt.args), &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.args, err)
		}
	}
	var c StormConfig
	if _, _, err := c.parse(strings.Fields("-clients 7 -compress gzip -engine shard -cases kill,cut -lanes ws -symbols 50,5000")); err != nil {
		t.Fatal(err)
	}
	if p := c.plans(); len(p) != 2 || p[0].engine != "shard" || p[1].symbols != 5000 || !slices.Equal(c.Cases, []string{"kill", "cut"}) {
		t.Errorf("%+v", p)
	}
}
