package relay

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"ticklane/internal/market/ingest"
	"ticklane/internal/quote"
	"ticklane/internal/testkit"
)

// BenchmarkInput sends numbered quotes in pieces of 64 KiB, as a body is read: one operation is one line. The feed is that of one
// process, of this node, or of another one.
func BenchmarkInput(b *testing.B) {
	for _, where := range []string{"process", "writer", "reader"} {
		b.Run(where, func(b *testing.B) {
			c := newCluster(b, 2, defaultTiming, 0)
			var x sender
			switch where {
			case "process":
				s := newSource(b)
				ctx, cancel := context.WithCancel(context.Background())
				var running sync.WaitGroup
				running.Go(func() { _ = s.Run(ctx, func([]quote.Tick) {}) })
				b.Cleanup(func() {
					cancel()
					running.Wait()
				})
				testkit.Eventually(b, s.Publishing)
				direct, err := s.Open("s", ingest.Client{})
				if err != nil {
					b.Fatal(err)
				}
				x = direct
			case "writer":
				c.nodes[0].lead()
				x = c.nodes[0].Open("s", "", nil)
			case "reader":
				c.nodes[0].lead()
				x = c.nodes[1].Open("s", "", nil)
			}
			defer x.Close()
			c.nodes = nil // nothing is read
			var text strings.Builder
			text.WriteString(`{"T":"instrument","S":"A"}` + "\n")
			for n := range b.N {
				fmt.Fprintf(&text, `{"T":"q","S":"A","bp":%d.25,"ap":%d.75,"bs":5,"as":7,"n":%d}`+"\n", n%1000+1, n%1000+2, n+1)
			}
			in, piece := strings.NewReader(text.String()), make([]byte, 64<<10)
			b.ResetTimer()
			for {
				n, err := in.Read(piece)
				if err == io.EOF {
					break
				}
				if err := x.Write(b.Context(), piece[:n]); err != nil {
					b.Fatal(err)
				}
			}
			if r := x.Take(); r.Accepted != uint64(b.N)+1 {
				b.Fatalf("%+v", r)
			}
		})
	}
}
