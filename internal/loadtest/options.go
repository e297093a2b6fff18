package loadtest

import (
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"ticklane/internal/wire"
)

// Options is what a test shall be; DefaultOptions is the standard comparison. Check fills in the sides.
type Options struct {
	URL string   // of a running server; empty: Serve starts a fresh one for each slot
	Set []string // settings of a fresh server, key=value
	// Sides are those that are compared, such as ws/shard+protobuf+deflate. Empty: as the next four say; those empty, too:
	// every engine on every lane.
	Sides        []string
	Lanes        []string
	Engines      []string             // empty: the server's own
	Encodings    []string             // json, protobuf
	Compressions []string             // off, on
	Offered      [wire.Lanes][]string // engines that the server to start has, the default first

	Conns       int // measured connections of a slot
	Topics      string
	Duration    time.Duration // of a slot's window
	Rounds      int
	Warmup      time.Duration // between the last connection and the window
	Ramp        time.Duration // in which the connections are opened
	Mode        string
	SlowReaders int     // further connections that read slowly
	Churn       float64 // connections closed and reopened in a second
	Out         string  // folder, or path without extension; empty: no report
	AllowRemote bool
	Drill       string // empty: a comparison
	Cuts        int    // of drill resume, for each side
	Seed        uint64
	QueryA      string // added to A's subscribe requests
	QueryB      string

	Serve   []string  // command that starts a server: program and first arguments
	Command string    // what the user typed, for the report
	Version string    // of this program
	Log     *Progress // nil: silence

	sides []*Side
	url   *url.URL
}

// Drills.
const (
	DrillResume = "resume"
	DrillStorm  = "storm"
	DrillSlow   = "slow"
)

// Fit is a duration that Check sets by the number of sides, so that the standard comparison stays under two minutes.
const Fit = time.Duration(math.MinInt64)

// DefaultOptions is the standard comparison: under two minutes on two cores.
func DefaultOptions() Options {
	return Options{
		Conns: 1000, Topics: "*", Duration: Fit, Rounds: 5, Warmup: Fit, Ramp: Fit, Mode: "all", Out: "docs/reports/", Cuts: 1000, Seed: 1,
	}
}

// fit sets the durations that nobody named: two sides get longer windows than many.
func (o *Options) fit() {
	long := len(o.sides) <= 2
	for _, d := range []struct {
		of        *time.Duration
		two, many time.Duration
	}{
		{&o.Duration, 5 * time.Second, 2500 * time.Millisecond}, {&o.Warmup, time.Second, 500 * time.Millisecond},
		{&o.Ramp, time.Second, 500 * time.Millisecond},
	} {
		if *d.of != Fit {
			continue
		}
		if *d.of = d.many; long {
			*d.of = d.two
		}
	}
}

// UsageError is everything that is wrong with what was asked, each sentence with its flag.
type UsageError struct{ Problems []string }

func (e *UsageError) Error() string { return strings.Join(e.Problems, "\n          ") }

// Check finds all mistakes; the error is a *UsageError.
func (o *Options) Check() error {
	var bad []string
	fail := func(format string, a ...any) { bad = append(bad, fmt.Sprintf(format, a...)) }
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
	o.checkSides(fail)
	o.fit()
	count("conns", o.Conns, 1, 1_000_000)
	count("rounds", o.Rounds, 1, 1000)
	count("slow-readers", o.SlowReaders, 0, 1_000_000)
	count("cuts", o.Cuts, 1, 10_000_000)
	between("duration", o.Duration, 100*time.Millisecond, 24*time.Hour)
	between("warmup", o.Warmup, 0, time.Hour)
	between("ramp", o.Ramp, 0, time.Hour)
	if !(o.Churn >= 0 && o.Churn <= 10_000) {
		fail("--churn %v: want 0 to 10000 connections per second", o.Churn)
	}
	oneOf := func(flag, v, why string, all ...string) {
		if !slices.Contains(all, v) {
			fail("--%s %q: %s", flag, v, why)
		}
	}
	oneOf("mode", o.Mode, "want all or latest", "all", "latest")
	oneOf("drill", o.Drill, "want resume, storm or slow", "", DrillResume, DrillStorm, DrillSlow)
	if o.Drill == DrillResume && o.Mode != "all" {
		fail("--mode latest: drill resume proves that nothing was lost, which only mode all promises")
	}
	if o.Drill == DrillSlow && o.Conns < 2 {
		fail("--conns %d: drill slow stalls some and watches the others; want at least 2", o.Conns)
	}
	if o.Drill != "" && (o.SlowReaders > 0 || o.Churn > 0) {
		fail("--drill %s: --slow-readers and --churn belong to a comparison", o.Drill)
	}
	if o.Topics == "" || slices.Contains(strings.Split(o.Topics, ","), "") {
		fail("--topics %q: an empty topic; want symbols, sectors or *", o.Topics)
	}
	if o.Out != "" {
		if err := writable(o.Out); err != nil {
			fail("--out %s: the report could not be written: %v", o.Out, err)
		}
	}
	if len(bad) > 0 {
		return &UsageError{Problems: bad}
	}
	return nil
}

func (o *Options) checkURL(fail func(string, ...any)) {
	for _, s := range o.Set {
		if key, _, ok := strings.Cut(s, "="); !ok || key == "" {
			fail("--set %q: want key=value, such as market.rate=500", s)
		}
	}
	if o.URL == "" {
		if len(o.Serve) == 0 {
			fail("--url: needed, since no server can be started from here")
		}
		return
	}
	if len(o.Set) > 0 {
		fail("--set: it sets up a server that this command starts; the one at --url has its settings already")
	}
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" {
		fail("--url %q: want http://host:port or https://host:port", o.URL)
		return
	}
	o.url = u
	if !loopback(u.Hostname()) && !o.AllowRemote {
		fail("--url %s: not this machine; --allow-remote loads it all the same, if you may", o.URL)
	}
}
