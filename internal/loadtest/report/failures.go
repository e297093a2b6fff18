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

// failedVariants returns the indexes of the variants that could not be measured.
func (r *Report) failedVariants() (failed []int) {
	for k, v := range r.Variants {
		if v.Failed != "" {
			failed = append(failed, k)
		}
	}
	return failed
}

// FailureText returns which variants could not be measured, with the reason if reasons is true, each reason once. It is
// empty if all were.
func (r *Report) FailureText(reasons bool) string {
	var order []string
	names := make(map[string][]string)
	for _, k := range r.failedVariants() {
		reason, text := "", " could not be measured"
		if len(r.windowsOf(k)) > 0 {
			text += " to the end"
		}
		if reasons {
			reason = ": " + r.Variants[k].Failed
		}
		if names[text+reason] == nil {
			order = append(order, text+reason)
		}
		names[text+reason] = append(names[text+reason], r.Variants[k].Name)
	}
	for k, text := range order {
		order[k] = strings.Join(names[text], ", ") + text
	}
	return strings.Join(order, ". ")
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
