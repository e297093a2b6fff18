package loadtest

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ticklane/handlers"
	"ticklane/internal/auth"
	"ticklane/internal/bus"
	"ticklane/internal/history"
	"ticklane/internal/market"
	"ticklane/internal/stream"
	"ticklane/internal/testkit/testserver"
)

// serverTimeout is longer than any wait of a healthy test.
const serverTimeout = time.Minute

// testServer is a whole server with a steady market of 60 symbols, whose snapshot is larger than maxCutAfter.
type testServer struct {
	rate       float64 // ticks/s
	maxStreams int
	engine     string
	compress   string
	lab        *handlers.Lab
	auth       auth.Authenticator // nil for none

	url  string
	log  *stream.Log
	stop func()
}

func (s *testServer) start() error {
	sim, err := market.NewSimulator(market.Options{Seed: 1, Rate: s.rate, Symbols: 60, Arrivals: market.Steady})
	if err != nil {
		return err
	}
	universe := sim.Universe()
	bars, err := history.New(universe, 100)
	if err != nil {
		return err
	}
	feed := bus.NewLocal(universe.Len())
	log, err := stream.New(stream.Config{Universe: universe, Epoch: feed.Epoch(), Size: 1 << 17, Compress: s.compress, MaxSharedEncoders: 16, CompressBudget: time.Hour})
	if err != nil {
		return err
	}
	feed.Attach(bars.Add)
	feed.Attach(log.Append)
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server, err := handlers.New(handlers.Deps{
		Lab: s.lab, Auth: s.auth,
		Settings: handlers.Settings{Addr: "127.0.0.1:0", Engine: s.engine, ReadTimeout: serverTimeout, IdleTimeout: serverTimeout, WriteTimeout: serverTimeout,
			Interval: 50 * time.Millisecond, MaxStreams: s.maxStreams, MaxPerAddress: s.maxStreams, MaxTopics: 100, MessageSize: 4096, MessageRate: 10,
			MessageBurst: 20, HeaderSize: 8192, BodySize: 65536},
		Listener: ln, Stream: log, History: bars, Feed: handlers.FeedInfo{Source: "simulator", Seed: 1, Timed: true}, Files: testserver.Files(),
		Logger: slog.New(slog.DiscardHandler), Version: "test", Metrics: func(*handlers.Server) http.Handler { return http.NotFoundHandler() },
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { server.Serve() })
	running.Go(func() { sim.Run(ctx, feed.Publish) })
	s.url, s.log = "http://"+ln.Addr().String(), log
	s.stop = func() {
		limit, done := context.WithTimeout(context.Background(), serverTimeout)
		defer done()
		server.Shutdown(limit)
		cancel()
		running.Wait()
		log.Close()
	}
	return nil
}

// startTestServer starts a server without compression and returns its URL.
func startTestServer(t *testing.T, rate float64, maxStreams int) string {
	t.Helper()
	return startServerFor(t, &testServer{rate: rate, maxStreams: maxStreams, engine: "stream", compress: stream.CompressOff})
}

func startServerFor(t *testing.T, s *testServer) string {
	t.Helper()
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	return s.url
}

// serveProcess is the main function of a server process. It accepts the arguments of ticklane serve and uses some of them.
func serveProcess(args []string) int {
	s := testServer{rate: 100, maxStreams: 5000, engine: "stream", compress: stream.CompressOff}
	for _, a := range args {
		if v, ok := strings.CutPrefix(a, "--market.rate="); ok {
			s.rate, _ = strconv.ParseFloat(v, 64)
		}
		if v, ok := strings.CutPrefix(a, "--stream.engine="); ok {
			s.engine = v
		}
		if v, ok := strings.CutPrefix(a, "--stream.compress="); ok {
			s.compress = v
		}
		if strings.HasPrefix(a, "--bad") {
			fmt.Fprintln(os.Stderr, "unknown key bad")
			return 2
		}
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if err := s.start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Printf("Ticklane test serves on %s\n", s.url)
	<-signals
	s.stop()
	return 0
}

// orphanProcess is the main function of a load tester that a test kills. It starts a server and prints its process id.
func orphanProcess() int {
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

// reachProcess is the main function of a process that prints whether it can measure the server at an address.
func reachProcess(address string) int {
	t, err := newTarget(context.Background(), address, "*", "")
	if err != nil {
		fmt.Println(err)
		return 0
	}
	t.close()
	fmt.Println("reached")
	return 0
}
