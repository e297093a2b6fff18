package loadtest

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var update = flag.Bool("update", false, "write the golden files")

// sample is a report of fixed figures: five rounds, in which SSE costs more CPU and bytes, and latency is the same.
func sample() *Report {
	r := &Report{
		Schema: Schema, Kind: "comparison", Status: StatusComplete, Started: time.Date(2026, 3, 1, 14, 25, 1, 0, time.UTC),
		Ended: time.Date(2026, 3, 1, 14, 26, 31, 0, time.UTC), Command: "ticklane load --set 'market.rate=<100>'",
		Machine: Machine{OS: "linux 6.1", Arch: "amd64", CPU: "A <fast> CPU", Cores: 2, Memory: 8 << 30, Go: "go1.26"},
		Target: Target{URL: "own", Own: true, Settings: []string{"--market.rate=100"}, Loopback: true, Version: "v1", Symbols: 50,
			Feed: "simulator", Seed: 42, Heartbeat: 15000, LogSize: 700},
		Setup: Setup{Conns: 1000, Topics: "*", Mode: "all", Encoding: "json", Compress: "off", Rounds: 5, Duration: 5, Warmup: 1, Ramp: 1, Seed: 1},
		Sides: []SideInfo{
			{Side: "A", Name: "SSE", Lane: "sse", Engine: "stream", Path: "/sse/subscribe?mode=all"},
			{Side: "B", Name: "WebSocket", Lane: "ws", Engine: "stream", Path: "/ws/subscribe?mode=all"},
		},
	}
	for k, at := range schedule(2, 5) {
		s := &Slot{Round: at.round, Side: sideName(at.side), Started: r.Started.Add(time.Duration(k) * 7 * time.Second), Seconds: 5, Valid: true,
			Connections: 1000, Ticks: 500000, PerSecond: 100000 + float64(k), Messages: 500100, Reads: 400000}
		h := newHistogram()
		for v := int64(1); v <= 1000; v++ {
			h.RecordValue(4000 + v*v/200 + int64(k%3)*50)
		}
		s.Latency = latencyFrom(h)
		wobble := float64(k%4) * 0.05
		s.Server = Server{CPUSeconds: 5, RSSIdle: 20 << 20, RSSConnected: 44 << 20, CPUPerMillion: 10.1 + wobble, WirePerTick: 157, PayloadPerTick: 113, WritesPerTick: 0.9}
		kib := 24.1 + wobble
		if at.side == 1 {
			kib = 13.2 + wobble
			s.Server.CPUPerMillion, s.Server.WirePerTick = 8.2+wobble, 115
		}
		s.Server.KiBPerConn = &kib
		s.Generator = Generator{CPUSeconds: 2, CPUShare: 0.2, Lateness50: 80, Lateness99: 900, LatenessMax: 4000, Bytes: 1 << 20}
		r.Slots = append(r.Slots, s)
	}
	r.Metrics = summarise(r.Slots, len(r.Sides))
	r.describe()
	return r
}

// many is a report of every engine on every lane: each engine costs a server 3 s of CPU less than the one before, the
// pipe of SSE's own on top; SSE's bytes are more.
func many() *Report {
	r := sample()
	r.Sides, r.Slots = nil, nil
	for k, s := range []string{"sse stream", "sse body", "sse shard", "ws stream", "ws shard"} {
		lane, engine, _ := strings.Cut(s, " ")
		r.Sides = append(r.Sides, SideInfo{Side: sideName(k), Name: map[string]string{"sse": "SSE ", "ws": "WebSocket "}[lane] + engine, Lane: lane, Engine: engine,
			Encoding: "json", Compression: "none", Path: "/" + lane + "/subscribe?mode=all", Settings: []string{"--stream.engine=" + engine}})
	}
	base := sample().Slots
	cpu, kib := []float64{14, 11, 8, 11, 8}, []float64{48, 28, 4, 27, 3.9}
	for k, at := range schedule(5, 5) {
		copied := *base[k%10]
		s := &copied
		s.Round, s.Side = at.round, sideName(at.side)
		s.Server.CPUPerMillion = cpu[at.side] + float64(k%3)*0.01
		memory := kib[at.side]
		s.Server.KiBPerConn = &memory
		s.Server.WirePerTick = map[bool]float64{true: 144, false: 115}[at.side < 3]
		r.Slots = append(r.Slots, s)
	}
	r.summarise()
	r.describe()
	return r
}

// drilled is a report of a drill of fixed figures.
func drilled(kind string) *Report {
	r := sample()
	r.Kind, r.Slots, r.Metrics, r.Findings = "drill "+kind, nil, nil, nil
	for k, s := range r.Sides {
		d := &Drill{Name: s.Name, Side: s.Side, Valid: true, Connections: 1000, Seconds: 9, Cuts: 1000, Resumed: 991, GapTold: 2, Early: 7, Ticks: 12345,
			Replayed: 678, Check: counts{Gaps: 2, Told: 31}, Back: recoveryOf(times(1+k, 300)), Caught: recoveryOf(times(2+k, 300))}
		if kind == DrillSlow {
			d.Back, d.Caught, d.Stalled = nil, nil, &Stalled{Connections: 100, Dropped: 3, Check: counts{Gaps: 4}}
			for p, name := range []string{"before", "stalled", "after"} {
				h := newHistogram()
				h.RecordValues(int64(900+100*p), 99)
				h.RecordValues(int64(9000+1000*p), 2)
				d.Phases = append(d.Phases, SlowPhase{Name: name, Latency: latencyFrom(h)})
			}
		}
		r.Drills = append(r.Drills, d)
	}
	r.describe()
	return r
}

func everyReport() map[string]*Report {
	one := sample()
	one.Sides = one.Sides[:1]
	one.Slots = slices.DeleteFunc(one.Slots, func(s *Slot) bool { return s.Side == "B" })
	one.Metrics, one.Findings = summarise(one.Slots, len(one.Sides)), nil
	one.describe()
	invalid := sample()
	for _, s := range invalid.Slots[:8] {
		s.Valid, s.Reasons = false, []string{"the generator was the bottleneck: <its own timer> was late by 12ms (p99; at most 10ms)"}
	}
	invalid.Status, invalid.Findings = StatusInvalid, nil
	invalid.Metrics = summarise(invalid.Slots, len(invalid.Sides))
	invalid.Findings = []string{"SSE is better"}
	invalid.describe()
	empty := sample()
	empty.Status, empty.Slots, empty.Metrics, empty.Findings, empty.Headline = StatusInterrupted, nil, summarise(nil, 2), nil, ""
	empty.describe()
	cut := many() // interrupted: of some sides there is nothing
	cut.Slots, cut.Status = cut.Slots[:3], StatusInterrupted
	cut.summarise()
	cut.describe()
	bad := many()
	bad.Slots[2].Valid, bad.Slots[2].Reasons, bad.Slots[2].ServerFaults = false, []string{"gaps"}, []string{"gaps"}
	bad.summarise()
	bad.describe()
	packed := many()
	for k := range packed.Slots {
		packed.Slots[k].packed, packed.Slots[k].Generator.Saved = packed.Slots[k].Side == "C", 1<<20
	}
	packed.Sides[2].Name, packed.Sides[2].Compression = "SSE shard gzip", compressGzip
	packed.summarise()
	packed.describe()
	return map[string]*Report{"comparison": sample(), "many": many(), "many, interrupted": cut, "many, failed": bad, "many, packed": packed, "one side": one, "invalid": invalid, "interrupted at once": empty,
		"resume": drilled(DrillResume), "storm": drilled(DrillStorm), "slow": drilled(DrillSlow)}
}

var remote = regexp.MustCompile(`(?i)(src|href|srcset|data|action)\s*=\s*"([^"]*)"`)

// TestPage: the page passes the server's Content-Security-Policy, reaches out to nothing, and escapes what it is told.
func TestPage(t *testing.T) {
	for name, r := range everyReport() {
		b, err := r.HTML()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		page := string(b)
		for _, bad := range []string{"<script", "<style", " style=", "javascript:", "onload=", "<iframe", "<img", "url(", "@import", "<fast>", "<100>", "<its own", "ZgotmplZ", "%!", "NaN"} {
			if strings.Contains(strings.ToLower(page), strings.ToLower(bad)) {
				t.Errorf("%s: the page holds %q", name, bad)
			}
		}
		for _, m := range remote.FindAllStringSubmatch(page, -1) {
			if m[2] != "/static/report.css" {
				t.Errorf("%s: the page reaches for %s", name, m[0])
			}
		}
		if n := strings.Count(page, "http"); n != strings.Count(page, "http://www.w3.org/2000/svg") {
			t.Errorf("%s: the page names an address", name)
		}
		for _, svg := range regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(page, -1) {
			d := xml.NewDecoder(strings.NewReader(svg))
			for {
				if _, err := d.Token(); err == io.EOF {
					break
				} else if err != nil {
					t.Errorf("%s: a plot is not well-formed: %v", name, err)
					break
				}
			}
		}
		if !strings.Contains(page, "ticklane load") || !strings.Contains(page, "SIMULATED MARKET") {
			t.Errorf("%s: the command or the mark of a simulated market is missing", name)
		}
	}
	page, _ := sample().HTML()
	if n := bytes.Count(page, []byte("<svg")); n != 4 {
		t.Errorf("%d plots, want 4", n)
	}
}

func TestTableFits(t *testing.T) {
	for name, r := range everyReport() {
		var b strings.Builder
		if err := r.WriteTable(&b); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > tableWidth {
				t.Errorf("%s: %d columns: %s", name, n, line)
			}
		}
		if strings.Contains(b.String(), "NaN") || strings.Contains(b.String(), "%!") {
			t.Errorf("%s:\n%s", name, b.String())
		}
	}
}

func TestTableFitsLargeFigures(t *testing.T) {
	r := sample()
	for _, s := range r.Slots {
		s.Latency.P50, s.Latency.P99, s.Latency.Max, s.PerSecond = 12_345_678, 112_345_678, 599_999_999, 1_234_567.8
	}
	r.Metrics = summarise(r.Slots, len(r.Sides))
	var b strings.Builder
	if err := r.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > tableWidth {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

func TestGoldenTable(t *testing.T) {
	var b strings.Builder
	if err := sample().WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "table.txt", b.String())
	b.Reset()
	if err := many().WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "many.txt", b.String())
}

// TestGoldenShape holds every name and type in the JSON: the dashboard and other programs read it.
func TestGoldenShape(t *testing.T) {
	lines := make(map[string]bool)
	for _, r := range []*Report{sample(), many(), drilled(DrillResume), drilled(DrillSlow)} {
		if len(r.Slots) > 0 {
			r.Slots[0].Reasons, r.Slots[0].Slow, r.Slots[0].Generator.Saved = []string{"why"}, &SlowSlot{}, 1
		}
		if len(r.Drills) > 0 {
			r.Drills[0].Reasons = []string{"why"}
			r.Setup.Cuts = 1000
		}
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatal(err)
		}
		shape(lines, "", v)
	}
	var all []string
	for l := range lines {
		all = append(all, l)
	}
	slices.Sort(all)
	golden(t, "shape.txt", strings.Join(all, "\n")+"\n")
}

func shape(into map[string]bool, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, x := range v {
			shape(into, path+"."+name, x)
		}
	case []any:
		for _, x := range v {
			shape(into, path+"[]", x)
		}
	case nil:
		into[strings.TrimPrefix(path, ".")+" null"] = true
	default:
		into[strings.TrimPrefix(path, ".")+" "+fmt.Sprintf("%T", v)] = true
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (-update writes it):\n%s\nwant\n%s", path, got, want)
	}
}

func TestSave(t *testing.T) {
	dir := t.TempDir()
	r := sample()
	for _, c := range []struct{ out, base string }{
		{dir + "/new/", dir + "/new/2026-03-01T142501Z-sse-ws"},
		{dir, dir + "/2026-03-01T142501Z-sse-ws"},
		{dir + "/deep/er/standard", dir + "/deep/er/standard"},
		{dir + "/named.html", dir + "/named"},
	} {
		text, page, err := r.Save(c.out)
		if err != nil || text != c.base+".json" || page != c.base+".html" {
			t.Errorf("%s: %s, %s, %v", c.out, text, page, err)
			continue
		}
		back, err := ReadReport(text)
		if err != nil || back.Headline != r.Headline || len(back.Slots) != 10 {
			t.Errorf("%s: %v", text, err)
			continue
		}
		// A report that was read back draws the same page: the histograms are all in it.
		again, err := back.HTML()
		if want, _ := os.ReadFile(page); err != nil || !bytes.Equal(again, want) {
			t.Errorf("%s: read back it draws another page: %v", text, err)
		}
	}
	file := filepath.Join(dir, "named.html")
	if _, _, err := r.Save(file + "/x"); err == nil || !strings.Contains(err.Error(), "--out") {
		t.Errorf("a folder that is a file: %v", err)
	}
	if _, err := ReadReport(file); err == nil {
		t.Error("a page was read as a report")
	}
}

func TestHeadlines(t *testing.T) {
	r := sample()
	if !strings.Contains(r.Headline, "neither is faster") || !strings.Contains(r.Headline, "1,000 connections") {
		t.Errorf("%q", r.Headline)
	}
	if all := strings.Join(r.Findings, "\n"); !strings.Contains(all, "SSE sends more bytes for a tick: 157 against 115 B, 36.5 % more") ||
		!strings.Contains(all, "SSE costs the server more CPU") {
		t.Errorf("%s", all)
	}
	for _, s := range r.Slots {
		if s.Side == "B" {
			s.Latency.P50 += 2000
		}
	}
	r.Metrics, r.Findings = summarise(r.Slots, len(r.Sides)), nil
	if r.describe(); !strings.Contains(r.Headline, "SSE is faster than WebSocket") {
		t.Errorf("%q", r.Headline)
	}
	r.Sides[1] = r.Sides[0]
	r.Findings = nil
	r.describe()
	if !strings.Contains(r.Headline, "Both sides ask for the same") {
		t.Errorf("%q", r.Headline)
	}
}

// TestInvalidClaimsNothing: a test that doesn't count has reasons, and no findings but of them.
func TestInvalidClaimsNothing(t *testing.T) {
	r := everyReport()["invalid"]
	if len(r.Findings) != 1 || !strings.HasPrefix(r.Findings[0], "Slots left out for") || !strings.HasPrefix(r.Headline, "Invalid") || !strings.Contains(r.Headline, "bottleneck") {
		t.Errorf("%q %q", r.Headline, r.Findings)
	}
}

func TestProgressOnATerminal(t *testing.T) {
	var b strings.Builder
	p := NewProgress(&b, true)
	p.update("a long line of progress")
	p.update("short")
	p.line("stays")
	p.update("%s", strings.Repeat("x", 300))
	p.clear()
	p.clear()
	want := "\ra long line of progress\rshort" + strings.Repeat(" ", 18) + "\r     \rstays\n\r" + strings.Repeat("x", 99) + "\r" + strings.Repeat(" ", 99) + "\r"
	if b.String() != want {
		t.Errorf("%q\nwant\n%q", b.String(), want)
	}
}

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		v      float64
		digits int
		want   string
	}{
		{0, 2, "0.00"}, {1234567.5, 0, "1,234,568"}, {-1234.56, 1, "−1,234.6"}, {-0.001, 2, "0.00"}, {999.999, 2, "1,000.00"}, {100, 0, "100"},
	} {
		if got := number(c.v, c.digits); got != c.want {
			t.Errorf("%v: %s, want %s", c.v, got, c.want)
		}
	}
	if got := signed(0.001, 2) + " " + signed(1, 1) + " " + signed(-1, 1); got != "0.00 +1.0 −1.0" {
		t.Errorf("%s", got)
	}
}

// TestSchemaIsDocumented: docs/reports/README.md names every member of the JSON.
func TestSchemaIsDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/reports/README.md")
	if err != nil {
		t.Fatal(err)
	}
	shape, err := os.ReadFile("testdata/shape.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(shape)) {
		path, _, _ := strings.Cut(line, " ")
		for name := range strings.SplitSeq(strings.ReplaceAll(path, "[]", ""), ".") {
			if !strings.Contains(string(doc), "`"+name+"`") && !strings.Contains(string(doc), "."+name+"`") {
				t.Errorf("%s: %s is not described", path, name)
			}
		}
	}
}
