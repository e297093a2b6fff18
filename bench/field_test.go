package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ticklane/bench/generator"
	"ticklane/bench/recipes"
)

// TestMain lets the test binary be the recipes' server, as the program itself is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		main()
		return
	}
	os.Exit(m.Run())
}

func house(t *testing.T) *House {
	t.Helper()
	h, err := newHouse("no-ticklane-here")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.close)
	return h
}

// TestSmoke runs the floor and every recipe for a moment: everybody gets every tick once.
func TestSmoke(t *testing.T) {
	h := house(t)
	for _, s := range shapes() {
		if s.Kind == "ticklane" {
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			slot, err := h.measure(Plan{Shape: s, Options: Options{Rate: 50}, Subs: 10, Warm: 200 * time.Millisecond, Window: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			// A loaded machine may deliver late, but what came came whole, and no server may do without processor time.
			if c := slot.Counts; !c.Whole() || c.Ticks == 0 {
				t.Errorf("%+v", c)
			}
			if slot.CPU <= 0 || slot.P50 <= 0 || slot.P99 < slot.P50 || slot.After.RSS < 1<<16 || slot.BytesPerTick() < 113 {
				t.Errorf("%+v", slot)
			}
		})
	}
}

// TestStalledFills proves that the client that never reads is one: bytes for it stay with the server.
func TestStalledFills(t *testing.T) {
	s := shapeNamed("gobwas")
	slot, err := house(t).measure(Plan{Shape: s, Options: Options{Rate: 2000, SndBuf: stallBuffer}, Subs: 2, Stalled: true, Warm: time.Second, Window: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if slot.Unsent == 0 || slot.Counts.Silent > 0 {
		t.Errorf("%d bytes are unsent, %d of the others are silent", slot.Unsent, slot.Counts.Silent)
	}
}

func TestMissingIsTold(t *testing.T) {
	slot, err := house(t).measure(Plan{Shape: shapeNamed("ticklane-shard-ws"), Options: Options{Rate: 50}, Subs: 1, Window: time.Second})
	if why, ok := unavailable(err); !ok || why == "" || slot == nil {
		t.Errorf("%v, %v", slot, err)
	}
}

// TestLossIsSeen holds the generator to a server that leaves one tick out.
func TestLossIsSeen(t *testing.T) {
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
		_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\n\r\ndata: {\"t\":1,\"i\":1}\n\n"))
		time.Sleep(100 * time.Millisecond)
		_, _ = c.Write([]byte("data: {\"t\":1,\"i\":3}\n\n"))
		_, _ = c.Read(make([]byte, 1))
	}()
	g, err := generator.New()
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if err := g.Open(1, generator.Dial{Port: ln.Addr().(*net.TCPAddr).Port, Path: "/"}); err != nil {
		t.Fatal(err)
	}
	if c := g.Window(500 * time.Millisecond); c.Lost != 1 || c.Whole() {
		t.Errorf("%+v", c)
	}
}

// TestProcessorTime compares our clock with the kernel's own account of a process.
func TestProcessorTime(t *testing.T) {
	cmd := exec.Command("sh", "-c", "while :; do :; done")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	time.Sleep(500 * time.Millisecond)
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil { // it takes nothing between the two readings
		t.Fatal(err)
	}
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); {
		if b, _ := os.ReadFile("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/stat"); bytes.Contains(b, []byte(") T ")) {
			break
		}
	}
	got, err := cpu(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	want := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if d := (want - got).Abs(); got <= 0 || d > 20*time.Millisecond {
		t.Errorf("%v by the clock, %v by the kernel's account", got, want)
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

// slots is a run that was made up: floor 4 µs, shard 5, fiber 10, in two rounds.
func madeUp() *Result {
	r := newResult()
	for round := 1; round <= 2; round++ {
		for shape, us := range map[string]float64{"floor-sse": 4, "ticklane-shard-sse": 5, "fiber": 10, "ticklane-stream-sse": 9} {
			r.add(&Slot{Experiment: "paced", Shape: shape, Round: round, Subs: 1000, Rate: 25, Seconds: 2, CPU: time.Duration(us * float64(round) * 1e6), P99: int64(us * 100),
				Counts: &generator.Counts{Ticks: 1000}})
		}
	}
	for _, v := range []struct {
		shape, variant string
		bytes          int64
	}{{"ticklane-stream-ws", "plain", 115_000}, {"ticklane-stream-ws-z", "compressed", 40_000}, {"ticklane-stream-ws", "plain again", 115_000}} {
		r.add(&Slot{Experiment: "compress", Shape: v.shape, Variant: v.variant, Round: 1, Subs: 10, Rate: 25, Seconds: 1, CPU: time.Second, Counts: &generator.Counts{Ticks: 1000, Bytes: v.bytes}})
	}
	return r
}

func TestTargets(t *testing.T) {
	r := madeUp()
	verdicts := func() map[string]Target {
		out := map[string]Target{}
		for _, tt := range r.judge(Config{Most: 20_000}) {
			out[tt.Name] = tt
		}
		return out
	}
	got := verdicts()
	for name, want := range map[string]string{
		"shard, sse, one tick a write: CPU a tick over the floor": "met 1.25 ×",
		"shard, sse: CPU a tick over the usual Fiber recipe":      "met 0.50 ×",
		"stream, sse: CPU a tick over the usual Fiber recipe":     "missed 0.90 ×",
		"shard, sse, 25 ticks/s: p99 over the floor's":            "met 1.25 ×",
		"shard, ws: CPU a tick over gorilla PreparedMessage":      "not measured –",
		"stream, ws: compressed bytes of plain's":                 "met 34.8 %",
	} {
		if tt := got[name]; tt.Verdict+" "+tt.Found != want {
			t.Errorf("%s: %s %s, want %s", name, tt.Verdict, tt.Found, want)
		}
	}
	// A server that lost ticks has reached nothing.
	for _, s := range r.Slots {
		if s.Shape == "ticklane-shard-sse" && s.Round == 2 {
			s.Counts.Lost = 1
		}
	}
	if tt := verdicts()["shard, sse: CPU a tick over the usual Fiber recipe"]; tt.Verdict != "not measured" {
		t.Errorf("with losses: %+v", tt)
	}
}

func TestResultKeepsWhatItHas(t *testing.T) {
	name := filepath.Join(t.TempDir(), "sub", "field.json")
	r := madeUp()
	if err := r.write(name); err != nil {
		t.Fatal(err)
	}
	back, err := load(name)
	if err != nil || len(back.Slots) != len(r.Slots) {
		t.Fatalf("%v, %v", back, err)
	}
	back.forget("paced", []Shape{{Name: "fiber"}})
	if len(back.Slots) != len(r.Slots)-2 || back.find("paced", "fiber", "", 25, 0) != nil {
		t.Error("what is measured anew must go, and nothing else")
	}
	back.Machine.CPU = "another"
	if err := back.write(name); err != nil {
		t.Fatal(err)
	}
	if _, err := load(name); err == nil {
		t.Error("results of two machines were put together")
	}
	b, err := json.Marshal(r)
	if err != nil || bytes.Contains(b, []byte("NaN")) {
		t.Error(err)
	}
}

func TestTables(t *testing.T) {
	var out bytes.Buffer
	r := madeUp()
	r.add(&Slot{Experiment: "paced", Shape: "ticklane-shard-ws", Round: 1, Subs: 1000, Rate: 25, Missing: "no such engine"})
	r.Targets = r.judge(Config{Most: 20_000})
	r.print(&out)
	for _, want := range []string{"1.25 ×", "ticklane-shard-ws is not available: no such engine", "missed", "34.8"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
}

func TestPicture(t *testing.T) {
	name := filepath.Join(t.TempDir(), "field.svg")
	if err := newResult().plot(name); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(name); err == nil {
		t.Error("a picture of nothing")
	}
	if err := madeUp().plot(name); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(b, new(struct{})); err != nil {
		t.Errorf("no XML: %v", err)
	}
	for _, want := range []string{"Server-Sent Events", "(1.25 × floor)", `class="floor"`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("%q is missing", want)
		}
	}
}

func TestPick(t *testing.T) {
	all := shapes()
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
	if got, err := pick(all, "floor-*,net/http"); err != nil || len(got) != 6 {
		t.Errorf("%d servers, %v", len(got), err)
	}
	if _, err := pick(all, "nobody"); err == nil || !strings.Contains(err.Error(), "nobody") {
		t.Error(err)
	}
	for _, r := range recipes.All {
		if _, ok := recipes.Find(r.Name); !ok {
			t.Error(r.Name)
		}
	}
}

func TestBadFlags(t *testing.T) {
	for _, args := range [][]string{{}, {"what"}, {"run", "-rates", "0"}, {"run", "-rounds", "0"}, {"run", "-subs", "100000000"}, {"run", "tea"}, {"serve", "nobody"}, {"run", "-ticklane", "nowhere"}} {
		if err := command(args, &bytes.Buffer{}); err == nil {
			t.Errorf("%v was taken", args)
		}
	}
	if !math.IsNaN(orNaN(Spread{})) {
		t.Error("a figure of nothing")
	}
}
