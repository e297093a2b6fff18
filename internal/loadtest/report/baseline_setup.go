package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// setupDifferences returns what was measured differently in the baseline. The version is not among it, since versions are
// what a baseline is for, nor is the seed of a simulated market.
func setupDifferences(now, before *Report, matches []int) []string {
	var all []string
	differ := func(name, was, is string) {
		if was != is {
			all = append(all, fmt.Sprintf("%s %s → %s", name, cmp.Or(was, "none"), cmp.Or(is, "none")))
		}
	}
	a, b := now.Setup, before.Setup
	differ("connections", count(b.Conns), count(a.Conns))
	differ("topics", b.Topics, a.Topics)
	differ("mode", b.Mode, a.Mode)
	differ("window", seconds(b.Duration).String(), seconds(a.Duration).String())
	differ("rounds", count(b.Rounds), count(a.Rounds))
	differ("warm-up", seconds(b.Warmup).String(), seconds(a.Warmup).String())
	differ("ramp", seconds(b.Ramp).String(), seconds(a.Ramp).String())
	differ("slow readers", count(b.SlowReaders), count(a.SlowReaders))
	differ("churn per second", fmt.Sprint(b.Churn), fmt.Sprint(a.Churn))
	differ("cuts", count(b.Cuts), count(a.Cuts))
	server := func(r *Report) string {
		if r.Target.Own {
			return "a fresh one for each window"
		}
		return r.Target.URL
	}
	differ("server", server(before), server(now))
	// A server of the test has room for its connections, so that setting follows from their number.
	was, is := changedSettings(before.Target.Settings, now.Target.Settings, "--limits.connections=")
	differ("settings", was, is)
	differ("feed", before.Target.Feed, now.Target.Feed)
	differ("symbols", count(before.Target.Symbols), count(now.Target.Symbols))
	for k, n := range matches {
		if n < 0 || now.Variants[k].Engine == "" { // it could not be measured
			continue
		}
		v, w := now.Variants[k], before.Variants[n]
		differ(v.Name+": engine", w.Engine, v.Engine)
		differ(v.Name+": encoding", cmp.Or(w.Encoding, "json"), cmp.Or(v.Encoding, "json"))
		differ(v.Name+": compression", cmp.Or(w.Compression, "none"), cmp.Or(v.Compression, "none"))
		was, is := changedSettings(w.Settings, v.Settings, "--stream.engine=")
		differ(v.Name+": settings", was, is)
	}
	x, y := now.Machine, before.Machine
	differ("processor", y.CPU, x.CPU)
	differ("processors", count(y.Cores), count(x.Cores))
	differ("memory", fmt.Sprintf("%d GiB", y.Memory>>30), fmt.Sprintf("%d GiB", x.Memory>>30))
	differ("system", y.OS+"/"+y.Arch, x.OS+"/"+x.Arch)
	differ("Go", y.Go, x.Go)
	return all
}

// changedSettings returns the settings that only one of two servers has, without those that begin with except.
func changedSettings(before, now []string, except string) (was, is string) {
	without := func(all, others []string) string {
		left := slices.DeleteFunc(slices.Sorted(slices.Values(all)), func(s string) bool {
			return strings.HasPrefix(s, except) || slices.Contains(others, s)
		})
		return strings.Join(left, " ")
	}
	return without(before, now), without(now, before)
}
