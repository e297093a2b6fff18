package loadtest

import "testing"

// TestProtobufAgainstTheServer: every tick of a real server's protobuf is read and accounted for, filtered or not, and
// takes fewer bytes than its JSON.
func TestProtobufAgainstTheServer(t *testing.T) {
	url := open(t, 1000, 1000)
	for _, topics := range []string{"*", firstSymbols(t, url, 1)[0]} {
		o := small(t, url)
		o.Sides, o.Topics = []string{"ws", "ws+protobuf"}, topics
		r, err := start(t, t.Context(), o)
		if r == nil || !busy(err) {
			t.Fatal(err)
		}
		calm(t, r)
		for _, s := range r.Slots {
			if s.Ticks == 0 || s.Check != (counts{}) || s.Latency.Count != s.Ticks {
				t.Errorf("topics %s, %s: %d ticks, %d with a latency, %+v", topics, s.Side, s.Ticks, s.Latency.Count, s.Check)
			}
		}
		if json, proto := r.Slots[0].Server.WirePerTick, r.Slots[1].Server.WirePerTick; proto <= 0 || proto > json/2 {
			t.Errorf("topics %s: %.1f B a tick, %.1f in JSON", topics, proto, json)
		}
		if r.Sides[1].Encoding != "protobuf" || r.Setup.Encoding != "mixed" || r.Sides[1].Name != "WebSocket protobuf" {
			t.Errorf("%+v %+v", r.Sides[1], r.Setup)
		}
	}
	o := small(t, url)
	o.Sides, o.Drill, o.Cuts = []string{"ws+protobuf"}, DrillResume, 30
	r, err := start(t, t.Context(), o)
	if r == nil || !busy(err) {
		t.Fatal(err)
	}
	calm(t, r)
	if d := r.Drills[0]; d.Cuts < 30 || d.Check.broken() {
		t.Errorf("%+v", d)
	}
}
