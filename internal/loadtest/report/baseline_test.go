package report

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ticklane/internal/loadtest/stats"
)

// baselineReport returns a report with a change since its baseline: SSE uses a third more CPU.
func baselineReport(t *testing.T, r *Report, change func(*Report)) *Report {
	t.Helper()
	earlier := twoVariants()
	if r.isDrill() {
		earlier = drillReport(r.drill())
	}
	return compareWith(t, r, earlier, change)
}

// compareWith compares r after a change with an earlier report that was saved and read again.
func compareWith(t *testing.T, r, earlier *Report, change func(*Report)) *Report {
	t.Helper()
	path, _, err := earlier.Save(filepath.Join(t.TempDir(), "before"))
	if err != nil {
		t.Fatal(err)
	}
	read, err := ReadBaseline(path, r.Kind)
	if err != nil {
		t.Fatal(err)
	}
	change(r)
	r.SetBaseline(read, "before.json")
	r.Conclude()
	return r
}

func moreCPU(r *Report) {
	for _, w := range r.windowsOf(0) {
		w.Server.CPUPerMillion *= 4.0 / 3
	}
}

func (r *Report) change(variant int, key string) Change {
	for _, c := range r.Baseline.Variants[variant].Figures {
		if c.Figure == key {
			return c
		}
	}
	return Change{}
}

func TestBaseline(t *testing.T) {
	r := baselineReport(t, twoVariants(), moreCPU)
	if c := r.change(0, "cpu_per_million"); c.Verdict != "higher" || !near(*c.Before, 10.1) || !near(c.share(), 1.0/3) {
		t.Errorf("%+v", c)
	}
	for _, c := range []Change{r.change(1, "cpu_per_million"), r.change(0, "latency_p99"), r.change(0, "wire_per_tick")} {
		if c.Verdict != string(stats.NoDifference) {
			t.Errorf("%+v", c)
		}
	}
	if c := r.change(0, "lost"); c.Figure != "" {
		t.Errorf("a count that is 0 in both: %+v", c)
	}
	if len(r.Baseline.Differs) > 0 {
		t.Errorf("equal setups: %q", r.Baseline.Differs)
	}
	findings := strings.Join(r.Findings, "\n")
	for _, part := range []string{"Against the baseline, SSE: server CPU / 1M ticks higher (10.1 → 13.5 s, +33.3 %).", "Against the baseline, WebSocket: no figure differs"} {
		if !strings.Contains(findings, part) {
			t.Errorf("%q is not in\n%s", part, findings)
		}
	}
	var b strings.Builder
	if err := r.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "baseline.txt", b.String())
	page, err := r.HTML()
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"Against the baseline before.json of 2026-03-01 14:25 UTC, version v1", "10.1 → 13.5 <span class=\"verdict sse-text\">33.3 % higher", "Welch"} {
		if !strings.Contains(strings.ReplaceAll(string(page), "&#43;", "+"), part) {
			t.Errorf("the page lacks %s", part)
		}
	}
	// The JSON contains everything that the page shows.
	var back Report
	text, _ := json.Marshal(r)
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if again, err := back.HTML(); err != nil || string(again) != string(page) {
		t.Errorf("the page of the report that was read back differs: %v", err)
	}
}

// TestBaselineOfAnotherSetup: what was measured differently comes before the changes.
func TestBaselineOfAnotherSetup(t *testing.T) {
	r := baselineReport(t, twoVariants(), func(r *Report) {
		r.Setup.Conns, r.Variants[1].Encoding, r.Machine.Cores = 200, "protobuf", 4
		r.Target.Settings = []string{"--limits.connections=500", "--market.rate=200"}
		r.Variants[0].Settings = []string{"--stream.engine=stream"}
	})
	want := "connections 1,000 → 200; settings --market.rate=100 → --market.rate=200; WebSocket: encoding json → protobuf; processors 2 → 4"
	if got := strings.Join(r.Baseline.Differs, "; "); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if !strings.Contains(strings.Join(r.Findings, "\n"), "The baseline was measured differently, which may explain a change: connections") {
		t.Errorf("%q", r.Findings)
	}
}

// TestBaselineMatches: a variant is compared with an equal one, else with one of its lane, else with none.
func TestBaselineMatches(t *testing.T) {
	r := compareWith(t, fourVariants(), twoVariants(), func(*Report) {})
	var got []string
	for _, v := range r.Baseline.Variants {
		got = append(got, v.Variant+v.Baseline)
	}
	if all := strings.Join(got, " "); all != "AA B CB D" {
		t.Errorf("%s", all)
	}
	if !strings.Contains(strings.Join(r.Findings, "\n"), "The baseline has no variant to compare with SSE shard, WebSocket shard.") {
		t.Errorf("%q", r.Findings)
	}
	swapped := fourVariants().Variants
	swapped[0], swapped[1] = swapped[1], swapped[0]
	if m := matchVariants(swapped, fourVariants().Variants); m[0] != 1 || m[1] != 0 || m[2] != 2 || m[3] != 3 {
		t.Errorf("%v", m)
	}
}

// TestBaselineIsNotJudged: an invalid or failed test on either side allows no verdict.
func TestBaselineIsNotJudged(t *testing.T) {
	for _, c := range []struct {
		name         string
		report       *Report
		latency, cpu string
	}{
		{"invalid now", baselineReport(t, twoVariants(), func(r *Report) { moreCPU(r); r.Status = StatusInvalid }), "not judged", "not judged"},
		{"failed windows", baselineReport(t, failedReport(StatusComplete, Check{Gaps: 1}, 0), moreCPU), "server failed", "higher"},
		{"one round", baselineReport(t, twoVariants(), func(r *Report) { r.Windows = r.Windows[:2] }), "too few rounds", "too few rounds"},
	} {
		if latency, cpu := c.report.change(0, "latency_p99").Verdict, c.report.change(0, "cpu_per_million").Verdict; latency != c.latency || cpu != c.cpu {
			t.Errorf("%s: %s, %s", c.name, latency, cpu)
		}
	}
	earlier := twoVariants()
	earlier.Status = StatusBroken
	r := compareWith(t, twoVariants(), earlier, moreCPU)
	if v := r.change(0, "cpu_per_million").Verdict; v != "not judged" || !strings.Contains(r.Baseline.Title(), "version v1, broken") {
		t.Errorf("a broken baseline: %s, %s", v, r.Baseline.Title())
	}
}

func TestBaselineOfADrill(t *testing.T) {
	r := baselineReport(t, drillReport(DrillStorm), func(r *Report) {
		r.Drills[0].Reconnect.P99 *= 2
		r.Drills[1].Check.Lost = 3
	})
	if c := r.change(0, "reconnect_p99"); c.show() != "297 → 594" || c.showShare() != "+100 %" || c.Verdict != "" {
		t.Errorf("%+v", c)
	}
	if c := r.change(1, "lost"); c.show() != "0 → 3" || c.showShare() != "" {
		t.Errorf("%+v", c)
	}
	var b strings.Builder
	if err := r.WriteTable(&b); err != nil || !strings.Contains(b.String(), "297 → 594  +100 %") {
		t.Errorf("%s, %v", b.String(), err)
	}
}

func TestReadBaselineRejects(t *testing.T) {
	dir := t.TempDir()
	good, page, err := twoVariants().Save(filepath.Join(dir, "good"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ReadBaseline(good, Comparison); err != nil {
		t.Error(err)
	}
	text, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "none.json"):          "no such file",
		dir:                                      "is a directory",
		page:                                     "is a page; want the JSON beside it, " + good,
		write("text", "hello"):                   "is not JSON",
		write("empty", ""):                       "is not JSON",
		write("other", `{"a":1}`):                "is no report of ticklane load",
		write("cut", string(text[:len(text)/2])): "is not JSON",
		"testdata/schema1-comparison.json":       "has schema ticklane.load/1; want ticklane.load/2",
		write("types", `{"schema":"ticklane.load/2","windows":3}`):                                  "is damaged",
		write("letters", strings.Replace(string(text), `"variant": "B"`, `"variant": ""`, 1)):       `variants[1].variant is "", want "B"`,
		write("nothing", `{"schema":"ticklane.load/2","kind":"comparison","status":"interrupted"}`): "it is interrupted, and nothing was measured",
		write("null", `{"schema":"ticklane.load/2","kind":"comparison","windows":[null]}`):          "windows[0] has no variant",
	} {
		if _, err := ReadBaseline(path, Comparison); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", path, err, want)
		}
	}
	if _, err := ReadBaseline(good, DrillKind(DrillStorm)); err == nil || err.Error() != "is a comparison, but this test is a drill storm" {
		t.Errorf("%v", err)
	}
}
