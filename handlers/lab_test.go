package handlers_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ticklane/handlers"
	"ticklane/internal/stream"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
	"ticklane/internal/wire/wiretest"
)

func drill(srv *testserver.Server, action string, c *testserver.Client) {
	srv.Helper()
	if a, text := srv.Post("/api/lab/drill", `{"action":"`+action+`","conns":["`+c.Hello.Conn+`"]}`); a.Status != 200 {
		srv.Fatalf("drill %s: status %d: %s", action, a.Status, text)
	}
}

func TestLabIsOffByDefault(t *testing.T) {
	srv := newTestServer(t, testserver.Options{})
	if c, text := srv.Post("/api/lab/drill", `{}`); c.Status != 404 {
		t.Errorf("drill: status %d: %s", c.Status, text)
	}
	for _, parameter := range []string{"delay=1ms", "compress=on", "engine=shard"} {
		if c, text := srv.Get("/sse/subscribe?" + parameter); c.Status != 400 || !strings.Contains(text, "lab.enabled") {
			t.Errorf("%s: status %d: %s", parameter, c.Status, text)
		}
	}
}

func TestLabRefusesInvalidRequests(t *testing.T) {
	srv := newLabServer(t)
	for _, x := range []struct {
		path, body string
		status     int
		detail     string
	}{
		{"/api/lab/drill", `{"action":"explode","conns":["x"]}`, 400, "action"},
		{"/api/lab/drill", `{"action":"cut"}`, 400, "conns"},
		{"/api/lab/drill", `{"action":"cut","conns":["none"]}`, 404, "conns"},
		{"/api/lab/drill", `{`, 400, "body"},
		{"/api/lab/drill", `{"Action":"cut","conns":["x"]}`, 400, "Action: unknown member; did you mean action?"},
		{"/api/lab/rate", `{"rate":5,"rate":6}`, 400, "rate: given twice"},
		{"/api/lab/background", `{"sse":1,"wss":1}`, 400, "wss: unknown member; did you mean ws?"},
		{"/api/lab/rate", `{"rate":5}`, 409, "rate"},
		{"/api/lab/background", `{"sse":-1}`, 400, "sse"},
		{"/api/lab/background", `{"ws":2001}`, 400, "ws"},
	} {
		if c, text := srv.Post(x.path, x.body); c.Status != x.status || !strings.Contains(text, x.detail) {
			t.Errorf("%s %s: status %d: %s", x.path, x.body, c.Status, text)
		}
	}
	if c, text := srv.Get("/sse/subscribe?engine=turbo"); c.Status != 400 || !strings.Contains(text, "engine") {
		t.Errorf("engine: status %d: %s", c.Status, text)
	}
	if c, text := srv.Get("/ws/subscribe?engine=turbo"); c.Status != 400 || !strings.Contains(text, "engine") {
		t.Errorf("engine: status %d: %s", c.Status, text)
	}
}

// TestLabRateThatCannotBeShared: the answer doesn't say that the rate is invalid.
func TestLabRateThatCannotBeShared(t *testing.T) {
	srv := newTestServer(t, testserver.Options{Deps: func(d *handlers.Deps) {
		d.Lab = &handlers.Lab{SetRate: func(float64) error { return fmt.Errorf("%w: no connection", handlers.ErrUnavailable) }}
	}})
	if c, text := srv.Post("/api/lab/rate", `{"rate":5}`); c.Status != 503 || c.Header.Get("Retry-After") != "1" || !strings.Contains(text, "other servers") {
		t.Errorf("status %d: %s", c.Status, text)
	}
}

// TestLabReportsBothInvalidCounts checks that the order of the fields is the same in each response.
func TestLabReportsBothInvalidCounts(t *testing.T) {
	srv := newLabServer(t)
	const want = `"parameter":"sse","errors":[{"parameter":"sse","detail":"want 0 to 2000 clients"},{"parameter":"ws","detail":"want 0 to 2000 clients"}]`
	for range 20 {
		if c, text := srv.Post("/api/lab/background", `{"ws":2001,"sse":-1}`); c.Status != 400 || !strings.Contains(text, want) {
			t.Fatalf("status %d: %s; want %s", c.Status, text, want)
		}
	}
}

func TestDrillCutLosesNothing(t *testing.T) {
	onLanes(t, testserver.Options{Deps: withLab}, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		c := srv.Stream(lane, "user=me&snapshot=false")
		srv.Publish(3)
		c.WaitFor("q")
		drill(srv, "cut", c)
		if _, err := c.ReadAll(); err == nil || errors.Is(err, io.EOF) && lane == wire.WS {
			t.Errorf("a cut stream ended with %v", err)
		}
		again := srv.ResumeStream(lane, c.Hello.Epoch+"-1", "user=me&limit=2", true)
		if again.Hello.Resume != wire.ResumeComplete || again.Want("q").I != 2 {
			t.Errorf("after the cut: %s", again.Hello.Text)
		}
	})
}

func TestDrillEndSendsNoBye(t *testing.T) {
	onLanes(t, testserver.Options{Deps: withLab}, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		c := srv.Stream(lane, "snapshot=false")
		drill(srv, "end", c)
		var got []wiretest.Message
		if lane == wire.WS {
			got = c.WantClose(wire.CloseGoingAway)
		} else {
			var err error
			if got, err = c.ReadAll(); !errors.Is(err, io.EOF) {
				t.Errorf("the stream ended with %v", err)
			}
		}
		if len(got) > 0 {
			t.Errorf("%d messages before the end: %s", len(got), got[0].Text)
		}
	})
}

func TestDrillAnswersTheNextRequestOnce(t *testing.T) {
	onLanes(t, testserver.Options{Deps: withLab}, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		if c, text := srv.Post("/api/lab/drill", `{"action":"204","conns":["`+srv.Stream(lane, "").Hello.Conn+`"]}`); c.Status != 400 {
			t.Errorf("a drill that could hit another client: status %d: %s", c.Status, text)
		}
		for action, status := range map[string]int{"503": 503, "204": 204} {
			c := srv.Stream(lane, "user=me")
			drill(srv, action, c)
			other := srv.Stream(lane, "user=other")
			other.Cut(false)
			again := srv.Dial()
			lines := []string{"Accept: text/event-stream"}
			if lane == wire.WS {
				lines = testserver.Upgrade
			}
			if again.Request("GET", "/"+lane.String()+"/subscribe?user=me", lines...); again.Status != status {
				t.Errorf("%s: status %d", action, again.Status)
			}
			srv.Stream(lane, "user=me").Cut(true)
		}
	})
}

func TestDrillEpochResets(t *testing.T) {
	onLanes(t, testserver.Options{Deps: withLab}, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		srv.Publish(5)
		c := srv.Stream(lane, "user=me")
		drill(srv, "epoch", c)
		again := srv.ResumeStream(lane, c.Hello.Epoch+"-3", "user=me", true)
		if again.Hello.Resume != wire.ResumeReset {
			t.Errorf("after another epoch: %s", again.Hello.Text)
		}
		again.Want("snapshot")
	})
}

// TestDrillsHoldBytesBackAndLoseNone runs the faults that take long over real connections; package fault has their timing.
func TestDrillsHoldBytesBackAndLoseNone(t *testing.T) {
	actions := []string{"slow"}
	if testkit.Stress() {
		actions = append(actions, "buffer", "stall")
	}
	onLanes(t, testserver.Options{Deps: withLab}, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		for _, action := range actions {
			c := srv.Stream(lane, "snapshot=false")
			start, from := time.Now(), c.Hello.Head
			drill(srv, action, c)
			ticks := 60 // 9 KB of JSON, twice what the slow fault passes in a second
			if srv.Subprotocol == protobuf {
				ticks = 250
			}
			srv.Publish(ticks)
			stop := srv.PublishRate(20)
			for i := range uint64(ticks) {
				if m := c.WaitFor("q"); m.I != from+i+1 {
					t.Fatalf("%s: i %d after %d", action, m.I, from+i)
				}
			}
			stop()
			if took := time.Since(start); took < time.Second {
				t.Errorf("%s: %d ticks arrived after %v", action, ticks, took)
			}
			c.Cut(true)
		}
	})
}

func TestPlantedDelay(t *testing.T) {
	onLanes(t, testserver.Options{Deps: withLab}, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		const planted = 50 * time.Millisecond
		c := srv.Stream(lane, "delay="+planted.String())
		c.Want("snapshot")
		for range 5 {
			start := time.Now()
			srv.Publish(1)
			c.Want("q")
			if took := time.Since(start); took < planted {
				t.Errorf("a tick came after %v, before the planted %v", took, planted)
			}
		}
	})
}

// TestLabChoosesCompression checks compress=on and off among clients that all offer to inflate: each overrides the server's
// choice for its own stream only.
func TestLabChoosesCompression(t *testing.T) {
	packed := func(c *testserver.Client) bool {
		return c.Header.Get("Content-Encoding") == "gzip" || c.Header.Get("Sec-WebSocket-Extensions") != "" && c.Frames.Compressed > 0
	}
	for when, other := range map[string]bool{stream.CompressAuto: false, stream.CompressOn: true} {
		t.Run(when, func(t *testing.T) {
			onLanes(t, testserver.Options{Log: compressing(when), Deps: withLab}, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
				on, off := srv.CompressedStream(lane, "snapshot=false&compress=on"), srv.CompressedStream(lane, "snapshot=false&compress=off")
				usual := srv.CompressedStream(lane, "snapshot=false")
				srv.Publish(300)
				for _, c := range []*testserver.Client{on, off, usual} {
					c.WantAllTicks(300)
				}
				if !packed(on) || packed(off) || packed(usual) != other {
					t.Errorf("compressed: on %v, off %v, neither %v", packed(on), packed(off), packed(usual))
				}
				if off.Header.Get("Sec-WebSocket-Extensions") != "" {
					t.Errorf("off: %v", off.Header)
				}
				for c, want := range map[*testserver.Client]string{on: `"permessage-deflate"`, off: `"none"`} {
					if lane == wire.SSE && c == on {
						want = `"gzip"`
					}
					if _, text := srv.Get("/" + lane.String() + "/connections/" + c.Hello.Conn); !strings.Contains(text, `"compression":`+want) {
						t.Errorf("want %s: %s", want, text)
					}
				}
				if few, many := on.Received.Load(), off.Received.Load(); few >= many {
					t.Errorf("%d bytes compressed, %d plain", few, many)
				}
			})
		})
	}
}

// TestLabCompressesLatest checks compress=on in mode latest, where each stream has its own encoder.
func TestLabCompressesLatest(t *testing.T) {
	onLanes(t, testserver.Options{Log: compressing(stream.CompressAuto), Deps: withLab}, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		c := srv.CompressedStream(lane, "mode=latest&interval=0&compress=on")
		c.Want("snapshot")
		srv.Publish(int(srv.QuietSymbol()))
		for range int(srv.QuietSymbol()) {
			if m := c.Want("q"); m.Text != srv.Ticks.JSON(m.I) {
				t.Errorf("%s, published %s", m.Text, srv.Ticks.JSON(m.I))
			}
		}
		if s := srv.TickLog.Lane(lane); s.CompressIn == 0 || s.CompressOut >= s.CompressIn {
			t.Errorf("%d bytes made of %d", s.CompressOut, s.CompressIn)
		}
	})
}

func TestLabListsCompressions(t *testing.T) {
	for when, want := range map[string]struct {
		list   string
		status map[string]int
	}{
		stream.CompressOff:  {"", map[string]int{"off": 200, "on": 400, "": 400, "gzip": 400}},
		stream.CompressAuto: {`"compress":["off","on"]`, map[string]int{"off": 200, "on": 200, "": 400, "ON": 400, "auto": 400}},
	} {
		srv := newTestServer(t, testserver.Options{Log: compressing(when), Deps: withLab})
		if _, text := srv.Get("/api/lab"); strings.Contains(text, `"compress"`) != (want.list != "") || !strings.Contains(text, want.list) {
			t.Errorf("%s: %s", when, text)
		}
		for value, status := range want.status {
			probe := srv.Dial()
			probe.Request("HEAD", "/sse/subscribe?compress="+value, testserver.AcceptGzip)
			if probe.Status != status || (probe.Header.Get("Content-Encoding") == "gzip") != (status == 200 && value == "on") {
				t.Errorf("%s, compress=%s: status %d, %v", when, value, probe.Status, probe.Header)
			}
			if status == 200 {
				continue
			}
			for _, lane := range lanes {
				c, text := srv.Get("/" + lane.String() + "/subscribe?compress=" + value)
				if p := wantProblem(t, c, text, 400); p.Parameter != "compress" || value == "on" && !strings.Contains(p.Detail, "stream.compress") {
					t.Errorf("%s, %s, compress=%s: %s", when, lane, value, text)
				}
			}
		}
	}
	srv := newTestServer(t, testserver.Options{Log: compressing(stream.CompressOn), Deps: withLab})
	for _, lane := range lanes { // without an offer of the client
		if c := srv.Stream(lane, "compress=on"); c.Header.Get("Content-Encoding")+c.Header.Get("Sec-WebSocket-Extensions") != "" {
			t.Errorf("%s: %v", lane, c.Header)
		}
	}
}

func TestReportsStayInTheirFolder(t *testing.T) {
	dir := t.TempDir()
	saved := filepath.Join(dir, "reports")
	if err := os.MkdirAll(filepath.Join(saved, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"secret.html": "secret", "reports/a.html": "<p>report", "reports/a.json": "{}", "reports/note.txt": "note", "reports/sub/b.html": "<p>below"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../secret.html", filepath.Join(saved, "link.html")); err != nil {
		t.Fatal(err)
	}
	srv := newTestServer(t, testserver.Options{Settings: func(s *handlers.Settings) { s.Reports = saved }})
	if c, text := srv.Get("/api/reports"); c.Status != 200 || !strings.Contains(text, `"name":"a"`) || strings.Contains(text, "link") {
		t.Errorf("list: status %d: %s", c.Status, text)
	}
	for path, status := range map[string]int{"/reports/a.html": 200, "/reports/a.json": 200, "/reports/note.txt": 404, "/reports/link.html": 404,
		"/reports/sub%2fb.html": 404, "/reports/sub/b.html": 404, "/reports/sub%5cb.html": 404, "/reports/..%2fsecret.html": 404, "/reports/%2e%2e/secret.html": 404, "/reports/none.html": 404} {
		if c, text := srv.Get(path); c.Status != status || strings.Contains(text, "secret</") || text == "secret" {
			t.Errorf("%s: status %d: %.80s", path, c.Status, text)
		}
	}
	empty := newTestServer(t, testserver.Options{Settings: func(s *handlers.Settings) { s.Reports = filepath.Join(dir, "none") }})
	if c, text := empty.Get("/api/reports"); c.Status != 200 || !strings.Contains(text, `"reports":[]`) {
		t.Errorf("no folder: status %d: %s", c.Status, text)
	}
}
