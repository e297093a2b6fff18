package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Config is what a run was asked for.
type Config struct {
	Servers string        `json:"servers"`
	Rounds  int           `json:"rounds"`
	Subs    int           `json:"subscribers"`
	Rates   []float64     `json:"rates"`
	Warm    time.Duration `json:"warm_ns"`
	Window  time.Duration `json:"window_ns"`
	Idle    int           `json:"idle_connections"`
	Most    int           `json:"most_subscribers"` // what the limit of open files leaves
}

// spareFiles is what a server keeps open besides its clients.
const spareFiles = 128

// Limits of what makes sense to ask for.
const (
	mostRounds  = 100
	mostTime    = 10 * time.Minute
	leastWindow = 100 * time.Millisecond
	mostRate    = 1_000_000
	leastTicks  = 2 // in a window
)

// check refuses what can't be measured, each with its flag. files is how many a process may open.
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
			return fmt.Errorf("-rates %q: want ticks a second, up to %d, by commas", v, mostRate)
		}
		if rate*c.Window.Seconds() < leastTicks {
			return fmt.Errorf("-rates %s: fewer than %d ticks in a window of %v; ask for a longer -window", v, leastTicks, c.Window)
		}
		c.Rates = append(c.Rates, rate)
	}
	for _, e := range todo {
		flag, n := "-subs", c.Subs
		if e.Name == "idle" {
			flag, n = "-idle", c.Idle
		}
		if need := n + spareFiles; e.subs != nil && need > files {
			return fmt.Errorf("%s %d: %s needs %d open files, and a process may have %d, even at its hard limit. Raise it (ulimit -Hn %d as root, "+
				"--ulimit nofile=%d for docker run), ask for %s %d at most, or leave %s out", flag, n, e.Name, need, files, need, need, flag, max(0, files-spareFiles), e.Name)
		}
	}
	return nil
}

// servers are those that an experiment is asked of: its own, or those of patterns that it can be asked of.
func (e Experiment) servers(patterns string, out io.Writer) ([]Shape, error) {
	if patterns == "" {
		patterns = e.Servers
	}
	all, err := pick(shapes(), patterns)
	if err != nil || e.only == nil {
		return all, err
	}
	var list []Shape
	var not []string
	for _, s := range all {
		if e.only(s) {
			list = append(list, s)
		} else {
			not = append(not, s.Name)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("-servers %s: %s can't be asked of any of them, only of such as %s", patterns, e.Name, e.Servers)
	}
	if len(not) > 0 {
		fmt.Fprintf(out, "%s leaves out %s: it can't be asked of them.\n", e.Name, strings.Join(not, ", "))
	}
	return list, nil
}
