// Command field compares Ticklane with the usual ways to send ticks to many clients, and with a baseline: a C program that
// only writes. Linux only.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"ticklane/bench/generator"
	"ticklane/bench/recipes"
)

const usage = `usage: field run [flags] [experiment …]    measures the experiments, all by default
       field storm [flags]                 measures reconnect storms; -h names the flags
       field rolling [flags]               measures a rolling restart of three servers; -h names the flags
       field list                          names servers and experiments
       field show [-in FILE] [-plot FILE]  prints the tables of an earlier run
       field serve -addr A -rate R NAME    runs one of the usual recipes until it is interrupted`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if err := command(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "field:", err)
		if errors.Is(err, errInterrupted) {
			os.Exit(130) // the convention of shells for SIGINT
		}
		os.Exit(1)
	}
}

func command(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		return errors.New(usage)
	}
	switch args[0] {
	case "run":
		return run(ctx, args[1:], out)
	case "storm":
		return runStorm(ctx, args[1:], out)
	case "rolling":
		return runRolling(ctx, args[1:], out)
	case "list":
		return list(out)
	case "show":
		return show(args[1:], out)
	case "serve":
		return serve(args[1:])
	}
	return fmt.Errorf("unknown command %q\n%s", args[0], usage)
}

func serve(args []string) error {
	f := flag.NewFlagSet("serve", flag.ExitOnError)
	addr, rate, sndbuf := f.String("addr", "127.0.0.1:0", "address"), f.Float64("rate", 25, "ticks/s"), f.Int("sndbuf", 0, "send buffer of each socket in bytes; 0: the kernel's default")
	symbols := f.Int("symbols", 0, "send a snapshot of so many symbols first; 0: none")
	_ = f.Parse(args)
	find := recipes.Find
	if *symbols > 0 {
		find = recipes.FindWithSnapshot
	}
	r, ok := find(f.Arg(0))
	if !ok {
		return fmt.Errorf("unknown recipe %q; list names them", f.Arg(0))
	}
	if _, err := generator.Files(); err != nil {
		return err
	}
	ln, err := recipes.Listen(*addr, *sndbuf)
	if err != nil {
		return err
	}
	log.SetFlags(0)
	r.Run(ln, *rate, *symbols)
	return nil
}

func list(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "Servers")
	for _, s := range specs() {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", s.Name, s.Lane, s.About)
	}
	fmt.Fprintln(w, "Experiments")
	for _, e := range experiments {
		fmt.Fprintf(w, "  %s\t\t%s\n", e.Name, e.About)
	}
	return w.Flush()
}

func show(args []string, out io.Writer) error {
	f := flag.NewFlagSet("show", flag.ExitOnError)
	in, plot := f.String("in", "results/field.json", "result to show"), f.String("plot", "", "SVG to write as well")
	_ = f.Parse(args)
	if _, err := os.Stat(*in); err != nil {
		return err
	}
	r, err := read(*in)
	if err != nil {
		return err
	}
	if n := len(r.Runs); n > 0 {
		r.Targets = r.judge(r.Runs[n-1].Config)
	}
	r.print(out)
	if *plot != "" {
		return r.plot(*plot)
	}
	return nil
}

func run(ctx context.Context, args []string, out io.Writer) error {
	f := flag.NewFlagSet("run", flag.ExitOnError)
	c := Config{}
	ticklane := f.String("ticklane", "../bin/ticklane", "the binary to measure")
	file := f.String("out", "results/field.json", "file of the result; its plot is written next to it")
	again := f.Bool("add", false, "keep the measurements in -out of other experiments and servers")
	rates := f.String("rates", "25,100", "ticks/s of paced")
	f.StringVar(&c.Servers, "servers", "", "comma-separated patterns of server names, instead of each experiment's own (list names them)")
	f.IntVar(&c.Rounds, "rounds", 3, "rounds, whose medians are reported")
	f.IntVar(&c.Subs, "subs", 1000, "subscribers")
	f.IntVar(&c.Idle, "idle", 10_000, "connections of idle")
	f.DurationVar(&c.Warm, "warm", time.Second, "time before each window")
	f.DurationVar(&c.Window, "window", 3*time.Second, "measured time")
	_ = f.Parse(args)
	todo, err := chosen(f.Args())
	if err != nil {
		return err
	}
	files, err := generator.Files()
	if err != nil {
		return err
	}
	c.MaxSubs = min(20_000, files-spareFiles)
	if err := c.check(*rates, todo, files); err != nil {
		return err
	}
	lists := map[string][]Spec{}
	for _, e := range todo {
		if lists[e.Name], err = e.servers(c.Servers, out); err != nil {
			return err
		}
	}
	launcher, err := newLauncher(*ticklane)
	if err != nil {
		return err
	}
	defer launcher.close()
	if _, err := exec.LookPath(launcher.Ticklane); err != nil {
		return fmt.Errorf("-ticklane: %w; make build builds it", err)
	}

	r := &Runner{ctx: ctx, Launcher: launcher, Config: c, Result: newResult(), Out: out, missing: map[string]string{}, started: time.Now()}
	if *again {
		if r.Result, err = load(*file); err != nil {
			return err
		}
	}
	for _, e := range todo {
		r.expect += e.takes(c, len(lists[e.Name]))
	}
	r.Result.Versions = versions(launcher)
	r.Result.Runs = append(r.Result.Runs, Run{"field run " + baseNames(args), c, time.Now().UTC(), loadAverage(), environment()})
	r.save = func() error { return r.Result.write(*file) }
	fmt.Fprintf(out, "This takes about %v. Close other programs, since everything runs on this machine (load now %s).\n", r.expect.Round(time.Second), loadAverage())
	if env := environment(); len(env) > 0 {
		fmt.Fprintf(out, "The servers inherit %s.\n", strings.Join(env, " "))
	}
	for _, e := range todo {
		e.run(r, lists[e.Name])
		if r.failed != nil {
			break
		}
	}
	if r.measured == 0 {
		return fmt.Errorf("%w before anything was measured", r.failed)
	}
	r.Result.Targets = r.Result.judge(c)
	r.Result.print(out)
	if err := r.save(); err != nil {
		return err
	}
	plotFile := strings.TrimSuffix(*file, ".json") + ".svg"
	if err := r.Result.plot(plotFile); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%v. Measurements: %s; plot: %s\n", time.Since(r.started).Round(time.Second), absolute(*file), absolute(plotFile))
	return r.failed
}

// absolute returns the absolute name of a file, since make runs this command in bench/.
func absolute(name string) string {
	if a, err := filepath.Abs(name); err == nil {
		return a
	}
	return name
}

// chosen returns the experiments with these names in their order, all if there are no names.
func chosen(names []string) ([]Experiment, error) {
	if len(names) == 0 {
		return experiments, nil
	}
	var out []Experiment
	for _, name := range names {
		found := false
		for _, e := range experiments {
			if e.Name == name {
				out, found = append(out, e), true
			}
		}
		if !found {
			if strings.HasPrefix(name, "-") {
				return nil, fmt.Errorf("%s: flags must precede the experiments", name)
			}
			return nil, fmt.Errorf("unknown experiment %q; list names them", name)
		}
	}
	return out, nil
}
