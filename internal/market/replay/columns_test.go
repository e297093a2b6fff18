package replay

import (
	"os"
	"strings"
	"testing"
)

// TestDocumentedFiles replays the examples of README.md.
func TestDocumentedFiles(t *testing.T) {
	text, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := strings.Split(string(text), "```csv\n")[1:]
	if len(examples) != 2 {
		t.Fatalf("%d examples, want one of ticks and one of bars", len(examples))
	}
	for i, bars := range []bool{false, true} {
		example, _, _ := strings.Cut(examples[i], "```")
		r := newSource(t, writeFile(t, "AAPL.csv", example), nil)
		if ticks := replayAll(t, r); len(ticks) == 0 || r.scan.bars != bars {
			t.Errorf("example %d: %d ticks, bars %v", i, len(ticks), r.scan.bars)
		}
	}
	for _, names := range synonyms {
		for _, name := range names {
			if !strings.Contains(string(text), "`"+name+"`") {
				t.Errorf("README.md doesn't have the column %s", name)
			}
		}
	}
}
