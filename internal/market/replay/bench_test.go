package replay

import (
	"fmt"
	"strings"
	"testing"

	"ticklane/internal/quote"
)

// BenchmarkReplay reads and replays a file of 100,000 ticks, in order of time or not.
func BenchmarkReplay(b *testing.B) {
	const rows = 100_000
	for name, step := range map[string]int{"ordered": 1, "unordered": -1} {
		var text strings.Builder
		text.WriteString("time,symbol,bid,ask,last,volume\n")
		for i := range rows {
			fmt.Fprintf(&text, "%d,S%d,%d.%02d,%d.%02d,%d.%02d,100\n", 1772461800000+step*i, i%500, 100, i%100, 102, i%100, 101, i%100)
		}
		path := writeFile(b, "a.csv", text.String())
		b.Run(name+"/scan", func(b *testing.B) {
			for b.Loop() {
				s := newSource(b, path, nil)
				s.close(s.scan.input)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
		})
		b.Run(name+"/run", func(b *testing.B) {
			s := newSource(b, path, func(o *Options) { o.Loop = true })
			p := newPlayback(b.Context(), s.scan, s.options, 0)
			var tick quote.Tick
			for b.Loop() {
				p.Next(&tick)
			}
		})
	}
}
