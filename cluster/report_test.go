//go:build linux

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ticklane/internal/loadtest/report"
)

func TestSelectCases(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"stream-deleted,writer-k", []string{"writer-kill", "stream-deleted"}},
		{"nats-leader", []string{"nats-leader-kill", "nats-leader-stop", "nats-leader-cut", "nats-leader-routes"}},
	} {
		chosen, err := selectCases(c.text)
		var got []string
		for _, x := range chosen {
			got = append(got, x.name)
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, %v", c.text, got, err)
		}
	}
	if all, err := selectCases(""); err != nil || len(all) != len(allCases()) {
		t.Errorf("%d cases, %v", len(all), err)
	}
	for _, text := range []string{"coffee", "writer-kill,"} {
		if _, err := selectCases(text); err == nil || !strings.Contains(err.Error(), "want a name or its beginning") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// loadReport returns a report of the load tester.
func loadReport(t *testing.T, status string, d report.Drill) loadResult {
	t.Helper()
	text, err := json.Marshal(report.Report{Status: status, Drills: []*report.Drill{&d}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := readLoad("sse", text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestLoadFindings(t *testing.T) {
	reset := report.Drill{Cuts: 5, Check: report.Check{Resets: 3}, Reasons: []string{"another log"}}
	for _, c := range []struct {
		name     string
		result   loadResult
		newEpoch bool
		want     string
	}{
		{"complete", loadReport(t, report.StatusComplete, report.Drill{Cuts: 5, Resumed: 5}), false, ""},
		{"lost", loadReport(t, report.StatusBroken, report.Drill{Check: report.Check{Lost: 2}}), true, "2 lost"},
		{"gaps", loadReport(t, report.StatusComplete, report.Drill{Check: report.Check{Gaps: 1}}), false, "1 gaps"},
		{"another log", loadReport(t, report.StatusInvalid, reset), false, "another log"},
		{"another log, expected", loadReport(t, report.StatusInvalid, reset), true, ""},
	} {
		found := strings.Join(c.result.findings(c.newEpoch), "\n")
		if c.want == "" && found != "" || !strings.Contains(found, c.want) {
			t.Errorf("%s: %q", c.name, found)
		}
	}
	if _, err := readLoad("sse", []byte(`{"status":"interrupted"}`)); err == nil {
		t.Error("a report without a drill is accepted")
	}
}

func TestReport(t *testing.T) {
	s := &summary{NATS: "nats-server: v2", Cases: []result{
		{Name: "writer-kill", Which: "node-2", Feed: 2.9, Back: 0.5, Clients: []clientResult{{Name: "haproxy sse", Still: 3.1}, {Name: "page ws", Still: 4.2}},
			Loads: []loadResult{loadReport(t, report.StatusComplete, report.Drill{Cuts: 300, Ended: 2, Resumed: 290})}},
		{Name: "nats-all", Which: "all NATS servers", Feed: 12.7, Clients: []clientResult{{Name: "node-1 ws", counts: counts{Undetected: 2, Doubles: 1}}},
			Findings: []string{"node-1 ws: 2 undetected gaps"}},
	}}
	if s.ok() {
		t.Error("ok in spite of a finding")
	}
	path := filepath.Join(t.TempDir(), "report")
	if err := s.save(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path + ".md")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| writer-kill | node-2           | 2.9 s      | yes   | 3.1 s | 0.0 s     | 0.0 s    | 4.2 s   | 0.5 s | 300  | 2     | 290     | 0    | 0       | ok     |\n",
		"| nats-all    | all NATS servers | 12.7 s     | no    | 0.0 s | 0.0 s     | 0.0 s    | 0.0 s   | 0.0 s | 0    | 0     | 0       | 2    | 1       | FAILED |\n",
		"\n- nats-all: node-1 ws: 2 undetected gaps\n",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
	var again summary
	stored, err := os.ReadFile(path + ".json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(stored, &again); err != nil || len(again.Cases) != 2 || again.Cases[1].Clients[0].Undetected != 2 {
		t.Errorf("%v, %s", err, stored)
	}
	s.Cases = s.Cases[:1]
	if !s.ok() {
		t.Error("not ok without findings")
	}
	if s.Cases = nil; s.ok() {
		t.Error("ok without any case")
	}
}
