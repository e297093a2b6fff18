package report

import (
	"fmt"
	"strings"
	"time"

	"ticklane/internal/loadtest/stats"
)

// facts returns what is needed to judge or repeat the test, as pairs of a name and a text.
func (r *Report) facts() [][2]string {
	m, t := r.Machine, r.Target
	cpu := m.CPU
	if cpu == "" {
		cpu = "unknown processor"
	}
	machine := fmt.Sprintf("%s, %d cores, %s/%s", cpu, m.Cores, m.OS, m.Arch)
	if m.Memory > 0 {
		machine += fmt.Sprintf(", %d GiB", (m.Memory+1<<29)>>30)
	}
	server := "Ticklane " + t.Version + " at " + t.URL
	if t.Own {
		server = "Ticklane " + t.Version + ", a fresh one for each window"
	}
	clock := "one clock: both processes on this machine"
	if t.Clock.Used {
		clock = fmt.Sprintf("server − generator %s ms ± %s ms, by four-timestamp exchange; latencies are no more exact than that",
			number(ms(t.Clock.Offset), 3), number(ms(t.Clock.Error), 3))
	}
	facts := [][2]string{{"Setup", r.setupText()}}
	for _, v := range r.Variants {
		facts = append(facts, [2]string{v.Variant, v.text()})
	}
	facts = append(facts, [2]string{"Machine", machine}, [2]string{"Generator", m.Go + ". " + r.generatorText()}, [2]string{"Server", server})
	if len(t.Settings) > 0 {
		facts = append(facts, [2]string{"Its settings", strings.Join(t.Settings, " ")})
	}
	return append(facts,
		[2]string{"Feed", fmt.Sprintf("%s, seed %d, %s symbols", t.Feed, t.Seed, count(t.Symbols))},
		[2]string{"Clock", clock},
		[2]string{"When", r.Started.UTC().Format("2006-01-02 15:04:05") + " UTC, " + r.Ended.Sub(r.Started).Round(time.Second).String()})
}

func (r *Report) setupText() string {
	s := r.Setup
	text := fmt.Sprintf("%s connections, topics %s, mode %s, encoding %s, compression %s; ramp %v, warm-up %v", count(s.Conns), s.Topics, s.Mode,
		s.Encoding, s.Compress, seconds(s.Ramp), seconds(s.Warmup))
	if !r.isDrill() {
		text += fmt.Sprintf(", window %v, %d rounds", seconds(s.Duration), s.Rounds)
	}
	if s.SlowReaders > 0 {
		text += fmt.Sprintf("; %s slow readers", count(s.SlowReaders))
	}
	if s.Addresses > 0 {
		text += fmt.Sprintf("; from %d loopback addresses, since one has too few ports", s.Addresses)
	}
	if s.Churn > 0 {
		text += fmt.Sprintf("; %g connections/s closed and resumed", s.Churn)
	}
	return text
}

func (v Variant) text() string {
	text := v.Name
	if v.Engine != "" { // unknown if it could not be measured
		text += ", engine " + v.Engine
	}
	if v.Encoding != "" {
		text += ", " + v.Encoding
	}
	if v.compressed() {
		text += ", compressed by " + v.Compression
	}
	if text += ", " + v.Path; len(v.Settings) > 0 {
		text += "; its server with " + strings.Join(v.Settings, " ")
	}
	if v.Failed != "" {
		text += "; could not be measured"
	}
	return text
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// load describes the load, as the start of a sentence.
func (r *Report) load() string {
	delivered := r.metric("ticks_per_second")
	rate := 0.0
	for k := range r.Variants {
		rate = max(rate, delivered.of(k).Median/float64(max(1, r.Setup.Conns)))
	}
	return fmt.Sprintf("With %s connections at %s ticks/s each", count(r.Setup.Conns), number(rate, decimals(rate)))
}

// generatorText describes what the generator itself used.
func (r *Report) generatorText() string {
	var share, late []float64
	for _, w := range r.Windows {
		share, late = append(share, w.Generator.CPUShare*100), append(late, ms(w.Generator.Lateness99))
	}
	for _, d := range r.Drills {
		share, late = append(share, d.Generator.CPUShare*100), append(late, ms(d.Generator.Lateness99))
	}
	if len(share) == 0 {
		return ""
	}
	c, l := stats.RangeOf(share), stats.RangeOf(late)
	return fmt.Sprintf("The generator used %s %% of the machine's %d processors, and its own timer was late by %s ms (p99; medians).",
		number(c.Median, 0), r.Machine.Cores, number(l.Median, decimals(l.Median)))
}
