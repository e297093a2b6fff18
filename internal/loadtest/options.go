package loadtest

import (
	"math"
	"strings"
	"time"

	"ticklane/internal/loadtest/client"
	"ticklane/internal/loadtest/report"
	"ticklane/internal/wire"
)

// Options define a test. DefaultOptions is the standard comparison. Check completes and validates them; Run
// needs checked options.
type Options struct {
	URL string   // of a running server; empty: Serve starts a fresh one for each window
	Set []string // settings of a fresh server, key=value
	// Variants are compared, such as ws/shard+protobuf+deflate. Empty: those of Lanes, Engines, Encodings and Compressions;
	// if these are empty too, every engine on every lane.
	Variants     []string
	Lanes        []string
	Engines      []string             // empty: the server's own
	Encodings    []string             // json, protobuf
	Compressions []string             // off, on
	Offered      [wire.Lanes][]string // engines of the server to start, the default first

	Conns       int // measured connections in a window
	Topics      string
	Duration    time.Duration // of a window, or at least of drill resume
	Rounds      int
	Warmup      time.Duration // between the last connection and the window
	Ramp        time.Duration // in which the connections are opened
	Mode        string
	SlowReaders int     // further connections, which read slowly
	Churn       float64 // connections closed and reopened per second
	Out         string  // folder, or path without extension; empty: no report
	AllowRemote bool
	TokenFile   string   // file with the token that clients send; it needs the rights to read the topics and metrics; empty for none
	Thresholds  []string // such as ws:latency_p99<20ms; a broken one makes the test fail
	Baseline    string   // path of an earlier report's JSON to compare with; empty: none
	Drill       string   // empty: a comparison
	Cuts        int      // of drill resume, for each variant
	Seed        uint64
	QueryA      string // added to A's subscribe requests
	QueryB      string

	Serve   []string  // command that starts a server: program and first arguments
	Command string    // what the user typed, for the report
	Version string    // of this program
	Log     *Progress // nil: no progress is written

	token      string // of TokenFile
	variants   []*Variant
	thresholds []report.Threshold
	earlier    *report.Report                 // at Baseline
	localPorts func() (p localPorts, ok bool) // for tests; nil: those of this machine
}

// Auto is a duration that Check sets by the number of variants, so that the standard comparison takes less than two
// minutes.
const Auto = time.Duration(math.MinInt64)

// DefaultOptions returns the standard comparison, which takes less than two minutes on two cores.
func DefaultOptions() Options {
	return Options{
		Conns: 1000, Topics: "*", Duration: Auto, Rounds: 5, Warmup: Auto, Ramp: Auto, Mode: "all", Out: "docs/reports/", Cuts: 1000, Seed: 1,
	}
}

// setDurations replaces Auto. Two variants get longer windows than many. Drill resume ends with its cuts.
func (o *Options) setDurations() {
	if o.Drill == report.DrillResume && o.Duration == Auto {
		o.Duration = 0
	}
	for _, d := range []struct {
		option    *time.Duration
		two, many time.Duration
	}{
		{&o.Duration, 5 * time.Second, 2500 * time.Millisecond}, {&o.Warmup, time.Second, 500 * time.Millisecond},
		{&o.Ramp, time.Second, 500 * time.Millisecond},
	} {
		switch {
		case *d.option != Auto:
		case len(o.variants) <= 2:
			*d.option = d.two
		default:
			*d.option = d.many
		}
	}
}

// UsageError holds every mistake in the options, each with its flag.
type UsageError struct{ Problems []string }

func (e *UsageError) Error() string { return strings.Join(e.Problems, "\n          ") }

// encoding returns that of all variants, or mixed.
func (o *Options) encoding() string {
	for _, v := range o.variants {
		if v.Encoding != o.variants[0].Encoding {
			return "mixed"
		}
	}
	return o.variants[0].Encoding
}

// compress returns whether all variants are compressed: off, on or mixed.
func (o *Options) compress() string {
	for _, v := range o.variants {
		if v.Compress != o.variants[0].Compress {
			return "mixed"
		}
	}
	return map[bool]string{false: "off", true: "on"}[o.variants[0].Compress]
}

// nameWidth returns the width of the column of names in the progress.
func (o *Options) nameWidth() int {
	n := 13
	for _, v := range o.variants {
		n = max(n, len(v.Name))
	}
	return n
}

// needsLab reports whether a variant asks for what only a lab provides, such as an injected delay. Everything else is
// measured on the server as it runs in production.
func (o *Options) needsLab() bool { return o.QueryA != "" || o.QueryB != "" }

var encodings = []string{client.JSON, client.Protobuf}
