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
	for _, r := range []*Report{twoVariants(), fourVariants(), drillReport(DrillResume), drillReport(DrillSlow)} {
		if len(r.Windows) > 0 {
			r.Windows[0].Reasons, r.Windows[0].SlowReaders, r.Windows[0].Generator.Saved = []string{"why"}, &SlowReaders{}, 1
		}
		if len(r.Drills) > 0 {
			r.Drills[0].Reasons = []string{"why"}
			r.Setup.Cuts = 1000
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

// TestReadsSchema1 reads stored reports of schema 1.
func TestReadsSchema1(t *testing.T) {
	r, err := Read("testdata/schema1-comparison.json")
	if err != nil {
		t.Fatal(err)
	}
	if r.Schema != Schema || len(r.Variants) != 5 || r.Variants[1].Variant != "B" || len(r.Windows) != 5 || r.Windows[4].Variant != "E" ||
		len(r.Pairwise) == 0 || len(r.Metrics[0].Variants) != 5 || r.Metrics[0].Variants[0] != r.Metrics[0].A || r.Windows[0].Latency.P50 == 0 {
		t.Errorf("%+v", r)
	}
	if _, err := r.HTML(); err != nil {
		t.Error(err)
	}
	if r, err = Read("testdata/schema1-drill.json"); err != nil {
		t.Fatal(err)
	}
	d := r.Drills[0]
	if d.Variant != "A" || d.Resumed == 0 || d.Reconnect == nil || d.Reconnect.Count == 0 || d.CatchUp == nil {
		t.Errorf("%+v", d)
	}
}

func TestConvertSchema1(t *testing.T) {
	got, err := convertSchema1([]byte(`{"schema":"ticklane.load/1","target":{"seed":9007199254740993},"sides":[{"side":"A"}],
		"slots":[{"side":"A","check":{"lost":1,"doubled":2,"disorder":3,"gaps":4,"told":5,"resets":6,"mislabeled":7,"ignored":8},"server_faults":["x"]}],
		"contrasts":[],"drills":[{"gap_told":1,"back":{},"caught":{}}]}`))
	const want = `{"drills":[{"catch_up":{},"reconnect":{},"resumed_with_gap":1}],"pairwise":[],"schema":"ticklane.load/2","target":{"seed":9007199254740993},` +
		`"variants":[{"variant":"A"}],"windows":[{"check":{"duplicates":2,"gap_ticks":5,"gaps":4,"ignored_positions":8,"lost":1,"out_of_order":3,"resets":6,"wrong_ids":7},` +
		`"server_failures":["x"],"variant":"A"}]}`
	if err != nil || string(got) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, got, want)
	}
	for _, text := range []string{`{"schema":"ticklane.load/3"}`, `{}`, `[]`, ``} {
		if _, err := Parse([]byte(text)); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}
