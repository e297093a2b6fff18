package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Config is what a run measures.
type Config struct {
	Servers string        `json:"servers"`
	Rounds  int           `json:"rounds"`
	Subs    int           `json:"subscribers"`
	Rates   []float64     `json:"rates"`
	Warm    time.Duration `json:"warm_ns"`
	Window  time.Duration `json:"window_ns"`
	Idle    int           `json:"idle_connections"`
	MaxSubs int           `json:"most_subscribers"` // that the limit of open files allows
}

// spareFiles is the number of file descriptors of a server besides its clients.
const spareFiles = 128

// Limits of the flags.
const (
	mostRounds  = 100
	mostTime    = 10 * time.Minute
	leastWindow = 100 * time.Millisecond
	mostRate    = 1_000_000
	leastTicks  = 2 // in a window
)

// check returns an error that names the flag whose value can't be measured. files is how many files a process may open.
func (c *Config) check(rates string, todo []Experiment, files int) error {
	switch {
	case c.Rounds < 1 || c.Rounds > mostRounds:
		return fmt.Errorf("-rounds %d: want 1 to %d", c.Rounds, mostRounds)
	case c.Window < leastWindow || c.Window > mostTime:
		return fmt.Errorf("-window %v: want %v to %v", c.Window, leastWindow, mostTime)
	case c.Warm < 0 || c.Warm > mostTime:
		return fmt.Errorf("-warm %v: want 0 to %v", c.Warm, mostTime)
	case c.Subs < 2:
		return fmt.Errorf("-subs %d: want at least 2", c.Subs)
	case c.Idle < 1:
		return fmt.Errorf("-idle %d: want at least 1", c.Idle)
	}
	for v := range strings.SplitSeq(rates, ",") {
		rate, err := strconv.ParseFloat(v, 64)
		if err != nil || !(rate > 0 && rate <= mostRate) {
			return fmt.Errorf("-rates %q: want comma-separated ticks/s, up to %d", v, mostRate)
		}
		if rate*c.Window.Seconds() < leastTicks {
			return fmt.Errorf("-rates %s: fewer than %d ticks in a window of %v; use a longer -window", v, leastTicks, c.Window)
		}
		c.Rates = append(c.Rates, rate)
	}
	for _, e := range todo {
		flag, n := "-subs", c.Subs
		if e.Name == "idle" {
			flag, n = "-idle", c.Idle
		}
		if need := n + spareFiles; e.subs != nil && need > files {
			return fmt.Errorf("%s %d: %s needs %d open files, but a process may have %d, even at its hard limit. Raise it (ulimit -Hn %d as root, "+
				"--ulimit nofile=%d for docker run), use %s %d at most, or leave %s out", flag, n, e.Name, need, files, need, need, flag, max(0, files-spareFiles), e.Name)
		}
	}
	return nil
}

// servers returns the servers of an experiment: its own, or those that match the patterns and suit it.
func (e Experiment) servers(patterns string, out io.Writer) ([]Spec, error) {
	if patterns == "" {
		patterns = e.Servers
	}
	all, err := pick(specs(), patterns)
	if err != nil || e.only == nil {
		return all, err
	}
	var list []Spec
	var unsuited []string
	for _, s := range all {
		if e.only(s) {
			list = append(list, s)
		} else {
			unsuited = append(unsuited, s.Name)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("-servers %s: %s suits none of them, only such as %s", patterns, e.Name, e.Servers)
	}
	if len(unsuited) > 0 {
		fmt.Fprintf(out, "%s leaves out %s, which it doesn't suit.\n", e.Name, strings.Join(unsuited, ", "))
	}
	return list, nil
}
