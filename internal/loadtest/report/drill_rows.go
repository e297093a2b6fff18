package report

import "fmt"

// drillRow is one line of a drill's table, in the terminal and on the page.
type drillRow struct {
	label string
	cell  func(*Drill) string
}

func drillRows(drill string) []drillRow {
	rows := []drillRow{{"connections", func(d *Drill) string { return count(d.Connections) }}}
	if drill == DrillSlow {
		for k, name := range Phases {
			rows = append(rows, drillRow{"p50 / p99 " + name + ", ms", func(d *Drill) string {
				if k >= len(d.Phases) {
					return "–"
				}
				l := d.Phases[k].Latency
				return number(ms(l.P50), decimals(ms(l.P50))) + " / " + number(ms(l.P99), decimals(ms(l.P99)))
			}})
		}
		rows = append(rows,
			drillRow{"stalled", func(d *Drill) string { return count(d.stalled().Connections) }},
			drillRow{"gap messages to them", func(d *Drill) string { return count(d.stalled().Check.Gaps) }},
			drillRow{"of them disconnected", func(d *Drill) string { return count(d.stalled().Dropped) }})
	} else {
		rows = append(rows,
			drillRow{"cuts", func(d *Drill) string { return count(d.Cuts) }},
			drillRow{"of them by the server or the network", func(d *Drill) string { return count(d.Ended) }},
			drillRow{"resumed completely", func(d *Drill) string { return count(d.Resumed) }},
			drillRow{"resumed with a gap", func(d *Drill) string { return count(d.WithGap) }},
			drillRow{"cut again before the hello", func(d *Drill) string { return count(d.Early) }},
			drillRow{"cut before the first position", func(d *Drill) string { return count(d.Anew) }},
			drillRow{"attempts refused", func(d *Drill) string { return count(d.Refused) }},
			drillRow{"cut → hello, p50 / p99 / max, ms", func(d *Drill) string { return d.Reconnect.show() }},
			drillRow{"cut → caught up, ms", func(d *Drill) string { return d.CatchUp.show() }},
			drillRow{"ticks, of them replayed", func(d *Drill) string { return count(d.Ticks) + ", " + count(d.Replayed) }})
	}
	return append(rows,
		drillRow{"lost", func(d *Drill) string { return count(d.Check.Lost) }},
		drillRow{"duplicates", func(d *Drill) string { return count(d.Check.Duplicates) }},
		drillRow{"out of order", func(d *Drill) string { return count(d.Check.OutOfOrder) }})
}

func (d *Drill) stalled() Stalled {
	if d.Stalled == nil {
		return Stalled{}
	}
	return *d.Stalled
}

func (r *Recovery) show() string {
	if r == nil {
		return "–"
	}
	return fmt.Sprintf("%s / %s / %s", number(r.P50, decimals(r.P50)), number(r.P99, decimals(r.P99)), number(r.Max, decimals(r.Max)))
}
