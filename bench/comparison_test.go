package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ticklane/bench/generator"
	"ticklane/bench/recipes"
	"ticklane/internal/testkit"
)

// TestEveryServer measures the baseline and every recipe for a moment: every subscriber receives every tick once.
func TestEveryServer(t *testing.T) {
	t.Parallel()
	l := testLauncher(t)
	for _, s := range specs() {
		if s.Kind == "ticklane" {
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			m := mustMeasure(t, l, Plan{Spec: s, Options: Options{Rate: 50}, Subs: 10, Warm: 500 * time.Millisecond, Window: 1500 * time.Millisecond})
			if !m.Counts.Complete() {
				t.Errorf("%+v", m.Counts)
			}
			if m.CPU <= 0 || m.P50 <= 0 || m.P99 < m.P50 || m.After.RSS < 1<<16 || m.BytesPerTick() < 113 {
				t.Errorf("%+v", m)
			}
		})
	}
}

// TestStalledClient: the bytes for a client that never reads stay in the server's socket.
func TestStalledClient(t *testing.T) {
	t.Parallel()
	m := mustMeasure(t, testLauncher(t), Plan{Spec: specNamed("gobwas"), Options: Options{Rate: 300, SndBuf: stallBuffer}, Subs: 2, Stalled: true, Warm: 2 * time.Second, Window: time.Second})
	if m.Unsent == 0 || m.Counts.Silent > 0 {
		t.Errorf("%d bytes are unsent, %d of the others are silent", m.Unsent, m.Counts.Silent)
	}
}

func TestUnavailableServer(t *testing.T) {
	m, err := testLauncher(t).measure(t.Context(), Plan{Spec: specNamed("ticklane-shard-ws"), Options: Options{Rate: 50}, Subs: 1, Window: time.Second})
	if reason, ok := unavailable(err); !ok || reason == "" || m == nil {
		t.Errorf("%v, %v", m, err)
	}
}

// TestLossIsCounted measures a server that skips every second tick: as many are lost as arrive.
func TestLossIsCounted(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = c.Read(make([]byte, 4096))
		_, err = c.Write([]byte("HTTP/1.1 200 OK\r\n\r\n"))
		for n := 1; err == nil; n += 2 { // as fast as the client reads, until it closes the connection
			_, err = fmt.Fprintf(c, "data: {\"T\":\"q\",\"S\":\"A\",\"t\":1,\"n\":%d,\"i\":%d}\n\n", n, n)
		}
	}()
	g, err := generator.New()
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if err := g.Open(t.Context(), 1, generator.Dial{Port: ln.Addr().(*net.TCPAddr).Port, Path: "/"}); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, func() bool { return g.Window(t.Context(), 20*time.Millisecond).Silent == 0 }, "the first tick")
	var c *generator.Counts
	testkit.Eventually(t, func() bool { c = g.Window(t.Context(), 20*time.Millisecond); return c.Lost > 0 }, "the loss")
	if c.Lost != c.Ticks || c.Complete() {
		t.Errorf("%+v", c)
	}
}

// TestStuckIsCounted: the second of two connections receives one tick, and then nothing. It misses no seq.
func TestStuckIsCounted(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	first := make(chan struct{})
	go func() {
		var all []net.Conn
		defer func() {
			for _, c := range all {
				c.Close()
			}
		}()
		for range 2 {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			all = append(all, c)
			_, _ = c.Read(make([]byte, 4096))
			_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\n\r\ndata: {\"T\":\"q\",\"S\":\"A\",\"t\":1,\"n\":1,\"i\":1}\n\n"))
		}
		<-first
		_, _ = all[0].Write([]byte("data: {\"T\":\"q\",\"S\":\"A\",\"t\":1,\"n\":2,\"i\":2}\n\ndata: {\"T\":\"q\",\"S\":\"A\",\"t\":1,\"n\":3,\"i\":3}\n\n"))
		_, _ = all[0].Read(make([]byte, 1)) // until it is closed
	}()
	g, err := generator.New()
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if err := g.Open(t.Context(), 2, generator.Dial{Port: ln.Addr().(*net.TCPAddr).Port, Path: "/"}); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, func() bool {
		c := g.Window(t.Context(), 20*time.Millisecond)
		if c.Lost+c.Repeated+c.Closed > 0 {
			t.Fatalf("%+v", c)
		}
		return c.Silent == 0
	}, "a tick of each")
	close(first)
	var c *generator.Counts
	testkit.Eventually(t, func() bool { c = g.Window(t.Context(), 20*time.Millisecond); return c.Stuck > 0 }, "the second to be stuck")
	if c.Stuck != 1 || c.Lost != 0 || c.Complete() {
		t.Errorf("%+v", c)
	}
}

// TestCPUTime compares cpu with the kernel's count of the process.
func TestCPUTime(t *testing.T) {
	cmd := exec.Command("sh", "-c", "while :; do :; done")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	testkit.Eventually(t, func() bool { return cpuOf(t, cmd.Process.Pid) > 300*time.Millisecond }, "some time of the processor")
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil { // it uses no CPU between the two readings
		t.Fatal(err)
	}
	testkit.Eventually(t, func() bool {
		b, _ := os.ReadFile("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/stat")
		return bytes.Contains(b, []byte(") T "))
	}, "it to stop")
	got, err := cpu(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	want := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if d := (want - got).Abs(); got <= 0 || d > 20*time.Millisecond {
		t.Errorf("%v by cpu, %v by the kernel", got, want)
	}
}

// TestOtherProcessesAreReported: CPU time of other processes is reported.
func TestOtherProcessesAreReported(t *testing.T) {
	cmd := exec.Command("sh", "-c", "while :; do :; done")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	before, b0 := cpuOf(t, cmd.Process.Pid), busy()
	testkit.Eventually(t, func() bool { return cpuOf(t, cmd.Process.Pid)-before >= 300*time.Millisecond }, "a process to take 300 ms of the processors")
	testkit.Eventually(t, func() bool { return busy()-b0 >= 300*time.Millisecond }, "the machine to be as busy")
	var out bytes.Buffer
	r := sampleResult()
	r.Measurements[0].Others = time.Duration(r.Measurements[0].Seconds * .2 * float64(r.Machine.Cores) * 1e9)
	r.print(&out)
	if !strings.Contains(out.String(), "In 1 windows other processes used more than 5 % of the machine, up to 20 %") {
		t.Error(out.String())
	}
}

func cpuOf(t *testing.T, pid int) time.Duration {
	t.Helper()
	d, err := cpu(pid)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestAppended: a market that catches up has appended no more than was due.
func TestAppended(t *testing.T) {
	for head, want := range map[uint64]float64{1_400_000: marketRate, 900_000: 450_000} {
		if got := appended(&Measurement{Head: head, Seconds: 2, Rate: marketRate}); got != want {
			t.Errorf("%d in 2 s: %v", head, got)
		}
	}
}

func TestSpread(t *testing.T) {
	for _, tt := range []struct {
		v    []float64
		want Spread
	}{
		{nil, Spread{}},
		{[]float64{3}, Spread{3, 3, 3, 1}},
		{[]float64{9, 1, 2}, Spread{2, 1, 9, 3}},
		{[]float64{4, 1, 2, 9}, Spread{3, 1, 9, 4}},
	} {
		if got := spread(tt.v); got != tt.want {
			t.Errorf("spread(%v) is %v, want %v", tt.v, got, tt.want)
		}
	}
}

// sampleResult returns a result with fixed figures: baseline 4 µs, shard 5, fiber 10, in two rounds.
func sampleResult() *Result {
	r := newResult()
	for round := 1; round <= 2; round++ {
		for shape, us := range map[string]float64{"baseline-sse": 4, "ticklane-shard-sse": 5, "fiber": 10, "ticklane-stream-sse": 11} {
			r.add(&Measurement{Experiment: "paced", Shape: shape, Round: round, Subs: 1000, Rate: 25, Seconds: 2, CPU: time.Duration(us * float64(round) * 1e6), P99: int64(us * 100),
				Counts: &generator.Counts{Ticks: 1000}})
		}
	}
	for _, v := range []struct {
		shape, variant string
		bytes          int64
	}{{"ticklane-stream-ws", "uncompressed", 115_000}, {"ticklane-stream-ws-z", "compressed", 40_000}, {"ticklane-stream-ws", "uncompressed again", 115_000}} {
		r.add(&Measurement{Experiment: "compress", Shape: v.shape, Variant: v.variant, Round: 1, Subs: 10, Rate: 25, Seconds: 1, CPU: time.Second, Counts: &generator.Counts{Ticks: 1000, Bytes: v.bytes}})
	}
	return r
}

func TestTargets(t *testing.T) {
	r := sampleResult()
	verdicts := func() map[string]Target {
		out := map[string]Target{}
		for _, tt := range r.judge(Config{MaxSubs: 20_000}) {
			out[tt.Name] = tt
		}
		return out
	}
	got := verdicts()
	for name, want := range map[string]string{
		"shard, sse, one tick per write: CPU per tick over the baseline": "met 1.25 ×",
		"shard, sse: CPU per tick over the usual Fiber recipe":           "met 0.50 ×",
		"stream, sse: CPU per tick over the usual Fiber recipe":          "missed 1.10 ×",
		"shard, sse, 25 ticks/s: p99 over the baseline's":                "met 1.25 ×",
		"shard, ws: CPU per tick over gorilla PreparedMessage":           "not measured –",
		"stream, ws: bytes, compressed over uncompressed":                "met 34.8 %",
		"stream, ws: ticks delivered at saturation":                      "not measured –",
	} {
		if tt := got[name]; tt.Verdict+" "+tt.Found != want {
			t.Errorf("%s: %s %s, want %s", name, tt.Verdict, tt.Found, want)
		}
	}
	// A server that lost ticks meets no target.
	for _, s := range r.Measurements {
		if s.Shape == "ticklane-shard-sse" && s.Round == 2 {
			s.Counts.Lost = 1
		}
	}
	for _, s := range r.Measurements {
		if s.Shape == "ticklane-stream-ws-z" {
			s.Counts.Stuck = 1
		}
	}
	r.add(&Measurement{Experiment: "saturation", Shape: "ticklane-stream-ws", Round: 1, Subs: 1000, Rate: 62.5, Seconds: 2, Counts: &generator.Counts{Ticks: 60_000}})
	got = verdicts()
	for name, want := range map[string]string{
		"shard, sse: CPU per tick over the usual Fiber recipe": "missed not every tick arrived once",
		"stream, ws: bytes, compressed over uncompressed":      "missed not every tick arrived once",
		"stream, ws: ticks delivered at saturation":            "missed 0/s",
	} {
		if tt := got[name]; tt.Verdict+" "+tt.Found != want {
			t.Errorf("%s: %s %s, want %s", name, tt.Verdict, tt.Found, want)
		}
	}
	// A comparison with such a server is not measured.
	for _, s := range r.Measurements {
		if s.Shape == "fiber" {
			s.Counts.Lost = 1
		}
	}
	if tt := verdicts()["stream, sse: CPU per tick over the usual Fiber recipe"]; tt.Verdict != "not measured" {
		t.Errorf("compared with a server that lost ticks: %+v", tt)
	}
}

func TestResultKeepsOtherMeasurements(t *testing.T) {
	name := filepath.Join(t.TempDir(), "sub", "field.json")
	r := sampleResult()
	if err := r.write(name); err != nil {
		t.Fatal(err)
	}
	back, err := load(name)
	if err != nil || len(back.Measurements) != len(r.Measurements) {
		t.Fatalf("%v, %v", back, err)
	}
	back.Runs = append(back.Runs, Run{})
	for round := 1; round <= 2; round++ {
		back.add(&Measurement{Experiment: "paced", Shape: "fiber", Round: round, Subs: 1000, Rate: 25, Seconds: 2, CPU: 8e6, Counts: &generator.Counts{Ticks: 1000}})
	}
	fiber := back.find("paced", "fiber", "", 25, 0)
	if len(back.Measurements) != len(r.Measurements) || fiber == nil || fiber.of((*Measurement).PerTick).Median != 8 {
		t.Error("only what is measured again may be removed")
	}
	// The baseline was measured in another run.
	if s := fiber.ratios(back.find("paced", "baseline-sse", "", 25, 0), (*Measurement).PerTick); s.N != 0 {
		t.Errorf("a ratio between two runs: %+v", s)
	}
	back.Machine.CPU = "another"
	if err := back.write(name); err != nil {
		t.Fatal(err)
	}
	if _, err := load(name); err == nil {
		t.Error("results of two machines were combined")
	}
	b, err := json.Marshal(r)
	if err != nil || bytes.Contains(b, []byte("NaN")) {
		t.Error(err)
	}
}

func TestTables(t *testing.T) {
	var out bytes.Buffer
	r := sampleResult()
	r.add(&Measurement{Experiment: "paced", Shape: "ticklane-shard-ws", Round: 1, Subs: 1000, Rate: 25, Missing: "no such engine"})
	r.Targets = r.judge(Config{MaxSubs: 20_000})
	r.print(&out)
	for _, want := range []string{"1.25 ×", "ticklane-shard-ws is not available: no such engine", "missed", "34.8"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
}

func TestPlot(t *testing.T) {
	name := filepath.Join(t.TempDir(), "field.svg")
	if err := newResult().plot(name); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(name); err == nil {
		t.Error("a plot without measurements")
	}
	if err := sampleResult().plot(name); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(b, new(struct{})); err != nil {
		t.Errorf("no XML: %v", err)
	}
	for _, want := range []string{"Server-Sent Events", "(1.25 × baseline)", `class="baseline"`, "prefers-color-scheme:dark"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("%q is missing", want)
		}
	}
}

func TestPick(t *testing.T) {
	all := specs()
	seen := map[string]bool{}
	for _, s := range all {
		if seen[s.Name] {
			t.Errorf("two servers are called %s", s.Name)
		}
		seen[s.Name] = true
	}
	for _, e := range experiments {
		if _, err := pick(all, e.Servers); err != nil {
			t.Errorf("%s: %v", e.Name, err)
		}
	}
	if got, err := pick(all, "baseline-*,net/http"); err != nil || len(got) != 6 {
		t.Errorf("%d servers, %v", len(got), err)
	}
	if _, err := pick(all, "unknown"); err == nil || !strings.Contains(err.Error(), "unknown") {
		t.Error(err)
	}
	for _, r := range recipes.All {
		if _, ok := recipes.Find(r.Name); !ok {
			t.Error(r.Name)
		}
	}
}

func TestBadFlags(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"", "usage"}, {"what", `"what"`},
		{"run -rates 0", "-rates"}, {"run -rates NaN", "-rates"}, {"run -rates +Inf", "-rates"}, {"run -rates 25,-1", "-rates"}, {"run -rates 1e9", "-rates"}, {"run -rates 0.1", "-window"},
		{"run -rounds 0", "-rounds"}, {"run -rounds 1000000", "-rounds"}, {"run -window 1ns", "-window"}, {"run -window 1000h", "-window"}, {"run -warm -1s", "-warm"},
		{"run -subs 100000000", "-subs"}, {"run -subs 1", "-subs"}, {"run -idle 100000000 idle", "ulimit -Hn 100000128"},
		{"run tea", `"tea"`}, {"run paced -rounds 1", "precede"}, {"serve other", "unknown"}, {"run -ticklane nowhere", "make build"},
		{"run -servers fiber,baseline-* compress", "compress"}, {"run -servers fiber market", "market"}, {"run -servers ticklane-stream-sse-z compress", "compress"},
	} {
		err := command(t.Context(), strings.Fields(tt.args), &bytes.Buffer{})
		if err == nil {
			t.Errorf("%s is accepted", tt.args)
		} else if !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v; want it to contain %s", tt.args, err, tt.want)
		}
	}
	if !math.IsNaN(orNaN(Spread{})) {
		t.Error("a figure without measurements")
	}
}

// TestLeftOut: servers that an experiment doesn't suit are reported and left out.
func TestLeftOut(t *testing.T) {
	var out bytes.Buffer
	i := slices.IndexFunc(experiments, func(e Experiment) bool { return e.Name == "compress" })
	list, err := experiments[i].servers("fiber,ticklane-stream-*", &out)
	if err != nil || len(list) != 3 || list[0].Name != "ticklane-stream-sse" {
		t.Errorf("%v, %v", list, err)
	}
	if !strings.Contains(out.String(), "leaves out fiber, ticklane-stream-sse-z") {
		t.Error(out.String())
	}
}

func TestFewFiles(t *testing.T) {
	c := Config{Rounds: 1, Subs: 1000, Idle: 10_000, Window: time.Second}
	paced, idle := experiments[:1], experiments[2:3]
	if err := c.check("25", paced, 4096); err != nil {
		t.Errorf("paced needs no 10,000 connections: %v", err)
	}
	if err := c.check("25", idle, 4096); err == nil || !strings.Contains(err.Error(), "-idle 3968 at most") {
		t.Error(err)
	}
	if got := (Config{MaxSubs: 3968}).steps(); !slices.Equal(got, []int{100, 1000, 3968}) {
		t.Errorf("%v", got)
	}
}

func TestNoCompiler(t *testing.T) {
	t.Setenv("CC", "no-such-compiler -O3")
	if _, err := newLauncher("x"); err == nil || !strings.Contains(err.Error(), "no-such-compiler") || !strings.Contains(err.Error(), "apt-get install gcc") {
		t.Error(err)
	}
	t.Setenv("CC", "")
	t.Setenv("PATH", t.TempDir())
	if _, err := newLauncher("x"); err == nil || !strings.Contains(err.Error(), "apt-get install gcc") {
		t.Error(err)
	}
}
