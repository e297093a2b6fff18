package loadtest

import (
	"os"
	"slices"
	"strings"
	"testing"

	"ticklane/handlers"
	"ticklane/internal/wire"
)

// steady is longer than a client needs to get into step with an encoder, at 1500 ticks/s, in units of small.
const steady = 150

// leaner holds that each name's ticks took at most so much of the other's bytes on the wire.
func leaner(t testing.TB, bytes map[string]float64, name, than string, most float64) {
	t.Helper()
	if bytes[name] <= 0 || bytes[name] > bytes[than]*most {
		t.Errorf("%s: %.1f B a tick, %s %.1f", name, bytes[name], than, bytes[than])
	}
}

// whole holds that every tick of every slot was read, once and in order, and returns the bytes that a tick of each side took.
func whole(t testing.TB, r *Report, engine string) map[string]float64 {
	t.Helper()
	calm(t, r)
	all := map[string]float64{}
	for k, s := range r.Slots {
		side := r.Sides[k%len(r.Sides)]
		packed := side.Compression != compressNone
		if s.Ticks == 0 || s.Check != (counts{}) || s.Latency.Count != s.Ticks || (s.Generator.Saved > 0) != packed || side.Engine != engine {
			t.Errorf("%s on %s: %d ticks, %d with a latency, %d bytes saved, %+v", side.Name, side.Engine, s.Ticks, s.Latency.Count, s.Generator.Saved, s.Check)
		}
		all[strings.Join([]string{side.Lane, side.Encoding, side.Compression}, " ")] = s.Server.WirePerTick
	}
	return all
}

// TestEverySideOfEveryEngine: whatever the engine, the encoding and the compression, every tick of a server that runs is
// read, and what shall make it small does. Its few readers are compressed since its lab is open.
func TestEverySideOfEveryEngine(t *testing.T) {
	url, offered := openLab(t, 1500), handlers.Engines()
	for _, engine := range offered[wire.SSE] {
		t.Run(engine, func(t *testing.T) { patiently(t, func(t testing.TB) { everySideOf(t, url, engine) }) })
	}
}

func everySideOf(t testing.TB, url, engine string) {
	offered := handlers.Engines()
	o := small(t, url)
	o.Rounds, o.Warmup, o.Duration = 1, steady*stretched(t), 2*steady*stretched(t)
	o.Sides = []string{"sse/" + engine, "sse/" + engine + "+gzip"}
	sockets := slices.Contains(offered[wire.WS], engine)
	if ws := "ws/" + engine; sockets {
		o.Sides = append(o.Sides, ws, ws+"+deflate", ws+"+protobuf", ws+"+protobuf+deflate")
	}
	r, err := start(t, t.Context(), o)
	if r == nil || !busy(err) {
		t.Fatal(err)
	}
	bytes := whole(t, r, engine)
	leaner(t, bytes, "sse json gzip", "sse json none", 0.8)
	if sockets {
		leaner(t, bytes, "ws json permessage-deflate", "ws json none", 0.8)
		leaner(t, bytes, "ws protobuf none", "ws json none", 0.5)
		leaner(t, bytes, "ws protobuf permessage-deflate", "ws protobuf none", 0.98)
	}
}

// TestFreshServersOfEverySide: each slot's own server is told what its side wants.
func TestFreshServersOfEverySide(t *testing.T) { patiently(t, testFreshServersOfEverySide) }

func testFreshServersOfEverySide(t testing.TB) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, engine := range handlers.Engines()[wire.WS] {
		o := small(t, "")
		o.Serve, o.Rounds, o.Conns, o.Set = []string{self}, 1, 3, []string{"market.rate=1500"}
		o.Warmup, o.Duration = steady*stretched(t), 2*steady*stretched(t)
		o.Sides = []string{"sse/" + engine + "+gzip", "ws/" + engine, "ws/" + engine + "+protobuf+deflate"}
		r, err := start(t, t.Context(), o)
		if r == nil || !busy(err) {
			t.Fatal(err)
		}
		bytes := whole(t, r, engine)
		leaner(t, bytes, "sse json gzip", "ws json none", 0.8)
		leaner(t, bytes, "ws protobuf permessage-deflate", "ws json none", 0.5)
	}
}
