package report

import (
	"bytes"
	"encoding/xml"
	"io"
	"regexp"
	"strings"
	"testing"
)

var reference = regexp.MustCompile(`(?i)(src|href|srcset|data|action)\s*=\s*"([^"]*)"`)

// TestPage: the page satisfies the server's Content-Security-Policy, loads nothing remote, and escapes its texts.
func TestPage(t *testing.T) {
	all := allReports()
	all["thresholds"] = thresholdReport(t)
	all["baseline"] = baselineReport(t, twoVariants(), moreCPU)
	all["baseline, four variants"] = compareWith(t, fourVariants(), twoVariants(), moreCPU)
	all["baseline, drill"] = baselineReport(t, drillReport(DrillStorm), func(*Report) {})
	for name, r := range all {
		b, err := r.HTML()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		page := string(b)
		for _, bad := range []string{"<script", "<style", " style=", "javascript:", "onload=", "<iframe", "<img", "url(", "@import", "<fast>", "<100>", "<its own", "<upgrade>", "ZgotmplZ", "%!", "NaN"} {
			if strings.Contains(strings.ToLower(page), strings.ToLower(bad)) {
				t.Errorf("%s: the page contains %q", name, bad)
			}
		}
		for _, m := range reference.FindAllStringSubmatch(page, -1) {
			if m[2] != "../static/report.css" {
				t.Errorf("%s: the page refers to %s", name, m[0])
			}
		}
		if n := strings.Count(page, "http"); n != strings.Count(page, "http://www.w3.org/2000/svg") {
			t.Errorf("%s: the page contains an address", name)
		}
		for _, svg := range regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(page, -1) {
			d := xml.NewDecoder(strings.NewReader(svg))
			for {
				if _, err := d.Token(); err == io.EOF {
					break
				} else if err != nil {
					t.Errorf("%s: a plot is not well-formed: %v", name, err)
					break
				}
			}
		}
		if !strings.Contains(page, "ticklane load") || !strings.Contains(page, "SIMULATED MARKET") {
			t.Errorf("%s: the command or the mark of a simulated market is missing", name)
		}
	}
	for feed, want := range map[string]string{"replay": "REPLAY", "ingest": "LIVE FEED"} {
		r := twoVariants()
		r.Target.Feed = feed
		if page, _ := r.HTML(); !bytes.Contains(page, []byte(">"+want+"</span>")) || bytes.Contains(page, []byte("SIMULATED")) {
			t.Errorf("the report of %s doesn't say %s", feed, want)
		}
	}
	page, _ := twoVariants().HTML()
	if n := bytes.Count(page, []byte("<svg")); n != 4 {
		t.Errorf("%d plots, want 4", n)
	}
}
