//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ticklane/internal/config"
	"ticklane/internal/market"
	"ticklane/internal/quote"
)

// BenchmarkHistory requests 30 days of 1m bars from a real server, each time of another one of 500 symbols.
func BenchmarkHistory(b *testing.B) {
	const minutes, symbols = 30 * 24 * 60, 500
	dir := filepath.Join(b.TempDir(), "data")
	sim, err := market.NewSimulator(market.Options{Seed: 42, Rate: 1, Symbols: symbols, Arrivals: market.Steady})
	if err != nil {
		b.Fatal(err)
	}
	u := sim.Universe()
	cfg, err := config.Load(nil, []string{"TICKLANE_DATA_DIR=" + dir}, "config.yaml")
	if err != nil {
		b.Fatal(err)
	}
	start := time.Now().Add(-minutes * time.Minute).UnixMicro()
	ticks := make([]quote.Tick, symbols)
	for minute := 0; minute < minutes; {
		past, err := newHistory(cfg, u, slog.New(slog.DiscardHandler))
		if err != nil {
			b.Fatal(err)
		}
		for n := 0; n < 600 && minute < minutes; n, minute = n+1, minute+1 { // less than memory keeps
			for id := range ticks {
				due := start + int64(minute)*60e6
				ticks[id] = quote.Tick{Symbol: quote.ID(id), Day: (*quote.Session)(nil).Day(due).Number, Due: due,
					Last: u.Instrument(quote.ID(id)).Price + quote.Price(minute*7%100), Volume: quote.Size(100 * minute)}
			}
			past.Add(ticks)
		}
		if err := past.Close(nil); err != nil {
			b.Fatal(err)
		}
	}
	server := startServer(b, "--data.dir="+dir, "--market.symbols=500", "--market.rate=1", "--history.keep.1m=60d")
	for _, encoding := range []string{"identity", "gzip"} {
		for _, format := range []string{"json", "csv"} {
			b.Run(format+" "+encoding, func(b *testing.B) {
				bytes, longest, i := int64(0), time.Duration(0), 0
				before := server.cpu(b)
				for b.Loop() {
					symbol := u.Instrument(quote.ID(i % symbols)).Symbol
					i++
					r, err := http.NewRequest("GET", fmt.Sprintf("http://%s/api/history?symbol=%s&from=%d&format=%s", server.addr, symbol, start, format), nil)
					if err != nil {
						b.Fatal(err)
					}
					r.Header.Set("Accept-Encoding", encoding)
					began := time.Now()
					answer, err := http.DefaultClient.Do(r)
					if err != nil {
						b.Fatal(err)
					}
					body, err := io.ReadAll(answer.Body)
					if err != nil || answer.StatusCode != 200 || encoding == "identity" && strings.Count(string(body), "\n")+strings.Count(string(body), `"t":`) < minutes {
						b.Fatal(err, answer.Status, len(body))
					}
					_ = answer.Body.Close()
					longest, bytes = max(longest, time.Since(began)), bytes+int64(len(body))
				}
				b.ReportMetric(1000*(server.cpu(b)-before)/float64(i), "server-cpu-ms/op")
				b.ReportMetric(float64(longest.Microseconds())/1000, "longest-ms")
				b.ReportMetric(float64(bytes)/float64(i)/1e6, "MB/op")
			})
		}
	}
}

// cpu returns the processor time of the server in seconds.
func (p *process) cpu(b *testing.B) float64 {
	answer, err := http.Get("http://" + p.addr + "/api/stats")
	if err != nil {
		b.Fatal(err)
	}
	defer answer.Body.Close()
	var stats struct {
		Process struct {
			CPU float64 `json:"cpu_seconds"`
		}
	}
	if err := json.NewDecoder(answer.Body).Decode(&stats); err != nil {
		b.Fatal(err)
	}
	return stats.Process.CPU
}
