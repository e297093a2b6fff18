package loadtest

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// failing is a sample in which the server failed slots, by what is wrong with them, and ended so.
func failing(status string, check counts, slots ...int) *Report {
	r := sample()
	r.Status, r.Headline, r.Findings = status, "", nil
	for _, k := range slots {
		s := r.Slots[k]
		s.Check, s.Valid, s.ServerFaults = check, false, []string{"the server told 3 gaps"}
		s.Reasons = s.ServerFaults
	}
	r.summarise()
	r.describe()
	return r
}

// TestNoLatencyFromAServerThatFails: the slots that are left are its better ones.
func TestNoLatencyFromAServerThatFails(t *testing.T) {
	r := failing(StatusComplete, counts{Gaps: 3, Told: 40}, 0)
	for _, m := range r.Metrics {
		latency := strings.HasPrefix(m.Key, "latency_")
		if latency != (m.Verdict == Withheld) {
			t.Errorf("%s: %s", m.Key, m.Verdict)
		}
	}
	all := strings.Join(r.Findings, "\n")
	if !strings.Contains(all, "The server failed over SSE in 1 of 5 slots (in round 1 the server told 3 gaps)") ||
		strings.Contains(all, "WebSocket in") || strings.Contains(all, "none was lost") || strings.Contains(all, "percentile") {
		t.Errorf("%s", all)
	}
	if strings.Contains(r.Headline, "faster") || !strings.Contains(r.Headline, "nothing is said of latency") {
		t.Errorf("%q", r.Headline)
	}

	r = failing(StatusInterrupted, counts{Lost: 7}, 0, 1)
	all = strings.Join(r.Findings, "\n")
	if !strings.HasPrefix(r.Headline, "Interrupted") || strings.Contains(all, "none was lost") || len(r.Findings) != 1 ||
		!strings.Contains(all, "WebSocket in 1 of 5") {
		t.Errorf("%q\n%s", r.Headline, all)
	}
	for _, m := range r.Metrics {
		if m.Verdict != Withheld {
			t.Errorf("%s after a loss: %s", m.Key, m.Verdict)
		}
	}
}

// TestAGeneratorsFaultIsNotTheServers: a busy machine voids its slot, and the verdict stays.
func TestAGeneratorsFaultIsNotTheServers(t *testing.T) {
	r := sample()
	r.Findings = nil
	r.Slots[0].Valid, r.Slots[0].Reasons = false, []string{"the generator was the bottleneck"}
	r.summarise()
	r.describe()
	if m := r.metric("latency_p50"); m.Verdict == Withheld || !strings.Contains(strings.Join(r.Findings, "\n"), "isn't the server's doing, such as a busy machine: SSE in 1 of 5") {
		t.Errorf("%s, %q", m.Verdict, r.Findings)
	}
}

// TestGapsAreTheServersFault: a slot that was told a gap is the server's failure, in a run that else is well.
func TestGapsAreTheServersFault(t *testing.T) { patiently(t, testGapsAreTheServersFault) }

func testGapsAreTheServersFault(t testing.TB) {
	var streams atomic.Int64
	stream := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		say := func(id int, text string) {
			fmt.Fprintf(w, "id: ab-%d\ndata: %s\n\n", id, text)
			w.(http.Flusher).Flush()
		}
		say(9, helloAt(9, "none"))
		i := 10
		if streams.Add(1) == 2 {
			say(12, gapTo(10, 12))
			say(12, snapshotAt(12))
			i = 13
		}
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for ; ; i++ {
			select {
			case <-tick.C:
			case <-r.Context().Done():
				return
			}
			say(i, fmt.Sprintf(`{"T":"q","S":"A","t":%d,"n":%d,"i":%d}`, time.Now().UnixMicro(), i, i))
		}
	}
	o := small(t, liar(t, stream, http.NotFound))
	o.Lanes, o.Conns, o.Rounds = []string{"sse"}, 1, 5
	r, err := start(t, t.Context(), o)
	if r == nil || !busy(err) {
		t.Fatal(err)
	}
	for k, s := range r.Slots {
		if (k == 1) != (len(s.ServerFaults) > 0) {
			t.Errorf("slot %d: %q", k, s.ServerFaults)
		}
	}
	if !strings.Contains(strings.Join(r.Findings, "\n"), "The server failed over SSE in 1 of 5 slots") {
		t.Errorf("%q", r.Findings)
	}
}
