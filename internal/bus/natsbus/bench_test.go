package natsbus_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ticklane/internal/bus"
	"ticklane/internal/bus/bustest"
	"ticklane/internal/bus/natsbus"
	"ticklane/internal/quote"
	"ticklane/internal/testkit/natstest"
)

// follow attaches a sink and starts Run.
func follow(b *testing.B, n bus.Bus, sink bus.Sink) func() {
	n.Attach(sink)
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		if err := n.Run(ctx); err != nil {
			b.Error(err)
		}
	})
	return func() {
		cancel()
		done.Wait()
	}
}

// lead starts Lead and returns its publish function.
func lead(b *testing.B, n bus.Bus) (publish func([]quote.Tick), stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	got := make(chan func([]quote.Tick))
	var done sync.WaitGroup
	done.Go(func() {
		err := n.Lead(ctx, func(ctx context.Context, _ bus.State, publish func([]quote.Tick)) error {
			got <- publish
			<-ctx.Done()
			return nil
		})
		if err != nil {
			b.Error(err)
		}
	})
	return <-got, func() {
		cancel()
		done.Wait()
	}
}

// kinds are the buses that are compared. The external servers are in this process, but are reached by TCP; with NATS_URL they are
// those at that address.
func kinds(b *testing.B) map[string]func(prefix string) natsbus.Options {
	external := func(url string, replicas int) func(string) natsbus.Options {
		return func(string) natsbus.Options { return natsbus.Options{URL: url, Replicas: replicas} }
	}
	embedded := func(sync bool) func(string) natsbus.Options {
		dir := b.TempDir()
		return func(prefix string) natsbus.Options {
			return natsbus.Options{Dir: filepath.Join(dir, prefix), SyncAlways: sync}
		}
	}
	before := func(options func(string) natsbus.Options) func(string) natsbus.Options {
		return func(prefix string) natsbus.Options {
			o := options(prefix)
			o.Ack = natsbus.AckBefore
			return o
		}
	}
	m := map[string]func(string) natsbus.Options{"memory": nil, "embedded": embedded(false), "embedded,sync": embedded(true)}
	if url := os.Getenv("NATS_URL"); url != "" {
		m["external"], m["external,before"] = external(url, 1), before(external(url, 1))
		if os.Getenv("NATS_REPLICAS") != "" {
			m["external,3 replicas"] = external(url, 3)
		}
		return m
	}
	url := natstest.New(b, nil).URL()
	m["external"], m["external,before"] = external(url, 1), before(external(url, 1))
	m["external,sync"] = external(natstest.New(b, func(o *server.Options) { o.SyncAlways = true }).URL(), 1)
	m["external,3 replicas"] = external(natstest.NewCluster(b, 3).URL(), 3)
	return m
}

var prefixes atomic.Int64

// each runs a benchmark on each kind. open opens a node of it, whose log has a number of ticks.
func each(b *testing.B, run func(b *testing.B, open func(logSize int) bus.Bus)) {
	all := kinds(b)
	for _, kind := range []string{"memory", "embedded", "embedded,sync", "external", "external,before", "external,sync", "external,3 replicas"} {
		options, ok := all[kind]
		if !ok {
			continue
		}
		b.Run(kind, func(b *testing.B) {
			prefix := fmt.Sprintf("bench%d", prefixes.Add(1))
			run(b, func(logSize int) bus.Bus {
				if options == nil {
					return bus.NewLocal(bustest.Universe(b).Limit())
				}
				o := options(prefix)
				o.Universe, o.Events, o.LogSize, o.Prefix = bustest.Universe(b), quote.NewEvents(logSize), logSize, prefix
				o.Name, o.Lead, o.MaxBytes, o.Logger = "node", true, 100<<20, slog.New(slog.DiscardHandler)
				n, err := natsbus.Open(context.Background(), o)
				if err != nil {
					b.Fatal(err)
				}
				return n
			})
		})
	}
}

func shut(n bus.Bus) {
	if n, ok := n.(*natsbus.Bus); ok {
		n.Close()
	}
}

// BenchmarkLatency publishes single ticks, 1000 a second: the time until the writer's own sinks have them.
func BenchmarkLatency(b *testing.B) {
	each(b, func(b *testing.B, open func(int) bus.Bus) {
		n := open(bustest.LogSize)
		defer shut(n)
		var got atomic.Int64
		took := make([]time.Duration, 0, b.N)
		stop := follow(b, n, func(ticks []quote.Tick) {
			now := time.Now().UnixNano()
			for i := range ticks {
				took = append(took, time.Duration(now-ticks[i].Received*1000))
			}
			got.Add(int64(len(ticks)))
		})
		publish, end := lead(b, n)
		b.ResetTimer()
		next := time.Now()
		for i := range b.N {
			next = next.Add(time.Millisecond)
			time.Sleep(time.Until(next))
			at := time.Now().UnixMicro()
			publish([]quote.Tick{{Symbol: quote.ID(i % 4), Due: at, Received: at, Last: 100, Bid: 99, Ask: 101}})
		}
		wait(&got, b.N)
		b.StopTimer()
		end()
		stop()
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		b.ReportMetric(0, "ns/op")
	})
}

// BenchmarkPublish publishes ticks as fast as they are taken, 10 at a time, until the writer's sinks have them.
func BenchmarkPublish(b *testing.B) {
	each(b, func(b *testing.B, open func(int) bus.Bus) {
		n := open(bustest.LogSize)
		defer shut(n)
		var got atomic.Int64
		stop := follow(b, n, func(ticks []quote.Tick) { got.Add(int64(len(ticks))) })
		publish, end := lead(b, n)
		b.ResetTimer()
		publishAll(publish, b.N)
		wait(&got, b.N)
		b.StopTimer()
		end()
		stop()
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ticks/s")
	})
}

func publishAll(publish func([]quote.Tick), n int) {
	var batch [10]quote.Tick
	for i := 0; i < n; i += len(batch) {
		some := batch[:min(len(batch), n-i)]
		for k := range some {
			some[k] = quote.Tick{Symbol: quote.ID((i + k) % 4), Due: int64(i), Received: int64(i), Last: quote.Price(100 + i%7), Bid: 99, Ask: 110}
		}
		publish(some)
	}
}

// BenchmarkCatchUp opens a node on a stream that has the ticks, and reads them all.
func BenchmarkCatchUp(b *testing.B) {
	each(b, func(b *testing.B, open func(int) bus.Bus) {
		n := open(bustest.LogSize)
		if _, local := n.(*bus.Local); local {
			b.Skip("nothing to read")
		}
		var got atomic.Int64
		count := func(ticks []quote.Tick) { got.Add(int64(len(ticks))) }
		stop := follow(b, n, count)
		publish, end := lead(b, n)
		publishAll(publish, b.N)
		wait(&got, b.N)
		end()
		stop()
		shut(n)
		got.Store(0)
		b.ResetTimer()
		n = open(b.N)
		stop = follow(b, n, count)
		wait(&got, b.N)
		b.StopTimer()
		stop()
		shut(n)
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ticks/s")
	})
}

// BenchmarkReaders delivers messages of one tick to many readers of one server. The clients are in the same process.
func BenchmarkReaders(b *testing.B) {
	for _, readers := range []int{1, 10, 100, 500} {
		b.Run(fmt.Sprint(readers), func(b *testing.B) {
			server := natstest.New(b, nil)
			o := natsbus.Options{
				Name: "writer", URL: server.URL(), Lead: true, MaxBytes: 100 << 20, Logger: slog.New(slog.DiscardHandler),
				Log: natsbus.Log{LogSize: bustest.LogSize, Universe: bustest.Universe(b), Events: quote.NewEvents(bustest.LogSize)},
			}
			n, err := natsbus.Open(context.Background(), o)
			if err != nil {
				b.Fatal(err)
			}
			defer n.Close()
			stop := follow(b, n, func([]quote.Tick) {})
			publish, end := lead(b, n)
			var got atomic.Int64
			for range readers {
				conn, err := nats.Connect(server.URL())
				if err != nil {
					b.Fatal(err)
				}
				defer conn.Close()
				js, err := jetstream.New(conn)
				if err != nil {
					b.Fatal(err)
				}
				c, err := js.OrderedConsumer(b.Context(), "ticklane_ticks", jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverNewPolicy})
				if err != nil {
					b.Fatal(err)
				}
				reading, err := c.Consume(func(jetstream.Msg) { got.Add(1) })
				if err != nil {
					b.Fatal(err)
				}
				defer reading.Stop()
			}
			b.ResetTimer()
			for i := range b.N {
				publish([]quote.Tick{{Symbol: quote.ID(i % 4), Due: int64(i), Received: int64(i), Last: 100, Bid: 99, Ask: 110}})
				for i > 100 && int(got.Load()) < readers*(i-100)/2 { // messages stay small
					time.Sleep(100 * time.Microsecond)
				}
			}
			for prev := int64(-1); got.Load() != prev; time.Sleep(200 * time.Millisecond) {
				prev = got.Load()
			}
			b.StopTimer()
			end()
			stop()
			b.ReportMetric(float64(got.Load())/b.Elapsed().Seconds(), "messages/s")
		})
	}
}

func wait(got *atomic.Int64, n int) {
	for int(got.Load()) < n {
		time.Sleep(time.Millisecond)
	}
}
