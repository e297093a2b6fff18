//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// result is what happened in a case. Times are in seconds.
type result struct {
	Name      string         `json:"name"`
	What      string         `json:"what"`
	Which     string         `json:"which"`
	Feed      float64        `json:"feed_still_s"` // longest time in which no client got a new tick
	Back      float64        `json:"back_s"`       // from the mending until every part works and every client has everything
	Clients   []clientResult `json:"clients"`
	Loads     []loadResult   `json:"loads"`
	Lines     uint64         `json:"lines,omitempty"`      // accepted so far, of a feed of lines
	SentAgain int64          `json:"sent_again,omitempty"` // requests with lines that no node had accepted
	Findings  []string       `json:"findings,omitempty"`   // what must not be

	within time.Duration
}

// clientResult is what a client saw.
type clientResult struct {
	Name  string  `json:"name"`
	Still float64 `json:"still_s"` // longest time without a tick
	counts
}

// summary is the report of a run.
type summary struct {
	Started time.Time `json:"started"`
	Seconds float64   `json:"seconds"`
	Version string    `json:"version"`
	NATS    string    `json:"nats"`
	Rate    float64   `json:"ticks_per_second"`
	Conns   int       `json:"load_connections_per_lane"`
	Cases   []result  `json:"cases"`
}

// still returns the longest time that a client through HAProxy was without a tick.
func (x *result) still(name string) float64 {
	for _, c := range x.Clients {
		if c.Name == name {
			return c.Still
		}
	}
	return 0
}

// sum returns a sum over all clients and loads.
func (x *result) gaps() (undetected, doubles uint64) {
	for _, c := range x.Clients {
		undetected, doubles = undetected+uint64(c.Undetected+c.Ignored), doubles+uint64(c.Doubles)
	}
	for _, l := range x.Loads {
		undetected, doubles = undetected+l.Check.Lost+l.Check.Ignored, doubles+l.Check.Duplicates
	}
	return undetected, doubles
}

var header = []string{"case", "part", "feed still", "≤ 5 s", "SSE", "WebSocket", "page SSE", "page WS", "back", "cuts", "ended", "resumed", "gaps", "doubles", ""}

func (x *result) row() []string {
	var cuts, ended, resumed int
	for _, l := range x.Loads {
		cuts, ended, resumed = cuts+l.Cuts, ended+l.Ended, resumed+l.Resumed
	}
	undetected, doubles := x.gaps()
	text := func(s float64) string { return fmt.Sprintf("%.1f s", s) }
	quick, ok := "yes", "ok"
	if x.Feed > failover.Seconds() {
		quick = "no"
	}
	if len(x.Findings) > 0 {
		ok = "FAILED"
	}
	return []string{x.Name, x.Which, text(x.Feed), quick, text(x.still("haproxy sse")), text(x.still("haproxy ws")), text(x.still("page sse")),
		text(x.still("page ws")), text(x.Back), fmt.Sprint(cuts), fmt.Sprint(ended), fmt.Sprint(resumed), fmt.Sprint(undetected), fmt.Sprint(doubles), ok}
}

// ok reports whether no case has findings.
func (s *summary) ok() bool {
	for _, x := range s.Cases {
		if len(x.Findings) > 0 {
			return false
		}
	}
	return len(s.Cases) > 0
}

const legend = `feed still: the longest time in which no client at all got a new tick. SSE, WebSocket, page: the longest time in which that client, through
HAProxy, got none; one on a node that is cut off from NATS only is served on, with a stale feed. back: from the mending until every part
works and every client has everything. cuts: of the connections of ticklane load; ended: those by the cluster, not by the drill.
gaps: ticks that never came, without a gap message. doubles: ticks that came again. Over all clients, pages and loads.
In the cases of lines each line that a node has accepted must be exactly one tick.`

// writeTable writes the results as a table, in Markdown.
func (s *summary) writeTable(w io.Writer) {
	rows := [][]string{header}
	for k := range s.Cases {
		rows = append(rows, s.Cases[k].row())
	}
	widths := make([]int, len(header))
	for _, row := range rows {
		for k, cell := range row {
			widths[k] = max(widths[k], len([]rune(cell)))
		}
	}
	for n, row := range rows {
		for k, cell := range row {
			fmt.Fprintf(w, "| %s%s ", cell, strings.Repeat(" ", widths[k]-len([]rune(cell))))
		}
		fmt.Fprintln(w, "|")
		if n == 0 {
			for k := range row {
				fmt.Fprintf(w, "|%s", strings.Repeat("-", widths[k]+2))
			}
			fmt.Fprintln(w, "|")
		}
	}
	fmt.Fprintln(w)
	fmt.Fprintln(w, legend)
	for _, x := range s.Cases {
		for _, f := range x.Findings {
			fmt.Fprintf(w, "\n- %s: %s", x.Name, f)
		}
	}
	fmt.Fprintln(w)
}

// save writes the report as JSON and Markdown.
func (s *summary) save(path string) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".json", append(text, '\n'), 0o644); err != nil {
		return err
	}
	f, err := os.Create(path + ".md")
	if err != nil {
		return err
	}
	defer f.Close()
	fmt.Fprintf(f, "# A cluster whose parts fail\n\n`make cluster`, %s, %.0f s. Ticklane %s, %s, %g ticks/s, %d connections of ticklane load on each lane.\n\n",
		s.Started.UTC().Format("2006-01-02 15:04 UTC"), s.Seconds, s.Version, s.NATS, s.Rate, s.Conns)
	s.writeTable(f)
	fmt.Fprintln(f)
	for _, x := range s.Cases {
		fmt.Fprintf(f, "- **%s**: %s.\n", x.Name, x.What)
	}
	return f.Close()
}
