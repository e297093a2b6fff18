package loadtest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"ticklane/handlers"
	"ticklane/internal/bus"
	"ticklane/internal/history"
	"ticklane/internal/market"
	"ticklane/internal/stream"
)

// times are so many durations of first, first+1, … ms.
func times(first, n int) []time.Duration {
	all := make([]time.Duration, n)
	for k := range all {
		all[k] = time.Duration(first+k) * time.Millisecond
	}
	return all
}

// patience bounds every wait: reached only when something is broken.
const patience = time.Minute

// house is a whole server with a steady market.
type house struct {
	addr string
	stop func()
}

func build(rate float64, most int, engine, compress string, lab *handlers.Lab) (*house, error) {
	sim, err := market.NewSimulator(market.Options{Seed: 1, Rate: rate, Symbols: 20, Arrivals: market.Steady})
	if err != nil {
		return nil, err
	}
	u := sim.Universe()
	past, err := history.New(u, 100)
	if err != nil {
		return nil, err
	}
	feed := bus.NewLocal(u.Len())
	log, err := stream.New(stream.Config{Universe: u, Epoch: feed.Epoch(), Size: 1 << 17, Compress: compress, MaxSharedEncoders: 16, CompressBudget: time.Hour})
	if err != nil {
		return nil, err
	}
	feed.Attach(past.Add)
	feed.Attach(log.Append)
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server, err := handlers.New(handlers.Deps{
		Lab: lab,
		Settings: handlers.Settings{Addr: "127.0.0.1:0", Engine: engine, ReadTimeout: patience, IdleTimeout: patience, WriteTimeout: patience,
			Interval: 50 * time.Millisecond, MaxStreams: most, MaxPerAddress: most, MaxTopics: 100, MessageSize: 4096, MessageRate: 10,
			MessageBurst: 20, HeaderSize: 8192, BodySize: 65536},
		Listener: ln, Stream: log, History: past, Feed: handlers.FeedInfo{Source: "simulator", Seed: 1, Timed: true}, Files: slim(),
		Logger: slog.New(slog.DiscardHandler), Version: "test", Metrics: func(*handlers.Server) http.Handler { return http.NotFoundHandler() },
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	var parts sync.WaitGroup
	parts.Go(func() { server.Serve() })
	parts.Go(func() { sim.Run(ctx, feed.Publish) })
	return &house{addr: "http://" + ln.Addr().String(), stop: func() {
		limit, done := context.WithTimeout(context.Background(), patience)
		defer done()
		server.Shutdown(limit)
		cancel()
		parts.Wait()
		log.Close()
	}}, nil
}

func open(t testing.TB, rate float64, most int) string {
	t.Helper()
	return furnish(t, rate, most, stream.CompressOff, nil)
}

// openLab is a server whose lab lets each stream choose its engine and its compression.
func openLab(t testing.TB, rate float64) string {
	t.Helper()
	return furnish(t, rate, 1000, stream.CompressAuto, &handlers.Lab{})
}

func furnish(t testing.TB, rate float64, most int, compress string, lab *handlers.Lab) string {
	t.Helper()
	h, err := build(rate, most, "stream", compress, lab)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.stop)
	return h.addr
}

// slim is the least of files that a server starts with.
func slim() fstest.MapFS {
	all := fstest.MapFS{}
	root := os.DirFS("../..")
	var add func(dir string)
	add = func(dir string) {
		entries, err := os.ReadDir("../../" + dir)
		if err != nil {
			panic(err)
		}
		for _, e := range entries {
			name := dir + "/" + e.Name()
			if e.IsDir() {
				if name != "public/assets" {
					add(name)
				}
				continue
			}
			f, err := root.Open(name)
			if err != nil {
				panic(err)
			}
			b, err := io.ReadAll(f)
			f.Close()
			if err != nil {
				panic(err)
			}
			all[name] = &fstest.MapFile{Data: b}
		}
	}
	add("views")
	add("public")
	return all
}

// serveForTest is a server process: it takes the arguments that ticklane serve gets, as far as they matter here.
func serveForTest(args []string) int {
	rate, engine, compress := 100.0, "stream", stream.CompressOff
	for _, a := range args {
		if v, ok := strings.CutPrefix(a, "--market.rate="); ok {
			rate, _ = strconv.ParseFloat(v, 64)
		}
		if v, ok := strings.CutPrefix(a, "--stream.engine="); ok {
			engine = v
		}
		if v, ok := strings.CutPrefix(a, "--stream.compress="); ok {
			compress = v
		}
		if strings.HasPrefix(a, "--bad") {
			fmt.Fprintln(os.Stderr, "unknown key bad")
			return 2
		}
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	h, err := build(rate, 5000, engine, compress, nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Printf("Ticklane test serves on %s\n", h.addr)
	<-signals
	h.stop()
	return 0
}

// orphanForTest starts a server as a slot does, tells its process and waits for the end of either.
func orphanForTest() int {
	o := DefaultOptions()
	o.Serve = os.Args[:1]
	s, err := startServer(context.Background(), &o, nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(s.cmd.Process.Pid)
	<-s.done
	return 0
}

// small is a comparison of a second or two, or of more in a later attempt.
func small(t testing.TB, url string) Options {
	t.Helper()
	o := DefaultOptions()
	o.URL, o.Out = url, ""
	o.Conns, o.Rounds, o.Duration, o.Warmup, o.Ramp = 8, 2, 150*stretched(t), 20*stretched(t), 20*time.Millisecond
	return o
}

// start checks and runs; the report is nil when there is none.
func start(t testing.TB, ctx context.Context, o Options) (*Report, error) {
	t.Helper()
	if err := o.Check(); err != nil {
		t.Fatal(err)
	}
	return Run(ctx, o)
}

// calm takes away the reasons that a busy machine gives: what is left is the server's or the tool's.
func calm(t testing.TB, r *Report) {
	t.Helper()
	for _, s := range r.Slots {
		if s.Check.broken() {
			hard(t).Errorf("round %d, %s: %s", s.Round, s.Side, s.Check.wrong())
		}
		for _, why := range rest(s.Reasons) {
			t.Errorf("round %d, %s: %s", s.Round, s.Side, why)
		}
	}
	for _, d := range r.Drills {
		if d.Check.broken() {
			hard(t).Errorf("drill %s: %s", d.Name, d.Check.wrong())
		}
		for _, why := range rest(d.Reasons) {
			t.Errorf("drill %s: %s", d.Name, why)
		}
	}
}

// rest leaves out what a busy machine explains: that it is one, and that ticks came late on it.
func rest(reasons []string) (left []string) {
	busy := slices.ContainsFunc(reasons, func(why string) bool { return strings.Contains(why, "bottleneck") })
	for _, why := range reasons {
		if !strings.Contains(why, "bottleneck") && !(busy && strings.Contains(why, "had not come")) {
			left = append(left, why)
		}
	}
	return left
}
