package report

import (
	"fmt"
	"strings"
)

// failures are the windows that failed.
type failures struct {
	windows int      // in which the server failed
	server  []string // by variant
	other   []string // by variant, failures that aren't the server's
}

// failures counts the failed windows. A window in which the server failed is left out, so the remaining ones are its
// better ones, from which nothing follows for its latency.
func (r *Report) failures() failures {
	var f failures
	for k, v := range r.Variants {
		var windows, server, other int
		first := ""
		for _, w := range r.Windows {
			if w.Variant != Letter(k) {
				continue
			}
			windows++
			if len(w.ServerFailures) > 0 {
				if server++; first == "" {
					first = fmt.Sprintf("in round %d %s", w.Round, strings.Join(w.ServerFailures, "; "))
				}
			}
			if len(w.Reasons) > len(w.ServerFailures) {
				other++
			}
		}
		if server > 0 {
			f.server = append(f.server, fmt.Sprintf("%s in %d of %d windows (%s)", v.Name, server, windows, first))
		}
		if other > 0 {
			f.other = append(f.other, fmt.Sprintf("%s in %d of %d", v.Name, other, windows))
		}
		f.windows += server
	}
	return f
}

func (f failures) sentences() (all []string) {
	if len(f.server) > 0 {
		all = append(all, "The server failed over "+strings.Join(f.server, ", over ")+".")
	}
	if len(f.other) > 0 {
		all = append(all, "Windows left out for reasons other than the server, such as a busy machine: "+strings.Join(f.other, ", ")+".")
	}
	return all
}
