package loadtest

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"ticklane/internal/loadtest/report"
	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

func TestDrillResume(t *testing.T) {
	for _, c := range []struct {
		name     string
		variants []string
	}{{"json", []string{"sse", "ws"}}, {"protobuf", []string{"ws+protobuf"}}} {
		o := smallOptions(t, startTestServer(t, 2000, 1000))
		o.Variants, o.Drill, o.Cuts, o.Duration = c.variants, report.DrillResume, 60, 0
		for _, d := range mustRun(t, o).Drills {
			if d.Cuts != 60 || d.Check != (report.Check{}) || d.Resumed < 30 || d.Resumed+d.Early+d.Anew != d.Cuts || d.Replayed == 0 || d.WithGap != 0 ||
				d.Reconnect == nil || d.CatchUp == nil {
				t.Errorf("%s, %s: %+v", c.name, d.Name, d)
			}
		}
	}
}

// TestDrillResumeSurvivesTheServer: connections of a running server that end otherwise than by the drill are resumed, too.
func TestDrillResumeSurvivesTheServer(t *testing.T) {
	t.Parallel()
	server := &testServer{rate: 200, maxStreams: 1000, engine: "stream", compress: stream.CompressOff}
	o := smallOptions(t, startServerFor(t, server))
	o.Drill, o.Cuts, o.Lanes = report.DrillResume, 100, []string{"ws"}
	ending := time.NewTicker(20 * time.Millisecond)
	defer ending.Stop()
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		for rounds := 0; rounds < 10; {
			select {
			case <-ending.C:
				if server.log.Lane(wire.WS).Opened > 14 { // all are open, and were cut
					server.log.End(wire.ByeShutdown)
					rounds++
				}
			case <-ended:
				return
			}
		}
	}()
	for _, d := range mustRun(t, o).Drills {
		if d.Cuts < 100 || d.Ended == 0 || d.Check != (report.Check{}) || d.Resumed+d.Early+d.Anew != d.Cuts {
			t.Errorf("%s: %+v", d.Name, d)
		}
	}
}

// TestDrillResumeDuration: a drill goes on cutting after its cuts until the duration has passed.
func TestDrillResumeDuration(t *testing.T) {
	t.Parallel()
	o := smallOptions(t, startTestServer(t, 500, 1000))
	o.Drill, o.Cuts, o.Duration, o.Lanes = report.DrillResume, 1, 700*time.Millisecond, []string{"sse"}
	for _, d := range mustRun(t, o).Drills {
		if d.Cuts < 10 || d.Seconds < 0.7 || d.Check != (report.Check{}) {
			t.Errorf("%s: %+v", d.Name, d)
		}
	}
}

// TestDrillStorm runs the storm with room for all clients, and with a limit that refuses some of them until the server has
// noticed the cuts.
func TestDrillStorm(t *testing.T) {
	for _, c := range []struct {
		rate              float64
		conns, maxStreams int
	}{{1000, 40, 1000}, {50, 20, 21}} {
		o := smallOptions(t, startTestServer(t, c.rate, c.maxStreams))
		o.Drill, o.Conns = report.DrillStorm, c.conns
		for _, d := range mustRun(t, o).Drills {
			if d.Cuts != c.conns || d.Reconnect == nil || d.Reconnect.Count != c.conns || d.Check != (report.Check{}) {
				t.Errorf("limit %d, %s: %+v", c.maxStreams, d.Name, d)
			}
		}
	}
}

func TestDrillSlow(t *testing.T) {
	t.Parallel()
	o := smallOptions(t, startTestServer(t, 500, 1000))
	o.Drill, o.Conns = report.DrillSlow, 20
	for _, d := range mustRun(t, o).Drills {
		if len(d.Phases) != 3 || d.Stalled == nil || d.Stalled.Connections != 2 || d.Check != (report.Check{}) {
			t.Errorf("%s: %+v", d.Name, d)
		}
		for _, p := range d.Phases {
			if p.Latency.Count == 0 {
				t.Errorf("%s, phase %s: no ticks", d.Name, p.Name)
			}
		}
	}
}

// startForgetfulProxy starts a proxy that removes the positions of clients that resume.
func startForgetfulProxy(t testing.TB, to string) string {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	p := &httputil.ReverseProxy{FlushInterval: -1, ErrorLog: log.New(io.Discard, "", 0), Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(u)
		r.Out.Header.Del("Last-Event-ID")
	}}
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	return s.URL
}

// TestIgnoredPositionsAreLosses: a client that resumes and starts at the head has lost the ticks between.
func TestIgnoredPositionsAreLosses(t *testing.T) {
	proxy := startForgetfulProxy(t, startTestServer(t, 2000, 1000))
	for name, change := range map[string]func(*Options){
		"drill resume": func(o *Options) { o.Drill, o.Cuts = report.DrillResume, 40 },
		"drill storm":  func(o *Options) { o.Drill = report.DrillStorm },
		"churn":        func(o *Options) { o.Churn, o.Rounds = 100, 1 },
		"filtered":     func(o *Options) { o.Drill, o.Cuts, o.Topics = report.DrillResume, 40, "sector:technology" },
	} {
		o := smallOptions(t, proxy)
		o.Lanes = []string{"sse"}
		change(&o)
		r, err := run(t, o)
		if !errors.Is(err, ErrBroken) || r == nil || r.Status != report.StatusBroken || !strings.Contains(err.Error(), "positions ignored") {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var ignored, lost uint64
		for _, d := range r.Drills {
			ignored, lost = ignored+d.Check.Ignored, lost+d.Check.Lost
			if d.Valid {
				t.Errorf("%s: the drill is valid", name)
			}
		}
		for _, w := range r.Windows {
			ignored, lost = ignored+w.Check.Ignored, lost+w.Check.Lost
		}
		// In a storm there may have been no tick before all had reconnected.
		if ignored == 0 || lost == 0 && o.Drill != report.DrillStorm {
			t.Errorf("%s: %d ignored, %d lost", name, ignored, lost)
		}
	}
}

// TestResetInvalidatesADrill: a client that resumes in another log received a reset, but shows nothing about resuming.
func TestResetInvalidatesADrill(t *testing.T) {
	o := smallOptions(t, startFakeServer(t, func(w http.ResponseWriter, r *http.Request) {
		s := newFakeStream(w, r, time.Millisecond)
		defer s.close()
		resume := "none"
		if r.Header.Get("Last-Event-ID") != "" {
			s.epoch, resume = "cd", "reset"
		}
		s.hello(9, resume)
		for seq := 10; s.tick(seq); seq++ {
		}
	}))
	o.Lanes, o.Conns, o.Drill, o.Cuts, o.Duration = []string{"sse"}, 1, report.DrillResume, 1, 0
	r, err := run(t, o)
	if !errors.Is(err, ErrInvalid) || r == nil || r.Drills[0].Valid || r.Drills[0].Check != (report.Check{Resets: 1}) ||
		!strings.Contains(err.Error(), "1 of 1 reconnects did not continue the stream: 1 in another log (reset)") {
		t.Errorf("%v", err)
	}
}
