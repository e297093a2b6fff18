//go:build linux

// Command cluster runs three NATS servers, three Ticklane servers and HAProxy on this machine, makes them fail one after the other
// under load, and checks what clients and pages receive: make cluster. It needs Linux.
//
// Each NATS server and each Ticklane server is a process in a separate network namespace, so that a partition is real. The parts of
// this program: isolate.go and network.go (namespaces, bridges), process.go and parts.go (what runs), cases.go (what fails), follow.go,
// page.go and load.go (who watches), feeder.go (who sends lines), stream.go and ledger.go (what is checked), run.go (one case), report.go.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"ticklane/internal/testkit/browsertest"
)

func main() {
	cases := flag.String("cases", "", "names of cases, or their beginnings, separated by commas; empty for all")
	list := flag.Bool("list", false, "list the cases")
	out := flag.String("out", "bin/cluster-report", "path of the report, without extension")
	keep := flag.Bool("keep", false, "keep the directory with the logs even if all is well")
	rate := flag.Float64("rate", 60, "ticks per second")
	conns := flag.Int("conns", 10, "connections of ticklane load on each lane")
	hold := flag.Duration("hold", 0, "how long each part fails; 0 for some seconds, as fits the case")
	noPage := flag.Bool("no-page", false, "without a browser")
	flag.Parse()
	chosen, err := selectCases(*cases)
	for k := range chosen {
		if chosen[k].hold > 0 && *hold > 0 {
			chosen[k].hold = *hold
		}
	}
	switch {
	case err != nil:
	case *hold < 0 || *hold > 10*time.Minute:
		err = fmt.Errorf("-hold %v: want 0 to 10m", *hold)
	case *list:
		for _, c := range chosen {
			fmt.Printf("%-20s %s\n", c.name, c.what)
		}
		return
	case os.Getenv(insideVariable) == "":
		var code int
		if code, err = isolate(); err == nil {
			os.Exit(code)
		}
	default:
		err = drill(chosen, &options{out: *out, keep: *keep, rate: *rate, conns: *conns, page: !*noPage})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	out        string
	keep, page bool
	rate       float64
	conns      int
}

// drill starts the cluster, runs the cases and writes the report. The error is errFailed if a case has findings.
func drill(cases []drillCase, o *options) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := enter(ctx); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "ticklane-cluster")
	if err != nil {
		return err
	}
	defer func() {
		if err == nil && !o.keep {
			stores, _ := filepath.Glob(filepath.Join(dir, "nats-?"))
			for _, store := range stores {
				_ = syscall.Unmount(store, syscall.MNT_DETACH) // a mount point can't be removed
			}
			_ = os.RemoveAll(dir)
			return
		}
		fmt.Printf("The logs of all parts are in %s.\n", dir)
	}()
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	r := &run{ledger: newLedger(), conns: o.conns, settings: settings{
		dir: dir, root: root, binary: filepath.Join(root, "bin/ticklane"), natsServer: filepath.Join(root, "bin/nats-server"), rate: o.rate, heartbeat: heartbeat, drain: drainTime,
	}}
	report := &summary{Started: time.Now(), Version: versionOf(r.binary), NATS: versionOf(r.natsServer), Rate: o.rate, Conns: o.conns}
	say := func(format string, a ...any) {
		fmt.Printf("%4.0fs  %s\n", time.Since(report.Started).Seconds(), fmt.Sprintf(format, a...))
	}
	say("starting %d NATS servers, %d Ticklane servers and HAProxy", members, members)
	if err := r.start(ctx, r.settings, say); err != nil {
		return err
	}
	var browser context.Context
	if o.page {
		var closeBrowser func()
		if browser, closeBrowser, err = browsertest.Start(filepath.Join(dir, "profile"), time.Minute); err != nil {
			return err
		}
		defer closeBrowser()
	}
	following, cancel := context.WithCancel(ctx)
	var done sync.WaitGroup
	defer done.Wait()
	defer cancel()
	if err := r.follow(following, browser, &done); err != nil {
		return err
	}
	if err := until(ctx, wholeLimit, r.whole); err != nil {
		return fmt.Errorf("the cluster doesn't work: %w", err)
	}
	for k := range cases {
		c := &cases[k]
		if c.lines && r.feeder == nil {
			say("restarting the Ticklane servers with a feed of lines")
			if err := r.takeLines(following, &done); err != nil {
				return fmt.Errorf("a feed of lines: %w", err)
			}
		}
		say("%d/%d %s: %s", k+1, len(cases), c.name, c.what)
		x, err := r.run(ctx, c)
		if ctx.Err() != nil {
			return errors.New("interrupted")
		}
		if err != nil {
			return err
		}
		report.Cases = append(report.Cases, x)
		say("     %s: the feed stood still for %.1f s, whole again %.1f s after the mending", x.Which, x.Feed, x.Back)
		for _, f := range x.Findings {
			say("     FAILED: %s", f)
		}
	}
	report.Seconds = time.Since(report.Started).Seconds()
	fmt.Println()
	report.writeTable(os.Stdout)
	if err := report.save(o.out); err != nil {
		return err
	}
	fmt.Printf("\nReport: %s.md and .json\n", o.out)
	if !report.ok() {
		return errFailed
	}
	return nil
}

var errFailed = errors.New("something is wrong: see the lines above")

// versionOf returns the version that a program prints.
func versionOf(program string) string {
	text, err := exec.Command(program, "--version").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimPrefix(strings.TrimSpace(string(text)), "ticklane version ")
}
