package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// print prints the tables of a storm.
func (r *StormResult) print(out io.Writer) {
	var symbols []int
	for _, c := range r.Cases {
		if !slices.Contains(symbols, c.Symbols) {
			symbols = append(symbols, c.Symbols)
		}
	}
	for _, n := range symbols {
		fmt.Fprintf(out, "\n%d symbols, %d clients on each lane. Time until so many clients have whole state; server's CPU for each client\n", n, r.Config.Clients)
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(w, "server\tlanes\toffer\tcase\twhole\t50 %\t99 %\t100 %\trefused\tretried\tlost\tbystander p50\tp99\tmax\tRSS before\tpeak above\tlater\tuser\tsys\tclients' CPU\toverflows\t")
		for _, c := range r.Cases {
			if c.Symbols == n {
				c.row(w)
			}
		}
		w.Flush()
	}
	fmt.Fprintf(out, "\nrefused: byes, other statuses and attempts that reached no server. retried: attempts above one for each client. lost: ticks lost\n"+
		"or doubled, snapshots disordered, wrong or withheld (the JSON has them apart). RSS in MB; later: %v after the clients have left.\n"+
		"kill and drain: times from the signal; bystanders are cut too. offer: the compression that clients offer. clients' CPU: of all clients,\n"+
		"in this process. overflows: connections that the kernel dropped because the listen queue was full.\n", r.Config.Settle)
	for _, c := range r.Cases {
		if text := c.problems(); text != "" {
			fmt.Fprintf(out, "%s, %s: %s\n", c.name(), c.Case, text)
		}
	}
}

func (c *StormCase) name() string {
	return strings.TrimSpace(fmt.Sprintf("%s %s", c.Server, c.Engine))
}

func (c *StormCase) row(w io.Writer) {
	mb := func(bytes int64) string {
		if bytes == 0 {
			return "-"
		}
		return fmt.Sprintf("%.0f", float64(bytes)/1e6)
	}
	p50, p99, most := "-", "-", "-"
	if b := c.Bystanders; b != nil {
		p50, p99, most = milliseconds(b.P50), milliseconds(b.P99), milliseconds(b.Max)
	}
	whole := fmt.Sprint(c.Whole)
	if c.Whole < c.Clients {
		whole = fmt.Sprintf("%d of %d", c.Whole, c.Clients)
	}
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%.2f ms\t%.2f ms\t%.1f s\t%d\t\n",
		c.name(), strings.Join(c.Lanes, "+"), c.Compress, c.Case, whole, seconds(c.Until50), seconds(c.Until99), seconds(c.Until100),
		c.refused(), max(0, c.Counts.Attempts-int64(c.Clients)), c.Losses.Total(), p50, p99, most,
		mb(c.Before), mb(c.Peak-c.Before), mb(c.Later), c.PerClient(c.User), c.PerClient(c.System), c.ClientsCPU.Seconds(), c.Overflows)
}

func (c *StormCase) refused() int64 {
	n := c.Counts.Unreachable
	for _, k := range c.Counts.Refused {
		n += k
	}
	return n
}

func (c *StormCase) summary() string {
	text := fmt.Sprintf("%s: %d of %d have whole state, 50 %% after %s, all after %s, peak RSS +%.0f MB, CPU %.2f + %.2f ms a client", c.Case, c.Whole, c.Clients,
		seconds(c.Until50), seconds(c.Until100), float64(c.Peak-c.Before)/1e6, c.PerClient(c.User), c.PerClient(c.System))
	if c.Bystanders != nil {
		text += fmt.Sprintf(", bystanders p99 %s", milliseconds(c.Bystanders.P99))
	}
	if p := c.problems(); p != "" {
		text += "; " + p
	}
	return text
}

// problems describes what clients lost and what spoils the measurement, empty if nothing.
func (c *StormCase) problems() string {
	var all []string
	add := func(n int64, what string) {
		if n > 0 {
			all = append(all, fmt.Sprintf("%d %s", n, what))
		}
	}
	l := c.Losses
	add(l.Lost, "ticks lost")
	add(l.Repeated, "ticks repeated")
	add(l.Unreported, "resumes as complete of clients without whole state")
	add(l.Incomplete, "snapshots with parts out of order")
	add(l.Wrong, "quotes of snapshots wrong")
	add(l.Malformed, "malformed")
	if b := c.Bystanders; b != nil {
		add(b.Losses.Total(), "faults at the bystanders")
		add(b.Counts.Attempts, "reconnects of bystanders")
	}
	add(c.Drops, "segments dropped by the kernel for want of buffer memory, which delays their clients")
	for reason, n := range c.Reasons {
		add(int64(n), reason)
	}
	return strings.Join(all, ", ")
}

func seconds(ms float64) string {
	if ms == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f s", ms/1e3)
}

func milliseconds(ms float64) string { return fmt.Sprintf("%.3g ms", ms) }
