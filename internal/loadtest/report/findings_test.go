package report

import (
	"strings"
	"testing"
)

func TestHeadlines(t *testing.T) {
	r := twoVariants()
	if !strings.Contains(r.Headline, "neither is faster") || !strings.Contains(r.Headline, "1,000 connections") {
		t.Errorf("%q", r.Headline)
	}
	if all := strings.Join(r.Findings, "\n"); !strings.Contains(all, "SSE sends more bytes per tick: 157 against 115 B, 36.5 % more") ||
		!strings.Contains(all, "SSE uses more server CPU") {
		t.Errorf("%s", all)
	}
	for _, s := range r.Windows {
		if s.Variant == "B" {
			s.Latency.P50 += 2000
		}
	}
	if r.Conclude(); !strings.Contains(r.Headline, "SSE is faster than WebSocket") {
		t.Errorf("%q", r.Headline)
	}
	r.Variants[1] = r.Variants[0]
	r.Conclude()
	if !strings.Contains(r.Headline, "Both variants are the same") {
		t.Errorf("%q", r.Headline)
	}
}

// TestInvalidClaimsNothing: an invalid test has no findings but its failures.
func TestInvalidClaimsNothing(t *testing.T) {
	r := allReports()["invalid"]
	if len(r.Findings) != 1 || !strings.HasPrefix(r.Findings[0], "Windows left out for") || !strings.HasPrefix(r.Headline, "Invalid") || !strings.Contains(r.Headline, "bottleneck") {
		t.Errorf("%q %q", r.Headline, r.Findings)
	}
}
