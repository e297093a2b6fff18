package main

import (
	"bytes"
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
	cmd := exec.Command("go", "build", "-o", binary, ".")
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

// TestStorm: twenty clients on each lane have whole state after every case, on both engines, plain and compressed, and
// nothing is lost.
func TestStorm(t *testing.T) {
	file := filepath.Join(t.TempDir(), "storm.json")
	var out bytes.Buffer
	err := runStorm(t.Context(), []string{"-ticklane", buildTicklane(t), "-clients", "20", "-symbols", "500", "-rate", "10", "-settle", "0s", "-out", file}, &out)
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	r, err := readStorm(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Cases) != 4*len(stormCases) {
		t.Fatalf("%d cases\n%s", len(r.Cases), out.String())
	}
	for _, c := range r.Cases {
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
	file := filepath.Join(t.TempDir(), "storm.json")
	var out bytes.Buffer
	if err := runStorm(t.Context(), []string{"-ticklane", "none", "-servers", strings.Join(recipeNames(), ","), "-clients", "20", "-symbols", "50", "-settle", "0s", "-out", file}, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	r, err := readStorm(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range r.Cases {
		if c.Server == "r3labs" && c.Case == "cut" {
			c.Losses.Repeated -= int64(c.Clients) // it replays from the last event id on, that event included
		}
		if c.Whole != c.Clients || c.Losses.Total() != 0 {
			t.Errorf("%s, %s: %+v", c.Server, c.Case, c)
		}
	}
	if len(r.Cases) != 2*len(recipeNames()) {
		t.Errorf("%d cases\n%s", len(r.Cases), out.String())
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
