package handlers_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ticklane/handlers"
	"ticklane/internal/bus"
	"ticklane/internal/history"
	"ticklane/internal/market"
	"ticklane/internal/shard"
	"ticklane/internal/stream"
)

// BenchmarkFanOut serves 1,000 subscribers of everything on one lane, by one engine, at 5,000 ticks/s, over real sockets and with all
// clients in this process. One operation is one tick of the market. It reports
//
//	ticks/s      delivered to all clients together
//	ticks/write  how many a write into a socket carried: the batches form by themselves
//	gaps         gap messages; a run with any was overloaded
//
// BENCHTIME=50000x gives ten seconds.
func BenchmarkFanOut(b *testing.B) {
	const subscribers, rate = 1000, 5000
	engines := []string{"stream"}
	if shard.Available {
		engines = append(engines, "shard")
	}
	for _, engine := range engines {
		for _, lane := range []string{"sse", "ws"} {
			b.Run(engine+"/"+lane, func(b *testing.B) { fanOut(b, engine, lane, subscribers, rate) })
		}
	}
}

func fanOut(b *testing.B, engine, lane string, subscribers int, rate float64) {
	sim, err := market.NewSimulator(market.Options{Seed: 1, Rate: rate, Symbols: 50, Arrivals: market.Steady})
	if err != nil {
		b.Fatal(err)
	}
	u := sim.Universe()
	past, err := history.New(u, history.DefaultKeep)
	if err != nil {
		b.Fatal(err)
	}
	feed := bus.NewLocal(u.Len())
	log, err := stream.New(stream.Config{Universe: u, Epoch: feed.Epoch(), Size: 65536})
	if err != nil {
		b.Fatal(err)
	}
	defer log.Close()
	feed.Attach(past.Add)
	feed.Attach(log.Append)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server, err := handlers.New(handlers.Deps{
		Settings: handlers.Settings{Addr: "127.0.0.1:0", ReadTimeout: 10 * time.Second, IdleTimeout: time.Minute, WriteTimeout: 10 * time.Second,
			MaxStreams: 2 * subscribers, MaxPerAddress: 2 * subscribers, MaxTopics: 100, MessageSize: 4096, MessageRate: 10, MessageBurst: 20,
			HeaderSize: 8192, BodySize: 65536, Engine: engine},
		Listener: ln, Stream: log, History: past, Files: os.DirFS(".."), Logger: slog.New(slog.DiscardHandler), Version: "bench",
		Metrics: func(*handlers.Server) http.Handler { return http.NotFoundHandler() },
	})
	if err != nil {
		b.Fatal(err)
	}
	go server.Serve()

	var clients sync.WaitGroup
	var got, gaps atomic.Int64
	for range subscribers {
		nc, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		defer nc.Close()
		request := fmt.Sprintf("GET /%s/subscribe HTTP/1.1\r\nHost: %s\r\n", lane, ln.Addr())
		if lane == "ws" {
			request += "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		}
		if _, err := io.WriteString(nc, request+"\r\n"); err != nil {
			b.Fatal(err)
		}
		clients.Go(func() { countTicks(nc, &got, &gaps) })
	}
	for log.Lane(0).Connections+log.Lane(1).Connections < subscribers {
		time.Sleep(time.Millisecond)
	}

	ctx, cancel := context.WithCancel(context.Background())
	var market sync.WaitGroup
	b.ResetTimer()
	start, before := time.Now(), got.Load()
	market.Go(func() { sim.Run(ctx, feed.Publish) })
	end := log.Head().Seq + uint64(b.N)
	for log.Head().Seq < end {
		time.Sleep(time.Millisecond)
	}
	delivered, took := got.Load()-before, time.Since(start)
	b.StopTimer()
	cancel()
	market.Wait()
	lanes := [2]stream.LaneStats{log.Lane(0), log.Lane(1)}
	b.ReportMetric(float64(delivered)/took.Seconds(), "ticks/s")
	b.ReportMetric(float64(lanes[0].Ticks+lanes[1].Ticks)/float64(lanes[0].Writes+lanes[1].Writes), "ticks/write")
	b.ReportMetric(float64(gaps.Load()), "gaps")
	stop, done := context.WithTimeout(context.Background(), 5*time.Second)
	defer done()
	server.Shutdown(stop)
	clients.Wait()
}

// countTicks searches the text for marks: a parser would make this a measurement of the client.
func countTicks(r io.Reader, ticks, gaps *atomic.Int64) {
	tick, gap := []byte(`{"T":"q"`), []byte(`{"T":"gap"`)
	keep := len(gap) - 1
	buf := make([]byte, 64<<10)
	held := 0
	for {
		n, err := r.Read(buf[held:])
		if err != nil {
			return
		}
		text := buf[:held+n]
		// What is kept for the next read is shorter than each mark, so that no mark is counted twice.
		next := min(keep, len(text))
		whole := bytes.Count(text, tick) - bytes.Count(text[len(text)-next:], tick)
		ticks.Add(int64(whole))
		gaps.Add(int64(bytes.Count(text, gap)))
		held = copy(buf, text[len(text)-next:])
	}
}
