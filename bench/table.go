package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// print writes the tables of all measurements.
func (r *Result) print(out io.Writer) {
	m := r.Machine
	fmt.Fprintf(out, "\n%s, %d cores, %d GiB, %s, kernel %s; server and clients on the same machine. Compare ratios, not absolute figures.\n", m.CPU, m.Cores, m.Memory>>30, m.OS, m.Kernel)
	for _, e := range experiments {
		rows := r.rows(e.Name)
		if len(rows) == 0 {
			continue
		}
		fmt.Fprintf(out, "\n%s: %s\n", strings.ToUpper(e.Name[:1])+e.Name[1:], e.About)
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
		available, missing := split(rows)
		if len(available) > 0 {
			tables[e.Name](r, w, available)
		}
		w.Flush()
		for _, line := range missing {
			fmt.Fprintln(out, line)
		}
		if n, most := r.disturbed(e.Name); n > 0 {
			fmt.Fprintf(out, "  In %d windows other processes used more than %.0f %% of the machine, up to %.0f %%: measure these again without them.\n", n, 100*maxDisturbance, 100*most)
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
			fmt.Fprintf(out, "  and %d more without measurements, which the JSON lists\n", unmeasured)
		}
	}
}

// disturbed returns the number of windows in which other processes used too much of the machine, and the highest share.
func (r *Result) disturbed(experiment string) (n int, most float64) {
	for _, s := range r.Measurements {
		if s.Experiment == experiment && s.Disturbed(r.Machine.Cores) > maxDisturbance {
			n, most = n+1, max(most, s.Disturbed(r.Machine.Cores))
		}
	}
	return n, most
}

// split returns the rows with measurements, and why other servers aren't available.
func split(rows []*Row) (available []*Row, missing []string) {
	for _, row := range rows {
		if row.Missing != "" {
			missing = append(missing, fmt.Sprintf("  %s is not available: %s", row.Shape, row.Missing))
		} else if len(row.Measurements) > 0 {
			available = append(available, row)
		}
	}
	return available, missing
}

var tables = map[string]func(r *Result, w io.Writer, rows []*Row){
	"paced": tablePaced, "saturation": tableSaturation, "idle": tableIdle, "compress": tableCompress, "stalled": tableStalled, "growth": tableGrowth, "market": tableMarket,
}

// specNamed returns the server with this name, or one with the name alone if there is none.
func specNamed(name string) Spec {
	all := specs()
	if i := slices.IndexFunc(all, func(s Spec) bool { return s.Name == name }); i >= 0 {
		return all[i]
	}
	return Spec{Name: name}
}

func (s Spread) micro() string {
	if s.N == 0 {
		return "–"
	}
	if s.N == 1 {
		return fmt.Sprintf("%.2f", s.Median)
	}
	return fmt.Sprintf("%.2f (%.2f–%.2f)", s.Median, s.Min, s.Max)
}

func (s Spread) times() string {
	if s.N == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f ×", s.Median)
}

// completeness describes which ticks of a row arrived.
func (row *Row) completeness() string {
	if row.complete() {
		return "all"
	}
	lost, other, none := int64(0), false, false
	for _, s := range row.Measurements {
		lost += s.Counts.Lost
		none = none || s.Counts.Ticks == 0
		other = other || s.Counts.Repeated > 0 || s.Counts.Closed > 0 || s.Counts.Silent+s.Counts.Stuck > 0 || len(s.Counts.Broken) > 0
	}
	if none {
		return "none arrived"
	}
	if other {
		return "not all, see the JSON"
	}
	return "lost " + count(float64(lost))
}

func tablePaced(r *Result, w io.Writer, rows []*Row) {
	fmt.Fprintf(w, "ticks/s\tserver\tCPU µs per tick\t× baseline\tp50\tp99\tp99 × baseline\tswitches per tick\tticks\t\n")
	for _, row := range rows {
		base := r.find("paced", specNamed(row.Shape).baseline(), "", row.Rate, row.Subs)
		fmt.Fprintf(w, "%.4g\t%s\t%s\t%s\t%s\t%s\t%s\t%.2f\t%s\t\n", row.Rate, row.Shape, row.of((*Measurement).PerTick).micro(), row.ratios(base, (*Measurement).PerTick).times(),
			micros(row.of(p50).Median), micros(row.of(p99).Median), row.ratios(base, p99).times(),
			row.of(func(s *Measurement) float64 { return float64(s.Switches) / float64(max(s.Counts.Ticks, 1)) }).Median, row.completeness())
	}
}

func tableSaturation(r *Result, w io.Writer, rows []*Row) {
	fmt.Fprintf(w, "server\tsustained, ticks/s\tat µs per tick\tticks per read\tgenerator\tmost, late or with losses\t\n")
	var seen []string
	for _, row := range rows {
		if slices.Contains(seen, row.Shape) {
			continue
		}
		seen = append(seen, row.Shape)
		sustained, per, batch, gen, lossy := "–", "–", "–", "–", "–"
		if best := r.best(row.Shape, false); best != nil {
			sustained, per = count(best.of((*Measurement).Delivered).Median), best.of((*Measurement).PerTick).micro()
			batch = fmt.Sprintf("%.1f", best.of(func(s *Measurement) float64 { return float64(s.Counts.Ticks) / float64(max(s.Counts.Reads, 1)) }).Median)
			gen = fmt.Sprintf("%.0f %%", 100*best.of(func(s *Measurement) float64 { return s.GenCPU.Seconds() / s.Seconds }).Median)
		}
		if best := r.best(row.Shape, true); best != nil && !best.sustained() {
			lossy = count(best.of((*Measurement).Delivered).Median)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t\n", row.Shape, sustained, per, batch, gen, lossy)
	}
}

func tableIdle(_ *Result, w io.Writer, rows []*Row) {
	fmt.Fprintf(w, "server\tconnections\tKiB per connection\tcompleteness\t\n")
	for _, row := range rows {
		fmt.Fprintf(w, "%s\t%d\t%.1f\t%s\t\n", row.Shape, row.Subs, row.of((*Measurement).PerConn).Median/1024, row.completeness())
	}
}

func tableCompress(r *Result, w io.Writer, rows []*Row) {
	fmt.Fprintf(w, "server\tvariant\tbytes per tick\t%% of uncompressed\tCPU µs per tick\t× uncompressed\tKiB per connection\tticks\t\n")
	for _, row := range rows {
		base := r.find("compress", strings.TrimSuffix(row.Shape, "-z"), uncompressedOf(row.Variant), row.Rate, row.Subs)
		fmt.Fprintf(w, "%s\t%s\t%.1f\t%.1f\t%s\t%s\t%.1f\t%s\t\n", row.Shape, row.Variant, row.of((*Measurement).BytesPerTick).Median, 100*row.ratios(base, (*Measurement).BytesPerTick).Median,
			row.of((*Measurement).PerTick).micro(), row.ratios(base, (*Measurement).PerTick).times(), row.of((*Measurement).PerConn).Median/1024, row.completeness())
	}
}

// uncompressedOf returns the variant that a compressed or repeated one is compared with.
func uncompressedOf(variant string) string {
	if _, rest, ok := strings.Cut(variant, ","); ok {
		return "uncompressed," + rest
	}
	return "uncompressed"
}

func tableStalled(r *Result, w io.Writer, rows []*Row) {
	fmt.Fprintf(w, "server\tstalled client\tothers' p50\tothers' p99\tp99 × none\tunsent to it\tticks of the others\t\n")
	for _, row := range rows {
		none := r.find("stalled", row.Shape, "none", row.Rate, row.Subs)
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s B\t%s\t\n", row.Shape, row.Variant, micros(row.of(p50).Median), micros(row.of(p99).Median), row.ratios(none, p99).times(),
			count(row.of(func(s *Measurement) float64 { return float64(s.Unsent) }).Median), row.completeness())
	}
}

func tableGrowth(r *Result, w io.Writer, rows []*Row) {
	fmt.Fprintf(w, "server\tsubscribers\tCPU µs per tick\t× that of 100\t× baseline\tp99\tticks\t\n")
	for _, row := range rows {
		first := r.find("growth", row.Shape, "", 0, growthSteps[0])
		base := r.find("growth", specNamed(row.Shape).baseline(), "", row.Rate, row.Subs)
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t\n", row.Shape, row.Subs, row.of((*Measurement).PerTick).micro(), row.ratios(first, (*Measurement).PerTick).times(),
			row.ratios(base, (*Measurement).PerTick).times(), micros(row.of(p99).Median), row.completeness())
	}
}

func tableMarket(_ *Result, w io.Writer, rows []*Row) {
	fmt.Fprintf(w, "due, ticks/s\tappended, ticks/s\t%% of one core\t\n")
	for _, row := range rows {
		fmt.Fprintf(w, "%s\t%s\t%.0f\t\n", count(row.Rate), count(row.of(appended).Median), 100*row.of(core).Median)
	}
}

// appended returns the ticks/s appended, but no more than were due: further ones were delayed from before the window.
func appended(s *Measurement) float64 { return min(float64(s.Head)/s.Seconds, s.Rate) }

// core returns the share of one core.
func core(s *Measurement) float64 { return s.CPU.Seconds() / s.Seconds }
