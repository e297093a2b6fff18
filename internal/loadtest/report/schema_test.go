package report

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

// TestGoldenShape compares every name and type in the JSON: the reports page and other programs read it.
func TestGoldenShape(t *testing.T) {
	lines := make(map[string]bool)
	for _, r := range []*Report{baselineReport(t, twoVariants(), func(r *Report) { moreCPU(r); r.Setup.Conns = 1 }), thresholdReport(t), incomplete(twoVariants(), "B"), twoVariants(), fourVariants(), drillReport(DrillResume), drillReport(DrillSlow)} {
		if len(r.Windows) > 0 {
			r.Windows[0].Reasons, r.Windows[0].SlowReaders, r.Windows[0].Generator.Saved = []string{"why"}, &SlowReaders{}, 1
		}
		if len(r.Drills) > 0 {
			r.Drills[0].Reasons = []string{"why"}
			r.Setup.Cuts, r.Setup.Addresses = 1000, 2
		}
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatal(err)
		}
		shape(lines, "", v)
	}
	var all []string
	for l := range lines {
		all = append(all, l)
	}
	slices.Sort(all)
	golden(t, "shape.txt", strings.Join(all, "\n")+"\n")
}

func shape(into map[string]bool, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, x := range v {
			shape(into, path+"."+name, x)
		}
	case []any:
		for _, x := range v {
			shape(into, path+"[]", x)
		}
	case nil:
		into[strings.TrimPrefix(path, ".")+" null"] = true
	default:
		into[strings.TrimPrefix(path, ".")+" "+fmt.Sprintf("%T", v)] = true
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (-update writes it):\n%s\nwant\n%s", path, got, want)
	}
}

// TestSchemaIsDocumented: docs/reports/README.md describes every member of the JSON.
func TestSchemaIsDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../../docs/reports/README.md")
	if err != nil {
		t.Fatal(err)
	}
	shape, err := os.ReadFile("testdata/shape.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(shape)) {
		path, _, _ := strings.Cut(line, " ")
		for name := range strings.SplitSeq(strings.ReplaceAll(path, "[]", ""), ".") {
			if !strings.Contains(string(doc), "`"+name+"`") && !strings.Contains(string(doc), "."+name+"`") {
				t.Errorf("%s: %s is not described", path, name)
			}
		}
	}
}
