package generator

import (
	"math/rand/v2"
	"net"
	"testing"

	"ticklane/internal/testkit"
	"ticklane/internal/wire"
)

// serveResponse accepts one connection, sends a response and keeps the connection open until the client closes it.
func serveResponse(t *testing.T, response []byte) (port int) {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { ln.Close(); <-done })
	go func() {
		defer close(done)
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = c.Read(make([]byte, 4096))
		_, _ = c.Write(response)
		for err == nil {
			_, err = c.Read(make([]byte, 4096)) // pongs, then the end
		}
	}()
	return ln.Addr().(*net.TCPAddr).Port
}

// TestGeneratorReads reads compressed responses, whose decoders are bound to the generator's thread.
func TestGeneratorReads(t *testing.T) {
	const n = 40
	gzip := sseResponse(rand.New(rand.NewPCG(1, 1)), n, true, true)
	for name, c := range map[string]struct {
		dial     Dial
		response []byte
	}{
		"gzip": {Dial{Path: "/", Compress: true}, gzip[:len(gzip)-len("0\r\n\r\n")]}, "deflate": {Dial{Lane: wire.WS, Path: "/", Compress: true}, wsResponse(n, true)},
	} {
		g, err := New()
		if err != nil {
			t.Fatal(err)
		}
		c.dial.Port = serveResponse(t, c.response)
		if err := g.Open(t.Context(), 1, c.dial); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var counts Counts
		testkit.Eventually(t, func() bool {
			g.mu.Lock()
			defer g.mu.Unlock()
			counts = *g.counts
			return g.all[0].next == n+1
		}, name, "all ticks")
		if counts.Lost+counts.Repeated > 0 || len(counts.Broken) > 0 {
			t.Errorf("%s: %+v", name, counts)
		}
		if g.Compressed() != 1 || g.Engine() != "shard" {
			t.Errorf("%s: %d compressed, engine %q", name, g.Compressed(), g.Engine())
		}
		g.Close()
	}
}
