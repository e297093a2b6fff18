package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"ticklane/bench/generator"
	"ticklane/bench/recipes"
)

// StormConfig is what a storm measures.
type StormConfig struct {
	Clients  int           `json:"clients"` // on each lane
	Servers  []string      `json:"servers"`
	Engines  []string      `json:"engines"`
	Lanes    []string      `json:"lanes"` // measured one after another; both: at once
	Compress []string      `json:"compress"`
	Symbols  []int         `json:"symbols"`
	Cases    []string      `json:"cases"`
	Rate     float64       `json:"rate"` // ticks/s
	Timeout  time.Duration `json:"timeout_ns"`
	Settle   time.Duration `json:"settle_ns"`
	Flags    []string      `json:"flags,omitempty"` // of ticklane
	Rounds   int           `json:"rounds"`
}

// StormResult is the result of a storm.
type StormResult struct {
	Command string       `json:"command"`
	Started time.Time    `json:"started"`
	Load    string       `json:"load_average"`
	Machine Machine      `json:"machine"`
	Config  StormConfig  `json:"config"`
	Cases   []*StormCase `json:"cases"`
}

var stormCases = []string{"connect", "midway", "cut", "kill", "drain"}

func (c *StormConfig) parse(args []string) (ticklane, out string, err error) {
	f := flag.NewFlagSet("storm", flag.ContinueOnError)
	f.StringVar(&ticklane, "ticklane", "../bin/ticklane", "the binary to measure")
	f.StringVar(&out, "out", "results/storm.json", "file of the result")
	f.IntVar(&c.Clients, "clients", 500, "clients on each lane")
	servers := f.String("servers", "ticklane", "comma-separated: ticklane, "+strings.Join(recipeNames(), ", "))
	engine := f.String("engine", "stream,shard", "comma-separated engines of ticklane")
	lanes := f.String("lanes", "both", "comma-separated, one after another: sse, ws, both (at once)")
	compress := f.String("compress", "none,gzip", "comma-separated: none, gzip (gzip or permessage-deflate is offered)")
	symbols := f.String("symbols", "5000", "comma-separated numbers of symbols, 1 to 5000")
	cases := f.String("cases", "all", "comma-separated: "+strings.Join(stormCases, ", "))
	flags := f.String("flags", "", "further flags of ticklane, separated by blanks")
	f.Float64Var(&c.Rate, "rate", 20, "ticks/s of the market during the storm")
	f.DurationVar(&c.Timeout, "timeout", time.Minute, "most time of a case")
	f.DurationVar(&c.Settle, "settle", 15*time.Second, "time after the storm until memory is read again")
	f.IntVar(&c.Rounds, "rounds", 1, "rounds, of which each is reported")
	if err := f.Parse(args); err != nil {
		return "", "", err
	}
	c.Flags = strings.Fields(*flags)
	if *cases == "all" {
		*cases = strings.Join(stormCases, ",")
	}
	for _, l := range []struct {
		name, value string
		known       []string
		to          *[]string
	}{
		{"servers", *servers, append([]string{"ticklane"}, recipeNames()...), &c.Servers},
		{"engine", *engine, []string{"stream", "shard"}, &c.Engines},
		{"lanes", *lanes, []string{"sse", "ws", "both"}, &c.Lanes},
		{"compress", *compress, []string{"none", "gzip"}, &c.Compress},
		{"cases", *cases, stormCases, &c.Cases},
	} {
		for v := range strings.SplitSeq(l.value, ",") {
			if !slices.Contains(l.known, v) {
				return "", "", fmt.Errorf("-%s: unknown %q; want some of %s", l.name, v, strings.Join(l.known, ", "))
			}
			*l.to = append(*l.to, v)
		}
	}
	for v := range strings.SplitSeq(*symbols, ",") {
		var n int
		if _, err := fmt.Sscanf(v, "%d", &n); err != nil || n < 1 || n > 5000 {
			return "", "", fmt.Errorf("-symbols: %q: want 1 to 5000", v)
		}
		c.Symbols = append(c.Symbols, n)
	}
	if f.NArg() > 0 {
		return "", "", fmt.Errorf("storm takes only flags, got %q", f.Arg(0))
	}
	switch {
	case c.Rate <= 0 || c.Rate > 10_000:
		return "", "", fmt.Errorf("-rate %g: want more than 0, up to 10000", c.Rate)
	case c.Rounds < 1 || c.Rounds > mostRounds:
		return "", "", fmt.Errorf("-rounds %d: want 1 to %d", c.Rounds, mostRounds)
	case c.Timeout < time.Second || c.Timeout > mostTime:
		return "", "", fmt.Errorf("-timeout %v: want 1s to %v", c.Timeout, mostTime)
	case c.Settle < 0 || c.Settle > mostTime:
		return "", "", fmt.Errorf("-settle %v: want 0 to %v", c.Settle, mostTime)
	}
	return ticklane, out, nil
}

func recipeNames() (names []string) {
	for _, r := range recipes.WithSnapshot {
		names = append(names, r.Name)
	}
	return names
}

// plans returns the servers to measure, in their order.
func (c *StormConfig) plans() (all []stormPlan) {
	for _, symbols := range c.Symbols {
		for _, name := range c.Servers {
			if name != "ticklane" {
				r, _ := recipes.FindWithSnapshot(name)
				all = append(all, stormPlan{name: name, lanes: []string{r.Lane}, path: r.Path, symbols: symbols, compress: "none"})
				continue
			}
			for _, engine := range c.Engines {
				for _, lanes := range c.Lanes {
					for _, compress := range c.Compress {
						p := stormPlan{name: name, engine: engine, lanes: []string{lanes}, symbols: symbols, compress: compress}
						if lanes == "both" {
							p.lanes = []string{"sse", "ws"}
						}
						all = append(all, p)
					}
				}
			}
		}
	}
	return all
}

// runStorm measures reconnect storms.
func runStorm(ctx context.Context, args []string, out io.Writer) error {
	var c StormConfig
	ticklane, file, err := c.parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	files, err := generator.Files()
	if err != nil {
		return err
	}
	plans := c.plans()
	for _, p := range plans {
		if need := c.Clients*len(p.lanes) + bystanders*len(p.lanes) + spareFiles; c.Clients < 1 || need > files {
			return fmt.Errorf("-clients %d: want 1 to %d on %d lanes: a process may have %d open files", c.Clients, (files-spareFiles)/len(p.lanes)-bystanders, len(p.lanes), files)
		}
	}
	launcher, err := newLauncher(ticklane)
	if err != nil {
		return err
	}
	defer launcher.close()
	if slices.Contains(c.Servers, "ticklane") {
		if _, err := exec.LookPath(launcher.Ticklane); err != nil {
			return fmt.Errorf("-ticklane: %w; make build builds it", err)
		}
	}
	debug.SetGCPercent(400) // the clients' memory is short-lived, and their CPU time isn't what is measured
	r := &StormResult{Command: "field storm " + baseNames(args), Started: time.Now().UTC(), Load: loadAverage(), Machine: machine(), Config: c}
	fmt.Fprintf(out, "Servers: %d; clients on each lane: %d; bystanders: %d. At most %v a case; load now %s. Close other programs.\n", len(plans)*c.Rounds, c.Clients, bystanders, c.Timeout, r.Load)
	for round := range c.Rounds {
		for i := range plans {
			if round%2 == 1 {
				i = len(plans) - 1 - i
			}
			s := &stormRun{ctx: ctx, launcher: launcher, config: c, plan: plans[i], files: files, out: out, started: r.Started}
			err := s.run()
			r.Cases = append(r.Cases, s.cases...)
			if err != nil {
				r.print(out)
				return errors.Join(err, r.write(file))
			}
			runtime.GC()
		}
	}
	r.print(out)
	if err := r.write(file); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%v. Result: %s\n", time.Since(r.Started).Round(time.Second), absolute(file))
	return nil
}

func (r *StormResult) write(file string) error {
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o644)
}

func readStorm(file string) (*StormResult, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r := &StormResult{}
	return r, json.Unmarshal(b, r)
}
