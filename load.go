package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"ticklane/handlers"
	"ticklane/internal/config"
	"ticklane/internal/loadtest"
)

// Exit codes of load, in addition to the common ones.
const (
	exitInvalid     = 3   // the figures don't show what the server can do
	exitBroken      = 4   // ticks were lost, duplicated or out of order
	exitThreshold   = 5   // a --threshold is broken
	exitInterrupted = 130 // the convention of shells for SIGINT
)

const loadHelp = `ticklane load compares the two lanes of a server, from a separate process.

Without --url it starts a fresh server on a free loopback port for each measured window, and stops it afterwards. With
--url it measures a running server, together with whatever else that server does; to choose its engine, or compression
for few clients, its lab must be enabled (lab.enabled).

  ticklane load                                    the standard: every engine on every lane, under two minutes
  ticklane load --set market.rate=500 --conns 200  the same with a busier market and fewer connections
  ticklane load --lane sse,ws                      the two lanes on the server's own engine, in longer windows
  ticklane load --variants sse/stream,ws/shard+protobuf+deflate
                                                   lane/engine+encoding+compression of each variant; gzip on sse
  ticklane load --lane sse,sse                     an A/A test: how much difference is noise
  ticklane load --query-b delay=2ms                an injected delay on B (enables its lab)
  ticklane load --drill resume                     cuts connections and checks that nothing is lost or duplicated
  ticklane load --threshold 'latency_p99<20ms' --threshold 'sse:kib_per_connection<64KiB' --threshold 'lost==0'
                                                   for a build: exit code 5 if a bound is broken or was not measured
  ticklane load --out after --baseline before.json what changed since an earlier report
  ticklane load --url http://127.0.0.1:3000 --lane ws

Variants are measured alternately, A B, B A, A B, … or A B C, C A B, B C A, …: each measurement is a window, one
window of each variant a round. The differences between neighbouring windows of one variant are the noise: no smaller
difference is reported. With more than two variants, those pairs are compared that differ in one thing: the protocol,
the implementation, the encoding or the compression. Latency is measured from the time at which a tick was due, and is
void unless every tick of every connection arrived once and in order.

Figures of --threshold: latency_p50 to latency_max, cpu_per_million, kib_per_connection, wire_per_tick,
payload_per_tick, writes_per_tick, ticks_per_second; the counts lost, duplicates, out_of_order, gaps, late, dropped
and others, which an unknown name lists. docs/reports/README.md explains figures, thresholds, exit codes and the JSON.

Flags:
%s
Exit codes: 0 measured; 1 failed, or a variant could not be measured; 2 wrong flags; 3 invalid: generator or machine was
the bottleneck, or the server could not keep up; 4 ticks were lost, duplicated or out of order; 5 a threshold is broken,
whatever else happened; 130 interrupted, the report is partial.
`

func loadCommand() *cobra.Command {
	o := loadtest.DefaultOptions()
	c := &cobra.Command{
		Use:           "load",
		Short:         "Measure the lanes against each other",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ctx, stop := interruptible()
			defer stop()
			o.Command, o.Version = commandLine(os.Args), version
			o.Log = loadtest.NewProgress(os.Stderr, isatty.IsTerminal(os.Stderr.Fd()))
			self, err := os.Executable()
			if err == nil {
				o.Serve, o.Offered = []string{self}, handlers.Engines()
			}
			return load(ctx, o, c.OutOrStdout())
		},
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&o.URL, "url", o.URL, "server to measure, such as http://127.0.0.1:3000 (default: a fresh one for each window)")
	f.StringArrayVar(&o.Set, "set", o.Set, "setting of the fresh server, such as market.rate=500 (default 50, steady); may be repeated")
	f.StringSliceVar(&o.Variants, "variants", o.Variants, "what is compared, such as sse/stream,ws/shard+protobuf+deflate (default: every engine on every lane)")
	f.StringSliceVar(&o.Variants, "sides", o.Variants, "the former name of --variants")
	f.StringSliceVar(&o.Lanes, "lane", o.Lanes, "instead of --variants, the lanes of A and B: sse, ws")
	f.StringSliceVar(&o.Engines, "engine", o.Engines, "engines of A and B, or one for both (default: the server's own)")
	f.StringSliceVar(&o.Encodings, "encoding", o.Encodings, "encodings of A and B, or one for both: json, protobuf (ws)")
	f.StringSliceVar(&o.Compressions, "compress", o.Compressions, "compression of A and B, or one for both: off, on")
	f.IntVar(&o.Conns, "conns", o.Conns, "connections in a window")
	f.StringVar(&o.Topics, "topics", o.Topics, "topics of each connection: symbols, sectors or *, separated by commas")
	f.DurationVar(&o.Duration, "duration", o.Duration, "of a window, of a phase of --drill slow, or at least of --drill resume")
	f.IntVar(&o.Rounds, "rounds", o.Rounds, "windows of each variant")
	f.DurationVar(&o.Warmup, "warmup", o.Warmup, "between the last connection and the window")
	f.DurationVar(&o.Ramp, "ramp", o.Ramp, "in which the connections are opened")
	f.StringVar(&o.Mode, "mode", o.Mode, "all or latest")
	f.IntVar(&o.SlowReaders, "slow-readers", o.SlowReaders, "further connections that read 4 KiB/s")
	f.Float64Var(&o.Churn, "churn", o.Churn, "connections closed and resumed per second")
	f.StringVar(&o.QueryA, "query-a", o.QueryA, "parameters added to A's requests, such as delay=2ms")
	f.StringVar(&o.QueryB, "query-b", o.QueryB, "parameters added to B's requests")
	f.StringArrayVar(&o.Thresholds, "threshold", o.Thresholds, "bound of a figure, such as 'latency_p99<20ms' or 'ws:lost==0'; may be repeated")
	f.StringVar(&o.Baseline, "baseline", o.Baseline, "JSON of an earlier report to compare with")
	f.StringVar(&o.Drill, "drill", o.Drill, "instead of a comparison: resume, storm or slow")
	f.IntVar(&o.Cuts, "cuts", o.Cuts, "cuts of --drill resume, for each variant; more with --duration")
	f.StringVar(&o.Out, "out", o.Out, "folder of the report, or its path without extension; empty for none")
	f.Uint64Var(&o.Seed, "seed", o.Seed, "of the random cuts and churn")
	f.StringVar(&o.TokenFile, "token-file", o.TokenFile, "file with a token that clients send; it needs the right metrics, and to read the topics")
	f.BoolVar(&o.AllowRemote, "allow-remote", o.AllowRemote, "load a server that is not on this machine")
	for name, text := range map[string]string{"duration": "5s, with more than two variants 2.5s", "warmup": "1s or 0.5s", "ramp": "1s or 0.5s"} {
		f.Lookup(name).DefValue = text
	}
	if err := f.MarkHidden("sides"); err != nil {
		panic(err) // the flag is defined above
	}
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return usageError(fmt.Errorf("%w (ticklane load --help lists the flags)", err))
	})
	c.SetHelpFunc(func(c *cobra.Command, _ []string) {
		fmt.Fprintf(c.OutOrStdout(), loadHelp, c.Flags().FlagUsagesWrapped(118))
	})
	return c
}

// load runs one test and writes its result to out. A *codedError has the exit code.
func load(ctx context.Context, o loadtest.Options, out io.Writer) error {
	if err := o.Check(); err != nil {
		return usageError(err)
	}
	if err := config.Check(o.Set, "--set"); err != nil {
		return usageError(err)
	}
	r, err := loadtest.Run(ctx, o)
	if r == nil {
		if ctx.Err() != nil {
			return &codedError{errors.New("interrupted before anything was measured"), exitInterrupted}
		}
		return err
	}
	if writeErr := r.WriteTable(out); writeErr != nil {
		return writeErr
	}
	if o.Out != "" {
		text, page, saveErr := r.Save(o.Out)
		if saveErr != nil {
			return saveErr
		}
		fmt.Fprintf(out, "  Report: %s and %s\n", page, text)
	}
	return coded(err)
}

// coded returns the error of a test that has a report as a *codedError, nil for nil.
func coded(err error) error {
	switch {
	case errors.Is(err, loadtest.ErrInterrupted):
		return &codedError{err, exitInterrupted}
	case errors.Is(err, loadtest.ErrThreshold):
		return &codedError{err, exitThreshold}
	case errors.Is(err, loadtest.ErrBroken):
		return &codedError{err, exitBroken}
	case errors.Is(err, loadtest.ErrInvalid):
		return &codedError{err, exitInvalid}
	}
	return err
}

// commandLine returns a shell command that repeats the arguments, with the bare name of the program.
func commandLine(args []string) string {
	words := []string{"ticklane"}
	for _, a := range args[1:] {
		if a == "" || strings.ContainsAny(a, " \t\n'\"\\$`*?[]{}()<>|&;#~!") {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		words = append(words, a)
	}
	return strings.Join(words, " ")
}
