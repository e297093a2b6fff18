package loadtest

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"ticklane/internal/loadtest/client"
	"ticklane/internal/loadtest/report"
)

// Check completes the options and returns all mistakes in them as a *UsageError.
func (o *Options) Check() error {
	var problems []string
	fail := func(format string, a ...any) { problems = append(problems, fmt.Sprintf(format, a...)) }
	between := func(flag string, v, least, most time.Duration) {
		if v < least || v > most {
			fail("--%s %v: want %v to %v", flag, v, least, most)
		}
	}
	count := func(flag string, v, least, most int) {
		if v < least || v > most {
			fail("--%s %d: want %d to %d", flag, v, least, most)
		}
	}
	o.checkURL(fail)
	o.selectVariants(fail)
	o.setDurations()
	count("conns", o.Conns, 1, 1_000_000)
	count("rounds", o.Rounds, 1, 1000)
	count("slow-readers", o.SlowReaders, 0, 1_000_000)
	count("cuts", o.Cuts, 1, 10_000_000)
	shortest := 100 * time.Millisecond
	if o.Drill == report.DrillResume {
		shortest = 0
	}
	between("duration", o.Duration, shortest, 24*time.Hour)
	between("warmup", o.Warmup, 0, time.Hour)
	between("ramp", o.Ramp, 0, time.Hour)
	if !(o.Churn >= 0 && o.Churn <= 10_000) {
		fail("--churn %v: want 0 to 10000 connections per second", o.Churn)
	}
	oneOf := func(flag, v, want string, allowed ...string) {
		if !slices.Contains(allowed, v) {
			fail("--%s %q: %s", flag, v, want)
		}
	}
	oneOf("mode", o.Mode, "want all or latest", "all", "latest")
	oneOf("drill", o.Drill, "want resume, storm or slow", "", report.DrillResume, report.DrillStorm, report.DrillSlow)
	if o.Drill == report.DrillResume && o.Mode != "all" {
		fail("--mode latest: drill resume checks that nothing was lost, which only mode all promises")
	}
	if o.Drill == report.DrillSlow && o.Conns < 2 {
		fail("--conns %d: drill slow stalls some connections and measures the others; want at least 2", o.Conns)
	}
	if o.Drill != "" && (o.SlowReaders > 0 || o.Churn > 0) {
		fail("--drill %s: --slow-readers and --churn are for comparisons", o.Drill)
	}
	if o.Topics == "" || slices.Contains(strings.Split(o.Topics, ","), "") {
		fail("--topics %q: an empty topic; want symbols, sectors or *", o.Topics)
	}
	o.readToken(fail)
	o.parseThresholds(fail)
	o.readBaseline(fail)
	if o.Out != "" {
		if err := report.CheckWritable(o.Out); err != nil {
			fail("--out %s: the report could not be written: %v", o.Out, err)
		}
	}
	if len(problems) > 0 {
		return &UsageError{Problems: problems}
	}
	return nil
}

// kind returns the Kind of the report.
func (o *Options) kind() string {
	if o.Drill != "" {
		return report.DrillKind(o.Drill)
	}
	return report.Comparison
}

// parseThresholds sets o.thresholds, or reports why it can't.
func (o *Options) parseThresholds(fail failFunc) {
	o.thresholds = nil
	for _, text := range o.Thresholds {
		t, err := report.ParseThreshold(text, o.kind())
		switch {
		case err != nil:
			fail("--threshold %q: %v", text, err)
		case len(o.variants) > 0 && !slices.ContainsFunc(o.describeVariants(), t.Applies):
			fail("--threshold %q: no variant is %q; want sse, ws or the letter of a variant: %s", text, t.Scope, o.letters())
		default:
			o.thresholds = append(o.thresholds, t)
		}
	}
}

// readToken sets o.token, or reports why it can't. A report of a mistake doesn't contain the token.
func (o *Options) readToken(fail failFunc) {
	o.token = ""
	if o.TokenFile == "" {
		return
	}
	text, err := os.ReadFile(o.TokenFile)
	token := strings.TrimSpace(string(text))
	switch {
	case err != nil:
		fail("--token-file %s: %v", o.TokenFile, errors.Unwrap(err))
	case token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }):
		fail("--token-file %s: want one token, such as ticklane token new prints", o.TokenFile)
	default:
		o.token = token
	}
}

// readBaseline sets o.earlier, or reports why it can't.
func (o *Options) readBaseline(fail failFunc) {
	o.earlier = nil
	if o.Baseline == "" {
		return
	}
	earlier, err := report.ReadBaseline(o.Baseline, o.kind())
	if err != nil {
		fail("--baseline %s: %v", o.Baseline, err)
		return
	}
	var names []string
	for _, v := range earlier.Variants {
		if slices.ContainsFunc(o.variants, func(w *Variant) bool { return w.Lane.String() == v.Lane }) {
			o.earlier = earlier
		}
		names = append(names, v.Name)
	}
	if o.earlier == nil && len(o.variants) > 0 {
		fail("--baseline %s: has %s, and no lane of this test: %s", o.Baseline, strings.Join(names, ", "), o.letters())
	}
}

// letters returns text such as "A SSE, B WebSocket".
func (o *Options) letters() string {
	var all []string
	for k, v := range o.variants {
		all = append(all, report.Letter(k)+" "+v.Name)
	}
	return strings.Join(all, ", ")
}

func (o *Options) checkURL(fail failFunc) {
	for _, s := range o.Set {
		if key, _, ok := strings.Cut(s, "="); !ok || key == "" {
			fail("--set %q: want key=value, such as market.rate=500", s)
		}
	}
	if o.URL == "" {
		if len(o.Serve) == 0 {
			fail("--url: needed, since no server can be started here")
		}
		return
	}
	if len(o.Set) > 0 {
		fail("--set: is for a server that this command starts; the one at --url has its settings already")
	}
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" {
		fail("--url %q: want http://host:port or https://host:port", o.URL)
		return
	}
	if !client.IsLoopback(u.Hostname()) && !o.AllowRemote {
		fail("--url %s: is not this machine; --allow-remote permits loading it, if you are allowed to", o.URL)
	}
}
