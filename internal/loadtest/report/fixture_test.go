package report

import (
	"slices"
	"strings"
	"time"

	"ticklane/internal/loadtest/stats"
)

// twoVariants returns a report with fixed figures: five rounds, in which SSE uses more CPU and bytes, with the same
// latency.
func twoVariants() *Report {
	r := &Report{
		Schema: Schema, Kind: Comparison, Status: StatusComplete, Started: time.Date(2026, 3, 1, 14, 25, 1, 0, time.UTC),
		Ended: time.Date(2026, 3, 1, 14, 26, 31, 0, time.UTC), Command: "ticklane load --set 'market.rate=<100>'",
		Machine: Machine{OS: "linux 6.1", Arch: "amd64", CPU: "A <fast> CPU", Cores: 2, Memory: 8 << 30, Go: "go1.26"},
		Target: Target{URL: "own", Own: true, Settings: []string{"--market.rate=100"}, Loopback: true, Version: "v1", Symbols: 50,
			Feed: "simulator", Seed: 42, Heartbeat: 15000, LogSize: 700},
		Setup: Setup{Conns: 1000, Topics: "*", Mode: "all", Encoding: "json", Compress: "off", Rounds: 5, Duration: 5, Warmup: 1, Ramp: 1, Seed: 1},
		Variants: []Variant{
			{Variant: "A", Name: "SSE", Lane: "sse", Engine: "stream", Path: "/sse/subscribe?mode=all"},
			{Variant: "B", Name: "WebSocket", Lane: "ws", Engine: "stream", Path: "/ws/subscribe?mode=all"},
		},
	}
	for k, turn := range stats.Schedule(2, 5) {
		w := &Window{Round: turn.Round, Variant: Letter(turn.Variant), Started: r.Started.Add(time.Duration(k) * 7 * time.Second), Seconds: 5, Valid: true,
			Connections: 1000, Ticks: 500000, PerSecond: 100000 + float64(k), Messages: 500100, Reads: 400000}
		h := stats.NewHistogram()
		for v := int64(1); v <= 1000; v++ {
			h.RecordValue(4000 + v*v/200 + int64(k%3)*50)
		}
		w.Latency = stats.LatencyOf(h)
		variation := float64(k%4) * 0.05
		w.Server = Server{CPUSeconds: 5, RSSIdle: 20 << 20, RSSConnected: 44 << 20, CPUPerMillion: 10.1 + variation, WirePerTick: 157, PayloadPerTick: 113, WritesPerTick: 0.9}
		kib := 24.1 + variation
		if turn.Variant == 1 {
			kib = 13.2 + variation
			w.Server.CPUPerMillion, w.Server.WirePerTick = 8.2+variation, 115
		}
		w.Server.KiBPerConn = &kib
		w.Generator = Generator{CPUSeconds: 2, CPUShare: 0.2, Lateness50: 80, Lateness99: 900, LatenessMax: 4000, Bytes: 1 << 20}
		r.Windows = append(r.Windows, w)
	}
	r.Conclude()
	return r
}

// fourVariants returns a report of every engine on every lane. Engine stream uses more CPU than shard, most on SSE, and SSE
// sends more bytes.
func fourVariants() *Report {
	r := twoVariants()
	base := r.Windows
	r.Variants, r.Windows = nil, nil
	for k, s := range []string{"sse stream", "sse shard", "ws stream", "ws shard"} {
		lane, engine, _ := strings.Cut(s, " ")
		r.Variants = append(r.Variants, Variant{Variant: Letter(k), Name: map[string]string{"sse": "SSE ", "ws": "WebSocket "}[lane] + engine, Lane: lane, Engine: engine,
			Encoding: "json", Compression: "none", Path: "/" + lane + "/subscribe?mode=all", Settings: []string{"--stream.engine=" + engine}})
	}
	cpu, kib := []float64{14, 8, 11, 8}, []float64{48, 4, 27, 3.9}
	for k, turn := range stats.Schedule(4, 5) {
		w := *base[k%10]
		w.Round, w.Variant = turn.Round, Letter(turn.Variant)
		w.Server.CPUPerMillion = cpu[turn.Variant] + float64(k%3)*0.01
		w.Server.KiBPerConn = &kib[turn.Variant]
		w.Server.WirePerTick = map[bool]float64{true: 144, false: 115}[turn.Variant < 2]
		r.Windows = append(r.Windows, &w)
	}
	r.Conclude()
	return r
}

// times returns n durations of first, first+1, … ms.
func times(first, n int) []time.Duration {
	all := make([]time.Duration, n)
	for k := range all {
		all[k] = time.Duration(first+k) * time.Millisecond
	}
	return all
}

// drillReport returns a report of a drill with fixed figures.
func drillReport(drill string) *Report {
	r := twoVariants()
	r.Kind, r.Windows, r.Metrics = DrillKind(drill), nil, nil
	for k, v := range r.Variants {
		d := &Drill{Name: v.Name, Variant: v.Variant, Valid: true, Connections: 1000, Seconds: 9, Cuts: 1000, Resumed: 991, WithGap: 2, Early: 7, Ticks: 12345,
			Replayed: 678, Check: Check{Gaps: 2, GapTicks: 31}, Reconnect: RecoveryOf(times(1+k, 300)), CatchUp: RecoveryOf(times(2+k, 300))}
		if drill == DrillSlow {
			d.Reconnect, d.CatchUp, d.Stalled = nil, nil, &Stalled{Connections: 100, Dropped: 3, Check: Check{Gaps: 4}}
			for p, name := range Phases {
				h := stats.NewHistogram()
				h.RecordValues(int64(900+100*p), 99)
				h.RecordValues(int64(9000+1000*p), 2)
				d.Phases = append(d.Phases, Phase{Name: name, Latency: stats.LatencyOf(h)})
			}
		}
		r.Drills = append(r.Drills, d)
	}
	r.Conclude()
	return r
}

// changed returns r after a change, with new conclusions.
func changed(r *Report, change func()) *Report {
	change()
	r.Conclude()
	return r
}

// incomplete returns r without the variants that failed.
func incomplete(r *Report, failed ...string) *Report {
	return changed(r, func() {
		r.Status = StatusIncomplete
		for _, letter := range failed {
			r.Variants[index(letter)].Failed = "a proxy drops the header <Upgrade>"
			r.Windows = slices.DeleteFunc(r.Windows, func(w *Window) bool { return w.Variant == letter })
			r.Drills = slices.DeleteFunc(r.Drills, func(d *Drill) bool { return d.Variant == letter })
		}
	})
}

// allReports returns a report of each kind and result.
func allReports() map[string]*Report {
	one, invalid, empty := twoVariants(), twoVariants(), twoVariants()
	partial, failed, compressed := fourVariants(), fourVariants(), fourVariants()
	return map[string]*Report{
		"incomplete": incomplete(twoVariants(), "B"), "four variants, incomplete": incomplete(fourVariants(), "C", "D"),
		"drill, incomplete": incomplete(drillReport(DrillStorm), "A"),
		"comparison":        twoVariants(), "four variants": fourVariants(),
		"one variant": changed(one, func() {
			one.Variants = one.Variants[:1]
			one.Windows = slices.DeleteFunc(one.Windows, func(w *Window) bool { return w.Variant == "B" })
		}),
		"invalid": changed(invalid, func() {
			invalid.Status = StatusInvalid
			for _, w := range invalid.Windows[:8] {
				w.Valid, w.Reasons = false, []string{"the generator was the bottleneck: <its own timer> was late by 12ms (p99; at most 10ms)"}
			}
		}),
		"interrupted at once":        changed(empty, func() { empty.Status, empty.Windows = StatusInterrupted, nil }),
		"four variants, interrupted": changed(partial, func() { partial.Status, partial.Windows = StatusInterrupted, partial.Windows[:3] }),
		"four variants, failed": changed(failed, func() {
			w := failed.Windows[2]
			w.Valid, w.Reasons, w.ServerFailures = false, []string{"gaps"}, []string{"gaps"}
		}),
		"four variants, compressed": changed(compressed, func() {
			compressed.Variants[1].Name, compressed.Variants[1].Compression = "SSE shard gzip", "gzip"
			for _, w := range compressed.Windows {
				if w.Variant == "B" {
					w.Generator.Saved = 1 << 20
				}
			}
		}),
		"resume": drillReport(DrillResume), "storm": drillReport(DrillStorm), "slow": drillReport(DrillSlow),
	}
}
