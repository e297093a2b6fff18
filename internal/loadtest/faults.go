package loadtest

import (
	"fmt"
	"slices"
	"strings"
)

// failures are the slots that failed, and whose doing it was.
type failures struct {
	server   int      // slots in which the server did
	findings []string // which side in how many of them
}

// failures counts. A slot in which the server failed is left out, so the rest are its better ones: their latency says
// nothing.
func (r *Report) failures() failures {
	var f failures
	var server, other []string
	for k, side := range r.Sides {
		var slots, faulty, others int
		first := ""
		for _, s := range r.Slots {
			if s.Side != sideName(k) {
				continue
			}
			slots++
			if len(s.ServerFaults) > 0 {
				if faulty++; first == "" {
					first = fmt.Sprintf("in round %d %s", s.Round, strings.Join(s.ServerFaults, "; "))
				}
			}
			if len(s.Reasons) > len(s.ServerFaults) {
				others++
			}
		}
		if faulty > 0 {
			server = append(server, fmt.Sprintf("%s in %d of %d slots (%s)", side.Name, faulty, slots, first))
		}
		if others > 0 {
			other = append(other, fmt.Sprintf("%s in %d of %d", side.Name, others, slots))
		}
		f.server += faulty
	}
	if len(server) > 0 {
		f.findings = append(f.findings, "The server failed over "+strings.Join(server, ", over ")+".")
	}
	if len(other) > 0 {
		f.findings = append(f.findings, "Slots left out for what isn't the server's doing, such as a busy machine: "+strings.Join(other, ", ")+".")
	}
	return f
}

// lossy tells whether the contract was broken in any slot.
func (r *Report) lossy() bool {
	return slices.ContainsFunc(r.Slots, func(s *Slot) bool { return s.Check.broken() })
}

// withhold takes back the verdicts that a failing server voids: those on latency, and after a broken contract all.
func (r *Report) withhold() {
	if !slices.ContainsFunc(r.Slots, func(s *Slot) bool { return len(s.ServerFaults) > 0 }) {
		return
	}
	all := r.lossy()
	void := func(key string) bool { return all || strings.HasPrefix(key, "latency_") }
	for k := range r.Metrics {
		if void(r.Metrics[k].Key) {
			r.Metrics[k].Verdict = Withheld
		}
	}
	for _, c := range r.Contrasts {
		for k := range c.Metrics {
			if void(c.Metrics[k].Key) {
				c.Metrics[k].Verdict = Withheld
			}
		}
	}
}
