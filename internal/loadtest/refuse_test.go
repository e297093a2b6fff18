package loadtest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// liar is a server that answers as Ticklane does, but streams what a test wants.
func liar(t testing.TB, sse, ws http.HandlerFunc) string {
	t.Helper()
	mux := http.NewServeMux()
	answer := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }
	}
	mux.HandleFunc("/api/stats", answer(`{"process":{"cpu_seconds":1,"rss_bytes":1},"log":{"epoch":"ab","head":9,"oldest":1},"lanes":{"sse":{},"ws":{}},"version":"x"}`))
	mux.HandleFunc("/api/symbols", answer(`{"symbols":[{"symbol":"A"}]}`))
	mux.HandleFunc("/api/quotes", answer(snapshotAt(9)))
	mux.HandleFunc("/sse/subscribe", sse)
	mux.HandleFunc("/ws/subscribe", ws)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

// streamOf is an SSE handler that sends a hello, then ticks with these seqs every 5 ms, from the first again at the end
// with the seqs that follow.
func streamOf(step int, seqs ...int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		say := func(id int, text string) {
			fmt.Fprintf(w, "id: ab-%d\ndata: %s\n\n", id, text)
			w.(http.Flusher).Flush()
		}
		say(9, helloAt(9, "none"))
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for base := 9; ; base += step {
			for _, i := range seqs {
				select {
				case <-tick.C:
				case <-r.Context().Done():
					return
				}
				say(base+i, fmt.Sprintf(`{"T":"q","S":"A","t":%d,"n":%d,"i":%d}`, time.Now().UnixMicro(), base+i, base+i))
			}
		}
	}
}

// TestFindsWhatIsWrong: each way of breaking the contract ends as ErrBroken, and voids the latency.
func TestFindsWhatIsWrong(t *testing.T) { patiently(t, testFindsWhatIsWrong) }

func testFindsWhatIsWrong(t testing.TB) {
	for _, c := range []struct {
		name   string
		stream http.HandlerFunc
		wrong  func(counts) bool
	}{
		{"lost", streamOf(5, 1, 2, 4, 5), func(c counts) bool { return c.Lost > 0 && c.Doubled == 0 }},
		{"doubled", streamOf(3, 1, 2, 2, 3), func(c counts) bool { return c.Lost == 0 && c.Doubled > 0 }},
		{"out of order", streamOf(3, 1, 3, 2), func(c counts) bool { return c.Disorder > 0 && c.Doubled == 0 }},
	} {
		o := small(t, liar(t, c.stream, http.NotFound))
		o.Lanes, o.Conns, o.Rounds = []string{"sse"}, 2, 1
		r, err := start(t, t.Context(), o)
		if !errors.Is(err, ErrBroken) || r == nil || r.Status != StatusBroken {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if s := r.Slots[0]; s.Valid || !c.wrong(s.Check) {
			t.Errorf("%s: %+v", c.name, s.Check)
		}
		if r.metric("latency_p50").A.Count != 0 {
			t.Errorf("%s: a latency is reported", c.name)
		}
	}
}

func TestFindsASilentServer(t *testing.T) {
	mute := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "id: ab-9\ndata: %s\n\n", helloAt(9, "none"))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
	o := small(t, liar(t, mute, http.NotFound))
	o.Lanes, o.Conns, o.Rounds = []string{"sse"}, 1, 1
	r, err := start(t, t.Context(), o)
	if !errors.Is(err, ErrInvalid) || r == nil || !strings.Contains(r.Headline, "No tick came") {
		t.Errorf("%v, %+v", err, r)
	}
}

func TestRefusals(t *testing.T) {
	hello := streamOf(1, 1)
	for _, c := range []struct {
		name    string
		lane    string
		handler http.HandlerFunc
		want    string
	}{
		{"no upgrade", "ws", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"detail":"Origin: not from here."}`)
		}, "the upgrade to WebSocket was refused: status 403 Forbidden: Origin: not from here."},
		{"no problem", "ws", http.NotFound, "the upgrade to WebSocket was refused: status 404"},
		{"a wrong key", "ws", func(w http.ResponseWriter, _ *http.Request) { upgradeWrongly(w) }, "Sec-WebSocket-Accept"},
		{"not a stream", "sse", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hi") }, "not text/event-stream"},
		{"another stream", "sse", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprint(w, "data: hi\n\n")
		}, "a message isn't what the contract says"},
		{"ticks without a hello", "sse", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprintf(w, "data: %s\n\n", goldenTick)
		}, "doesn't open with a hello"},
		{"an end before the hello", "sse", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
		}, "the server ended the stream"},
		{"another lane", "sse", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprintf(w, "data: %s\n\n", strings.Replace(helloAt(9, "none"), `"sse"`, `"ws"`, 1))
		}, `asked for lane sse, got "ws"`},
	} {
		sse, ws := hello, c.handler
		if c.lane == "sse" {
			sse, ws = c.handler, http.NotFound
		}
		o := small(t, liar(t, sse, ws))
		o.Lanes, o.Conns = []string{c.lane}, 2
		if r, err := start(t, t.Context(), o); r != nil || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", c.name, err, c.want)
		}
	}
}

func upgradeWrongly(w http.ResponseWriter) {
	nc, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer nc.Close()
	rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\n\r\n")
	rw.Flush()
}

func TestEngineThatTheServerHasNot(t *testing.T) {
	o := small(t, open(t, 100, 10))
	o.Engines = []string{"warp"}
	if r, err := start(t, t.Context(), o); r != nil || err == nil || !strings.Contains(err.Error(), "--engine") {
		t.Errorf("%v", err)
	}
}

func TestNoServer(t *testing.T) {
	const free = "http://127.0.0.1:1" // nobody gets this port unasked
	if r, err := start(t, t.Context(), small(t, free)); r != nil || err == nil || !strings.Contains(err.Error(), "no server answers at "+free) {
		t.Errorf("%v", err)
	}
}

func TestNotTicklane(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"a page":      func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") },
		"other JSON":  func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") },
		"nothing":     http.NotFound,
		"a redirect":  func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) },
		"an own fail": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
	} {
		s := httptest.NewServer(h)
		if r, err := start(t, t.Context(), small(t, s.URL)); r != nil || err == nil || !strings.Contains(err.Error(), "is no Ticklane server") {
			t.Errorf("%s: %v", name, err)
		}
		s.Close()
	}
}

func TestTooFewFiles(t *testing.T) {
	err := needFiles(1 << 40)
	var files *FilesError
	if !errors.As(err, &files) || files.Needed != 1<<40+spareFiles || files.Allowed == 0 {
		t.Fatalf("%v", err)
	}
	for _, part := range []string{"--conns", fmt.Sprint(uint64(1<<40 + spareFiles)), fmt.Sprint(files.Allowed), "ulimit -Hn", "LimitNOFILE", "at most"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q doesn't say %q", err, part)
		}
	}
	o := small(t, "http://127.0.0.1:1")
	if err := o.Check(); err != nil {
		t.Fatal(err)
	}
	o.Conns = 1 << 40
	if _, err := Run(context.Background(), o); !errors.As(err, &files) {
		t.Errorf("Run: %v", err)
	}
}

func TestCheckOptions(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Options)
		want   []string // parts of the error; none: no error
	}{
		{"the standard comparison", func(*Options) {}, nil},
		{"localhost", func(o *Options) { o.URL = "http://localhost:3000/" }, nil},
		{"IPv6 loopback", func(o *Options) { o.URL = "http://[::1]:3000" }, nil},
		{"remote, allowed", func(o *Options) { o.URL, o.AllowRemote = "https://example.com", true }, nil},
		{"remote", func(o *Options) { o.URL = "https://example.com" }, []string{"--url https://example.com: not this machine", "--allow-remote"}},
		{"a remote that looks local", func(o *Options) { o.URL = "http://localhost.example.com" }, []string{"--allow-remote"}},
		{"every address", func(o *Options) { o.URL = "http://0.0.0.0:3000" }, []string{"--allow-remote"}},
		{"not a URL", func(o *Options) { o.URL = "127.0.0.1:3000" }, []string{"--url"}},
		{"another scheme", func(o *Options) { o.URL = "ws://127.0.0.1:3000" }, []string{"--url"}},
		{"settings of a server that runs", func(o *Options) { o.URL, o.Set = "http://127.0.0.1:1", []string{"a=b"} }, []string{"--set"}},
		{"a setting without value", func(o *Options) { o.Set = []string{"market.rate"} }, []string{`--set "market.rate"`}},
		{"everything at once", func(o *Options) {
			o.Lanes, o.Conns, o.Rounds, o.Duration, o.Warmup, o.Ramp = []string{"grpc"}, 0, -1, 0, -1, -time.Second
			o.Encodings, o.Compressions = []string{"xml"}, []string{"brotli"}
			o.Mode, o.Drill, o.Churn, o.SlowReaders, o.Topics = "some", "fire", -1, -1, "A,,B"
		}, []string{"--lane", "--conns 0", "--rounds -1", "--duration 0s", "--warmup", "--ramp", "--mode", `--encoding "xml"`, `--compress "brotli"`, "--drill", "--churn", "--slow-readers", "--topics"}},
		{"three lanes", func(o *Options) { o.Lanes = []string{"sse", "ws", "sse"} }, []string{"--lane"}},
		{"an empty engine", func(o *Options) { o.Engines = []string{""} }, []string{"--engine"}},
		{"a query with a flag's name", func(o *Options) { o.QueryB = "delay=2ms&topics=A" }, []string{"--query-b: topics"}},
		{"a broken query", func(o *Options) { o.QueryA = "a=%zz" }, []string{"--query-a"}},
		{"resume of what is conflated", func(o *Options) { o.Drill, o.Mode = DrillResume, "latest" }, []string{"--mode latest"}},
		{"a drill with churn", func(o *Options) { o.Drill, o.Churn = DrillStorm, 1 }, []string{"--drill storm"}},
	} {
		o := DefaultOptions()
		o.Serve = []string{"ticklane"}
		c.change(&o)
		err := o.Check()
		if (err == nil) != (len(c.want) == 0) {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for _, part := range c.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q doesn't say %q", c.name, err, part)
			}
		}
	}
}

func TestSides(t *testing.T) {
	for _, c := range []struct {
		name         string
		lanes        []string
		engines      []string
		queryB       string
		sides        string
		same         bool
		second, last string // parts of the last side's path
	}{
		{"two lanes", []string{"sse", "ws"}, nil, "", "SSE|WebSocket", false, "/ws/subscribe?", "mode=all"},
		{"one lane", []string{"ws"}, nil, "", "WebSocket", false, "/ws/subscribe?", "topics=%2A"},
		{"A/A", []string{"sse", "sse"}, nil, "", "SSE A|SSE B", true, "/sse/subscribe?", "user=load"},
		{"a planted delay", []string{"sse"}, nil, "delay=2ms", "SSE A|SSE B", false, "/sse/subscribe?", "delay=2ms"},
		{"two engines", []string{"sse"}, []string{"stream", "shard"}, "", "SSE stream|SSE shard", false, "/sse/subscribe?", "mode=all"},
		{"both", []string{"sse", "ws"}, []string{"shard", "stream"}, "", "SSE shard|WebSocket stream", false, "/ws/subscribe?", "mode=all"},
	} {
		o := DefaultOptions()
		o.Serve, o.Lanes, o.Engines, o.QueryB = []string{"x"}, c.lanes, c.engines, c.queryB
		if err := o.Check(); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var names []string
		for _, s := range o.sides {
			names = append(names, s.Name)
		}
		last := o.sides[len(o.sides)-1].path("")
		if got := strings.Join(names, "|"); got != c.sides || o.same() != c.same || !strings.Contains(last, c.second) || !strings.Contains(last, c.last) {
			t.Errorf("%s: %s, same %v, %s", c.name, got, o.same(), last)
		}
	}
}
