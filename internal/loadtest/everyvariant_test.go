package loadtest

import (
	"os"
	"strings"
	"testing"
	"time"

	"ticklane/handlers"
	"ticklane/internal/loadtest/client"
	"ticklane/internal/loadtest/report"
	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// compressionOptions returns a comparison in which compression reaches its full effect: the warm-up is longer than a client
// needs to synchronize with a shared encoder at 1500 ticks/s.
func compressionOptions(t *testing.T, url string, variants ...string) Options {
	o := smallOptions(t, url)
	o.Rounds, o.Warmup, o.Duration, o.Variants = 1, 400*time.Millisecond, 400*time.Millisecond, variants
	return o
}

// bytesPerTick checks that all ticks of each variant arrived, and returns the bytes per tick on the wire by lane, encoding
// and compression.
func bytesPerTick(t *testing.T, r *report.Report, engine string) map[string]float64 {
	t.Helper()
	all := map[string]float64{}
	for k, w := range r.Windows {
		v := r.Variants[k]
		compressed := v.Compression != client.Uncompressed
		if w.Ticks == 0 || w.Check != (report.Check{}) || w.Latency.Count != w.Ticks || (w.Generator.Saved > 0) != compressed || v.Engine != engine {
			t.Errorf("%s on %s: %d ticks, %d with a latency, %d bytes saved, %+v", v.Name, v.Engine, w.Ticks, w.Latency.Count, w.Generator.Saved, w.Check)
		}
		all[strings.Join([]string{v.Lane, v.Encoding, v.Compression}, " ")] = w.Server.WirePerTick
	}
	return all
}

// checkSmaller checks that a variant needs at most a share of the bytes of another.
func checkSmaller(t *testing.T, bytes map[string]float64, name, than string, share float64) {
	t.Helper()
	if bytes[name] <= 0 || bytes[name] > bytes[than]*share {
		t.Errorf("%s: %.1f bytes per tick, %s %.1f", name, bytes[name], than, bytes[than])
	}
}

// TestEveryVariant measures every engine, encoding and compression on a running server, with topics and without.
func TestEveryVariant(t *testing.T) {
	for _, engine := range handlers.Engines()[wire.SSE] {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			url := startServerFor(t, &testServer{rate: 1500, maxStreams: 1000, engine: "stream", compress: stream.CompressAuto, lab: &handlers.Lab{}})
			sse, ws := "sse/"+engine, "ws/"+engine
			bytes := bytesPerTick(t, mustRun(t, compressionOptions(t, url, sse, sse+"+gzip", ws, ws+"+deflate", ws+"+protobuf", ws+"+protobuf+deflate")), engine)
			checkSmaller(t, bytes, "sse json gzip", "sse json none", 0.8)
			checkSmaller(t, bytes, "ws json permessage-deflate", "ws json none", 0.8)
			checkSmaller(t, bytes, "ws protobuf none", "ws json none", 0.5)
			checkSmaller(t, bytes, "ws protobuf permessage-deflate", "ws protobuf none", 0.98)

			o := compressionOptions(t, url, ws, ws+"+protobuf")
			o.Topics = symbolsOf(t, url, 1)[0]
			bytesPerTick(t, mustRun(t, o), engine)
		})
	}
}

// TestEveryVariantOnFreshServers: each window's own server is started with its variant's settings.
func TestEveryVariantOnFreshServers(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, engine := range handlers.Engines()[wire.WS] {
		o := compressionOptions(t, "", "sse/"+engine+"+gzip", "ws/"+engine, "ws/"+engine+"+protobuf+deflate")
		o.Serve, o.Conns, o.Set = []string{self}, 3, []string{"market.rate=1500"}
		bytes := bytesPerTick(t, mustRun(t, o), engine)
		checkSmaller(t, bytes, "sse json gzip", "ws json none", 0.8)
		checkSmaller(t, bytes, "ws protobuf permessage-deflate", "ws json none", 0.5)
	}
}
