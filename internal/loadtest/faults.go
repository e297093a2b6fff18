package loadtest

import (
	"fmt"
	"slices"
	"strings"
)

// accuse tells which side failed in how many slots, and takes back what may not be said then. A slot in which the server
// failed is left out, so the rest are its better ones: their latency says nothing. describe has been called.
func (r *Report) accuse() {
	all := len(r.Slots)
	var server, generator []string
	failed := 0
	for k, side := range r.Sides {
		var slots, faulty, other int
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
				other++
			}
		}
		if faulty > 0 {
			server = append(server, fmt.Sprintf("%s in %d of %d slots (%s)", side.Name, faulty, slots, first))
		}
		if other > 0 {
			generator = append(generator, fmt.Sprintf("%s in %d of %d", side.Name, other, slots))
		}
		failed += faulty
	}
	var findings []string
	if failed > 0 {
		findings = append(findings, "The server failed over "+strings.Join(server, ", over ")+".")
	}
	if len(generator) > 0 {
		findings = append(findings, "Slots left out for what isn't the server's doing, such as a busy machine: "+strings.Join(generator, ", ")+".")
	}
	if failed == 0 || r.Status == StatusInvalid || r.Status == StatusBroken {
		r.Findings = append(r.Findings, findings...)
		return
	}
	if r.lossy() {
		r.Findings = nil
	}
	r.Findings = append(findings, slices.DeleteFunc(r.Findings, func(f string) bool {
		return strings.HasPrefix(f, "Every tick of every connection") || strings.Contains(f, "percentile of latency")
	})...)
	r.Headline = fmt.Sprintf("The server failed in %d of %d slots, so nothing is said of latency.", failed, all)
	if r.Status == StatusInterrupted {
		r.Headline = "Interrupted: this is a part of the test. " + r.Headline
	}
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
	for k := range r.Metrics {
		if all || strings.HasPrefix(r.Metrics[k].Key, "latency_") {
			r.Metrics[k].Verdict = Withheld
		}
	}
}
