package handlers

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

func openLab(t testing.TB) *house {
	return open(t, plan{deps: func(d *Deps) { d.Lab = &Lab{} }})
}

func (h *house) labPost(path, body string) (*client, string) {
	h.Helper()
	c := h.dial()
	c.send("POST " + path + " HTTP/1.1\r\nHost: " + h.addr + "\r\nContent-Type: application/json\r\nContent-Length: " +
		strconv.Itoa(len(body)) + "\r\n\r\n" + body)
	c.head()
	return c, c.all()
}

func (h *house) drill(action string, c *client) {
	h.Helper()
	if a, text := h.labPost("/api/lab/drill", `{"action":"`+action+`","conns":["`+c.hello.Conn+`"]}`); a.status != 200 {
		h.Fatalf("drill %s: status %d: %s", action, a.status, text)
	}
}

func both(t *testing.T, f func(t *testing.T, h *house, lane wire.Lane)) {
	for _, lane := range []wire.Lane{wire.SSE, wire.WS} {
		t.Run(lane.String(), func(t *testing.T) { f(t, openLab(t), lane) })
	}
}

func TestLabIsShutUnlessAsked(t *testing.T) {
	h := open(t, plan{})
	if c, text := h.labPost("/api/lab/drill", `{}`); c.status != 404 {
		t.Errorf("drill: status %d: %s", c.status, text)
	}
	other := map[string]string{engineStream: engineShard, engineShard: engineStream}[under]
	c := h.sse("delay=1h&compress=some&engine=" + other + "&limit=1&from=oldest")
	h.publish(1)
	c.want("q")
	if c.hello.Engine != h.engine(wire.SSE) {
		t.Errorf("a lab's parameters were heard: %s", c.hello.text)
	}
}

func TestLabRefusesWhatItDoesNotKnow(t *testing.T) {
	h := openLab(t)
	for _, x := range []struct {
		path, body string
		status     int
		says       string
	}{
		{"/api/lab/drill", `{"action":"explode","conns":["x"]}`, 400, "action"},
		{"/api/lab/drill", `{"action":"cut"}`, 400, "conns"},
		{"/api/lab/drill", `{"action":"cut","conns":["none"]}`, 404, "conns"},
		{"/api/lab/drill", `{`, 400, "body"},
		{"/api/lab/rate", `{"rate":5}`, 409, "rate"},
		{"/api/lab/background", `{"sse":-1}`, 400, "sse"},
		{"/api/lab/background", `{"ws":2001}`, 400, "ws"},
	} {
		if c, text := h.labPost(x.path, x.body); c.status != x.status || !strings.Contains(text, x.says) {
			t.Errorf("%s %s: status %d: %s", x.path, x.body, c.status, text)
		}
	}
	if c, text := h.get("/sse/subscribe?engine=turbo"); c.status != 400 || !strings.Contains(text, "engine") {
		t.Errorf("engine: status %d: %s", c.status, text)
	}
	if c, text := h.get("/ws/subscribe?engine=turbo"); c.status != 400 || !strings.Contains(text, "engine") {
		t.Errorf("engine: status %d: %s", c.status, text)
	}
}

func TestDrillCutLosesNothing(t *testing.T) {
	both(t, func(t *testing.T, h *house, lane wire.Lane) {
		c := h.stream(lane, "user=me&snapshot=false")
		h.publish(3)
		c.await("q")
		h.drill(drillCut, c)
		if _, err := c.end(); err == nil || errors.Is(err, io.EOF) && lane == wire.WS {
			t.Errorf("a cut stream ended with %v", err)
		}
		again := h.from(lane, c.hello.Epoch+"-1", "user=me&limit=2", true)
		if again.hello.Resume != wire.ResumeComplete || again.want("q").I != 2 {
			t.Errorf("after the cut: %s", again.hello.text)
		}
	})
}

func TestDrillEndSaysNoBye(t *testing.T) {
	both(t, func(t *testing.T, h *house, lane wire.Lane) {
		c := h.stream(lane, "snapshot=false")
		h.drill(drillEnd, c)
		var got []message
		if lane == wire.WS {
			got = c.closes(wire.CloseGoingAway)
		} else {
			var err error
			if got, err = c.end(); !errors.Is(err, io.EOF) {
				t.Errorf("the stream ended with %v", err)
			}
		}
		if len(got) > 0 {
			t.Errorf("%d messages before the end: %s", len(got), got[0].text)
		}
	})
}

func TestDrillAnswersTheNextRequestOnce(t *testing.T) {
	both(t, func(t *testing.T, h *house, lane wire.Lane) {
		if c, text := h.labPost("/api/lab/drill", `{"action":"204","conns":["`+h.stream(lane, "").hello.Conn+`"]}`); c.status != 400 {
			t.Errorf("a drill that may hit somebody else: status %d: %s", c.status, text)
		}
		for action, status := range map[string]int{drill503: 503, drill204: 204} {
			c := h.stream(lane, "user=me")
			h.drill(action, c)
			other := h.stream(lane, "user=other")
			other.cut(false)
			again := h.dial()
			lines := []string{"Accept: text/event-stream"}
			if lane == wire.WS {
				lines = upgrade
			}
			if again.ask("GET", "/"+lane.String()+"/subscribe?user=me", lines...); again.status != status {
				t.Errorf("%s: status %d", action, again.status)
			}
			h.stream(lane, "user=me").cut(true)
		}
	})
}

func TestDrillEpochResets(t *testing.T) {
	both(t, func(t *testing.T, h *house, lane wire.Lane) {
		h.publish(5)
		c := h.stream(lane, "user=me")
		h.drill(drillEpoch, c)
		again := h.from(lane, c.hello.Epoch+"-3", "user=me", true)
		if again.hello.Resume != wire.ResumeReset {
			t.Errorf("after another epoch: %s", again.hello.text)
		}
		again.want("snapshot")
	})
}

func TestDrillsHoldBytesBackAndLoseNone(t *testing.T) {
	both(t, func(t *testing.T, h *house, lane wire.Lane) {
		for _, action := range []string{drillBuffer, drillSlow} {
			c := h.stream(lane, "snapshot=false")
			start, from := time.Now(), c.hello.Head
			h.drill(action, c)
			h.publish(60) // some 9 kB
			stop := h.steady(20)
			for i := range uint64(60) {
				if m := c.await("q"); m.I != from+i+1 {
					t.Fatalf("%s: i %d after %d", action, m.I, from+i)
				}
			}
			stop()
			if took := time.Since(start); took < time.Second {
				t.Errorf("%s: 60 ticks came after %v", action, took)
			}
			c.cut(true)
		}
	})
}

func TestPlantedDelay(t *testing.T) {
	both(t, func(t *testing.T, h *house, lane wire.Lane) {
		const planted = 50 * time.Millisecond
		c := h.stream(lane, "delay="+planted.String())
		c.want("snapshot")
		for range 5 {
			start := time.Now()
			h.publish(1)
			c.want("q")
			if took := time.Since(start); took < planted {
				t.Errorf("a tick came after %v, before the planted %v", took, planted)
			}
		}
	})
}

// squeezable is a lab whose server compresses when it is worth while, or as told.
func squeezable(t testing.TB, when string) *house {
	p := squeezing(when)
	p.deps = func(d *Deps) { d.Lab = &Lab{} }
	return open(t, p)
}

// TestLabChoosesCompression: of clients that all offer to inflate, one is compressed though it reads alone, one isn't
// though the server would, and nobody else notices.
func TestLabChoosesCompression(t *testing.T) {
	packed := func(c *client) bool {
		return c.header.Get("Content-Encoding") == "gzip" || c.header.Get("Sec-WebSocket-Extensions") != "" && c.packed > 0
	}
	for _, lane := range lanes {
		for when, other := range map[string]bool{stream.CompressAuto: false, stream.CompressOn: true} {
			t.Run(lane.String()+" "+when, func(t *testing.T) {
				h := squeezable(t, when)
				on, off := h.offering(lane, "snapshot=false&compress=on"), h.offering(lane, "snapshot=false&compress=off")
				usual := h.offering(lane, "snapshot=false")
				h.publish(300)
				for _, c := range []*client{on, off, usual} {
					h.audit(c, 300)
				}
				if !packed(on) || packed(off) || packed(usual) != other {
					t.Errorf("compressed: on %v, off %v, neither %v", packed(on), packed(off), packed(usual))
				}
				if off.header.Get("Sec-WebSocket-Extensions") != "" {
					t.Errorf("off: %v", off.header)
				}
				for c, want := range map[*client]string{on: `"permessage-deflate"`, off: `"none"`} {
					if lane == wire.SSE && c == on {
						want = `"gzip"`
					}
					if _, text := h.get("/" + lane.String() + "/connections/" + c.hello.Conn); !strings.Contains(text, `"compression":`+want) {
						t.Errorf("want %s: %s", want, text)
					}
				}
				if few, many := on.received.Load(), off.received.Load(); few >= many {
					t.Errorf("%d bytes compressed, %d plain", few, many)
				}
			})
		}
	}
}

// TestLabCompressesLatest: a stream that conflates has no text in common with others, and is packed for itself when told to.
func TestLabCompressesLatest(t *testing.T) {
	both(t, func(t *testing.T, _ *house, lane wire.Lane) {
		h := squeezable(t, stream.CompressAuto)
		c := h.offering(lane, "mode=latest&interval=0&compress=on")
		c.want("snapshot")
		h.publish(h.tape.u.Len() - 1)
		for range h.tape.u.Len() - 1 {
			if m := c.want("q"); m.text != h.tape.text(m.I) {
				t.Errorf("%s, published %s", m.text, h.tape.text(m.I))
			}
		}
		if s := h.log.Lane(lane); s.CompressIn == 0 || s.CompressOut >= s.CompressIn {
			t.Errorf("%d bytes made of %d", s.CompressOut, s.CompressIn)
		}
	})
}

func TestLabTellsWhatCompressionCanBeChosen(t *testing.T) {
	for when, want := range map[string]struct {
		list   string
		status map[string]int
	}{
		stream.CompressOff:  {"", map[string]int{"off": 200, "on": 400, "": 400, "gzip": 400}},
		stream.CompressAuto: {`"compress":["off","on"]`, map[string]int{"off": 200, "on": 200, "": 400, "ON": 400, "auto": 400}},
	} {
		h := squeezable(t, when)
		if _, text := h.get("/api/lab"); strings.Contains(text, `"compress"`) != (want.list != "") || !strings.Contains(text, want.list) {
			t.Errorf("%s: %s", when, text)
		}
		for value, status := range want.status {
			probe := h.dial()
			probe.ask("HEAD", "/sse/subscribe?compress="+value, gzipLine)
			if probe.status != status || (probe.header.Get("Content-Encoding") == "gzip") != (status == 200 && value == "on") {
				t.Errorf("%s, compress=%s: status %d, %v", when, value, probe.status, probe.header)
			}
			if status == 200 {
				continue
			}
			for _, lane := range lanes {
				c, text := h.get("/" + lane.String() + "/subscribe?compress=" + value)
				if p := told(t, c, text, 400); p.Parameter != "compress" || value == "on" && !strings.Contains(p.Detail, "stream.compress") {
					t.Errorf("%s, %s, compress=%s: %s", when, lane, value, text)
				}
			}
		}
	}
	h := squeezable(t, stream.CompressOn)
	for _, lane := range lanes { // what isn't offered isn't used
		if c := h.stream(lane, "compress=on"); c.header.Get("Content-Encoding")+c.header.Get("Sec-WebSocket-Extensions") != "" {
			t.Errorf("%s: %v", lane, c.header)
		}
	}
}

func TestEnginesSendTheSameMessages(t *testing.T) {
	h := openLab(t)
	if under != engineShard {
		return // once
	}
	a, b := h.sse("engine=shard&limit=50&from=oldest"), h.sse("engine=stream&limit=50&from=oldest")
	if a.hello.Engine != engineShard || b.hello.Engine != engineStream {
		t.Fatalf("hellos %s, %s", a.hello.text, b.hello.text)
	}
	stop := h.steady(1000)
	defer stop()
	first, err1 := a.end()
	second, err2 := b.end()
	if !errors.Is(err1, io.EOF) || !errors.Is(err2, io.EOF) || len(first) != 51 || len(second) != 51 {
		t.Fatalf("%d messages (%v), %d (%v); want 50 ticks and a bye", len(first), err1, len(second), err2)
	}
	for i := range first {
		if first[i].text != second[i].text {
			t.Errorf("message %d: %s on engine shard, %s on engine stream", i, first[i].text, second[i].text)
		}
	}
	until(t, "streams to end", func() bool { return h.live() == 0 })
	for _, c := range []*client{a, b} {
		c.r.ReadString('\n') // the chunked reader leaves the last line break
	}
	if sse := h.log.Lane(wire.SSE); sse.Wire != uint64(a.received.Load()+b.received.Load()) {
		t.Errorf("%d wire bytes counted, %d + %d received", sse.Wire, a.received.Load(), b.received.Load())
	}
}

func TestReportsStayInTheirFolder(t *testing.T) {
	dir := t.TempDir()
	saved := filepath.Join(dir, "reports")
	if err := os.Mkdir(saved, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"secret.html": "secret", "reports/a.html": "<p>report", "reports/a.json": "{}", "reports/note.txt": "note"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../secret.html", filepath.Join(saved, "link.html")); err != nil {
		t.Fatal(err)
	}
	h := open(t, plan{settings: func(s *Settings) { s.Reports = saved }})
	if c, text := h.get("/api/reports"); c.status != 200 || !strings.Contains(text, `"name":"a"`) || strings.Contains(text, "link") {
		t.Errorf("list: status %d: %s", c.status, text)
	}
	for path, status := range map[string]int{"/reports/a.html": 200, "/reports/a.json": 200, "/reports/note.txt": 404, "/reports/link.html": 404,
		"/reports/..%2fsecret.html": 404, "/reports/%2e%2e/secret.html": 404, "/reports/none.html": 404} {
		if c, text := h.get(path); c.status != status || strings.Contains(text, "secret</") || text == "secret" {
			t.Errorf("%s: status %d: %.80s", path, c.status, text)
		}
	}
	empty := open(t, plan{settings: func(s *Settings) { s.Reports = filepath.Join(dir, "none") }})
	if c, text := empty.get("/api/reports"); c.status != 200 || !strings.Contains(text, `"reports":[]`) {
		t.Errorf("no folder: status %d: %s", c.status, text)
	}
}

// TestReleaseCountsFromNow: when a drill asks to be asked again doesn't depend on the clock on the wall, which may be set.
func TestReleaseCountsFromNow(t *testing.T) {
	r := &rig{delay: 50 * time.Millisecond}
	now := time.Now()
	n, again, more := r.Release(now, 10, false)
	if n != 0 || more || again == again.Round(0) || again.Sub(now) != r.delay { // Round takes the monotonic clock off
		t.Errorf("%d bytes, again at %s, %v", n, again, more)
	}
}
