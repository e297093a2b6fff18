package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// print writes the tables of what was measured.
func (r *Result) print(out io.Writer) {
	m := r.Machine
	fmt.Fprintf(out, "\n%s, %d cores, %d GiB, %s, kernel %s; server and clients on the same machine. Compare ratios, not figures.\n", m.CPU, m.Cores, m.Memory>>30, m.OS, m.Kernel)
	for _, e := range experiments {
		rows := r.rows(e.Name)
		if len(rows) == 0 {
			continue
		}
		fmt.Fprintf(out, "\n%s: %s\n", strings.ToUpper(e.Name[:1])+e.Name[1:], e.About)
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
		there, missing := apart(rows)
		if len(there) > 0 {
			tables[e.Name](r, w, there)
		}
		w.Flush()
		for _, line := range missing {
			fmt.Fprintln(out, line)
		}
		if n, most := r.disturbed(e.Name); n > 0 {
			fmt.Fprintf(out, "  In %d of the windows others took more than %.0f %% of the machine, up to %.0f %%: measure again without them.\n", n, 100*disturbed, 100*most)
		}
	}
	if len(r.Targets) > 0 {
		fmt.Fprintln(out, "\nTargets")
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		unmeasured := 0
		for _, t := range r.Targets {
			if t.Verdict == notMeasured {
				unmeasured++
				continue
			}
			fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", t.Verdict, t.Name, t.Found, t.Want)
		}
		w.Flush()
		if unmeasured > 0 {
			fmt.Fprintf(out, "  and %d more that weren't measured: the JSON names them\n", unmeasured)
		}
	}
}

// disturbed counts an experiment's windows in which others took too much of the machine, and tells the most they took.
func (r *Result) disturbed(experiment string) (n int, most float64) {
	for _, s := range r.Slots {
		if s.Experiment == experiment && s.Disturbed(r.Machine.Cores) > disturbed {
			n, most = n+1, max(most, s.Disturbed(r.Machine.Cores))
		}
	}
	return n, most
}

// apart takes out the rows of servers that can't do it, and says why they can't.
func apart(rows []*Row) (there []*Row, missing []string) {
	for _, row := range rows {
		if row.Missing != "" {
			missing = append(missing, fmt.Sprintf("  %s is not available: %s", row.Shape, row.Missing))
		} else if len(row.Slots) > 0 {
			there = append(there, row)
		}
	}
	return there, missing
}

var tables = map[string]func(r *Result, w io.Writer, rows []*Row){
	"paced": tablePaced, "saturation": tableSaturation, "idle": tableIdle, "compress": tableCompress, "stalled": tableStalled, "growth": tableGrowth, "market": tableMarket,
}

// shapeNamed finds a shape again.
func shapeNamed(name string) Shape {
	all := shapes()
	if i := slices.IndexFunc(all, func(s Shape) bool { return s.Name == name }); i >= 0 {
		return all[i]
	}
	return Shape{Name: name}
}

func (s Spread) micro() string {
	if s.N == 0 {
		return "–"
	}
	if s.N == 1 {
		return fmt.Sprintf("%.2f", s.Median)
	}
	return fmt.Sprintf("%.2f (%.2f–%.2f)", s.Median, s.Least, s.Most)
}

func (s Spread) times() string {
	if s.N == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f ×", s.Median)
}

// complete tells of what is missing in a row.
func (row *Row) complete() string {
	switch {
	case row.whole():
		return "all"
	}
	lost, other, none := int64(0), false, false
	for _, s := range row.Slots {
		lost += s.Counts.Lost
		none = none || s.Counts.Ticks == 0
		other = other || s.Counts.Repeated > 0 || s.Counts.Closed > 0 || s.Counts.Silent+s.Counts.Stuck > 0 || len(s.Counts.Broken) > 0
	}
	if none {
		return "none came"
	}
	if other {
		return "not all, see the JSON"
	}
	return "lost " + count(float64(lost))
}

func tablePaced(r *Result, w io.Writer, rows []*Row) {
	fmt.Fprintf(w, "ticks/s\tserver\tCPU µs a tick\t× floor\tp50\tp99\tp99 × floor\tswitches a tick\tticks\t\n")
	for _, row := range rows {
		floor := r.find("paced", shapeNamed(row.Shape).floor(), "", row.Rate, row.Subs)
		fmt.Fprintf(w, "%.4g\t%s\t%s\t%s\t%s\t%s\t%s\t%.2f\t%s\t\n", row.Rate, row.Shape, row.of((*Slot).PerTick).micro(), row.ratios(floor, (*Slot).PerTick).times(),
			micros(row.of(p50).Median), micros(row.of(p99).Median), row.ratios(floor, p99).times(),
			row.of(func(s *Slot) float64 { return float64(s.Switches) / float64(max(s.Counts.Ticks, 1)) }).Median, row.complete())
	}
}

func tableSaturation(r *Result, w io.Writer, rows []*Row) {
	fmt.Fprintf(w, "server\tsustained, ticks/s\tat µs a tick\tticks a read\tgenerator\tmost, late or with losses\t\n")
	var seen []string
	for _, row := range rows {
		if slices.Contains(seen, row.Shape) {
			continue
		}
		seen = append(seen, row.Shape)
		whole, per, batch, gen, lossy := "–", "–", "–", "–", "–"
		if best := r.best(row.Shape, false); best != nil {
			whole, per = count(best.of((*Slot).Delivered).Median), best.of((*Slot).PerTick).micro()
			batch = fmt.Sprintf("%.1f", best.of(func(s *Slot) float64 { return float64(s.Counts.Ticks) / float64(max(s.Counts.Reads, 1)) }).Median)
			gen = fmt.Sprintf("%.0f %%", 100*best.of(func(s *Slot) float64 { return s.GenCPU.Seconds() / s.Seconds }).Median)
		}
		if best := r.best(row.Shape, true); best != nil && !best.sustained() {
			lossy = count(best.of((*Slot).Delivered).Median)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t\n", row.Shape, whole, per, batch, gen, lossy)
	}
}

func tableIdle(_ *Result, w io.Writer, rows []*Row) {
	fmt.Fprintf(w, "server\tconnections\tKiB a connection\tcompleteness\t\n")
	for _, row := range rows {
		fmt.Fprintf(w, "%s\t%d\t%.1f\t%s\t\n", row.Shape, row.Subs, row.of((*Slot).PerConn).Median/1024, row.complete())
	}
}

func tableCompress(r *Result, w io.Writer, rows []*Row) {
	fmt.Fprintf(w, "server\tvariant\tbytes a tick\t%% of plain\tCPU µs a tick\t× plain\tKiB a connection\tticks\t\n")
	for _, row := range rows {
		base := r.find("compress", strings.TrimSuffix(row.Shape, "-z"), plainOf(row.Variant), row.Rate, row.Subs)
		fmt.Fprintf(w, "%s\t%s\t%.1f\t%.1f\t%s\t%s\t%.1f\t%s\t\n", row.Shape, row.Variant, row.of((*Slot).BytesPerTick).Median, 100*row.ratios(base, (*Slot).BytesPerTick).Median,
			row.of((*Slot).PerTick).micro(), row.ratios(base, (*Slot).PerTick).times(), row.of((*Slot).PerConn).Median/1024, row.complete())
	}
}

// plainOf is the variant that a compressed or repeated one is compared with.
func plainOf(variant string) string {
	if _, rest, ok := strings.Cut(variant, ","); ok {
		return "plain," + rest
	}
	return "plain"
}

func tableStalled(r *Result, w io.Writer, rows []*Row) {
	fmt.Fprintf(w, "server\tstalled client\tothers' p50\tothers' p99\tp99 × none\tunsent to it\tticks of the others\t\n")
	for _, row := range rows {
		none := r.find("stalled", row.Shape, "none", row.Rate, row.Subs)
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s B\t%s\t\n", row.Shape, row.Variant, micros(row.of(p50).Median), micros(row.of(p99).Median), row.ratios(none, p99).times(),
			count(row.of(func(s *Slot) float64 { return float64(s.Unsent) }).Median), row.complete())
	}
}

func tableGrowth(r *Result, w io.Writer, rows []*Row) {
	fmt.Fprintf(w, "server\tsubscribers\tCPU µs a tick\t× that of 100\t× floor\tp99\tticks\t\n")
	for _, row := range rows {
		first := r.find("growth", row.Shape, "", 0, growthSteps[0])
		floor := r.find("growth", shapeNamed(row.Shape).floor(), "", row.Rate, row.Subs)
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t\n", row.Shape, row.Subs, row.of((*Slot).PerTick).micro(), row.ratios(first, (*Slot).PerTick).times(),
			row.ratios(floor, (*Slot).PerTick).times(), micros(row.of(p99).Median), row.complete())
	}
}

func tableMarket(_ *Result, w io.Writer, rows []*Row) {
	fmt.Fprintf(w, "asked, ticks/s\tappended, ticks/s\t%% of one core\t\n")
	for _, row := range rows {
		fmt.Fprintf(w, "%s\t%s\t%.0f\t\n", count(row.Rate), count(row.of(appended).Median), 100*row.of(core).Median)
	}
}

// appended is no more than was due: what a log grows beyond that was held up before the window.
func appended(s *Slot) float64 { return min(float64(s.Head)/s.Seconds, s.Rate) }
func core(s *Slot) float64     { return s.CPU.Seconds() / s.Seconds }
