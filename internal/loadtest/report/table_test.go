package report

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTableFits(t *testing.T) {
	all := allReports()
	all["thresholds"] = thresholdReport(t)
	all["baseline"] = baselineReport(t, twoVariants(), moreCPU)
	all["baseline, four variants"] = compareWith(t, fourVariants(), twoVariants(), moreCPU)
	all["baseline, drill"] = baselineReport(t, drillReport(DrillStorm), func(*Report) {})
	for name, r := range all {
		var b strings.Builder
		if err := r.WriteTable(&b); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > tableWidth {
				t.Errorf("%s: %d columns: %s", name, n, line)
			}
		}
		if strings.Contains(b.String(), "NaN") || strings.Contains(b.String(), "%!") {
			t.Errorf("%s:\n%s", name, b.String())
		}
	}
}

func TestTableFitsLargeFigures(t *testing.T) {
	r := twoVariants()
	for _, s := range r.Windows {
		s.Latency.P50, s.Latency.P99, s.Latency.Max, s.PerSecond = 12_345_678, 112_345_678, 599_999_999, 1_234_567.8
	}
	r.Metrics = summarize(r.Windows, len(r.Variants))
	var b strings.Builder
	if err := r.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > tableWidth {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

func TestGoldenTable(t *testing.T) {
	var b strings.Builder
	if err := twoVariants().WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "two-variants.txt", b.String())
	b.Reset()
	if err := fourVariants().WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "four-variants.txt", b.String())
}
