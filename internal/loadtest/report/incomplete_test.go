package report

import (
	"regexp"
	"strings"
	"testing"
)

// TestUnmeasuredIsNotZero: a variant that failed has no zeros and no bars, in the table and on the page.
func TestUnmeasuredIsNotZero(t *testing.T) {
	r := withThresholds(t, incomplete(twoVariants(), "B"), "lost==0")
	var b strings.Builder
	if err := r.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "incomplete.txt", b.String())
	memory := twoVariants()
	for _, w := range memory.windowsOf(1) {
		w.Server.KiBPerConn = nil
	}
	memory.Conclude()
	if text := memory.verdictText(memory.metric("kib_per_connection")); text != "B not measured" {
		t.Errorf("a figure that one variant doesn't have: %q", text)
	}
	page, err := r.HTML()
	if err != nil {
		t.Fatal(err)
	}
	plots := regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(string(page), -1)
	if len(plots) != 4 {
		t.Fatalf("%d plots, want 4", len(plots))
	}
	for _, svg := range plots[2:] {
		if !strings.Contains(svg, ">not measured</text>") || strings.Contains(svg, "ws-fill") || strings.Contains(svg, ">0.00") {
			t.Errorf("an unmeasured variant is drawn: %s", svg)
		}
	}
	for _, part := range []string{"━━</font> WebSocket (failed)", "B: WebSocket (failed)", `class="headline incomplete"`} {
		if !strings.Contains(string(page), part) {
			t.Errorf("the page lacks %s", part)
		}
	}
}

func TestIncompleteHeadlines(t *testing.T) {
	all := allReports()
	for name, want := range map[string]string{
		"incomplete":                "WebSocket could not be measured: a proxy drops the header <Upgrade>. With 1,000 connections at 100 ticks/s each, half of all ticks reach a client over SSE",
		"four variants, incomplete": "WebSocket stream, WebSocket shard could not be measured: a proxy drops the header <Upgrade>. With 1,000 connections at 100 ticks/s each: the implementation changes CPU",
		"drill, incomplete":         "SSE could not be measured: a proxy drops the header <Upgrade>. WebSocket: of 1,000 cut",
	} {
		r := all[name]
		text := r.Headline + strings.Join(r.Findings, " ")
		if !strings.HasPrefix(r.Headline, want) || strings.Count(text, "a proxy drops") != 1 || strings.Contains(text, "ot measured:") {
			t.Errorf("%s: %q %q", name, r.Headline, r.Findings)
		}
	}
	if pairs := all["four variants, incomplete"].Pairwise; len(pairs) != 1 || pairs[0].A != "A" || pairs[0].B != "B" {
		t.Errorf("%d pairs, want the one without a variant that failed", len(pairs))
	}
	r := all["incomplete"]
	if n := r.ValidRounds(); n != 5 {
		t.Errorf("%d valid rounds, want 5", n)
	}
	if !strings.Contains(strings.Join(r.Findings, " "), "in 5 valid rounds: none was lost") {
		t.Errorf("%q", r.Findings)
	}
	// A variant that failed later keeps its windows.
	late := twoVariants()
	late.Variants[1].Failed, late.Status, late.Windows = "reset", StatusIncomplete, late.Windows[:6]
	if late.Conclude(); !strings.HasPrefix(late.Headline, "WebSocket could not be measured to the end: reset.") {
		t.Errorf("%q", late.Headline)
	}
}

// TestReasonsOnThePage: the list of windows gives a reason once, whatever numbers it contains.
func TestReasonsOnThePage(t *testing.T) {
	r := twoVariants()
	for k, reason := range []string{"late by 11.5 ms", "late by 61 ms", "3 gaps"} {
		r.Windows[k].Valid, r.Windows[k].Reasons = false, []string{reason}
	}
	r.Conclude()
	page, err := r.HTML()
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"left out: late by 11.5 ms", "left out: as round 1, SSE", "left out: 3 gaps"} {
		if strings.Count(string(page), part) != 1 {
			t.Errorf("the page lacks %q", part)
		}
	}
}
