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
	start := time.Now()
	other := map[string]string{engineStream: engineBody, engineBody: engineStream, engineShard: engineBody}[under]
	c := h.sse("delay=1s&engine=" + other + "&limit=1&from=oldest")
	h.publish(1)
	c.want("q")
	if took := time.Since(start); took > 900*time.Millisecond || c.hello.Engine != h.engine(wire.SSE) {
		t.Errorf("a lab's parameters were heard: %s after %v", c.hello.text, took)
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
	if c, text := h.get("/ws/subscribe?engine=body"); c.status != 400 || !strings.Contains(text, "engine") {
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
			h.drill(action, c)
			start, from := time.Now(), c.hello.Head
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

func TestEngineBodyKeepsTheContract(t *testing.T) {
	h := openLab(t)
	a, b := h.sse("engine=body&limit=50&from=oldest"), h.sse("limit=50&from=oldest")
	if a.hello.Engine != engineBody {
		t.Fatalf("hello %s", a.hello.text)
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
			t.Errorf("message %d: %s on engine body, %s on engine stream", i, first[i].text, second[i].text)
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
