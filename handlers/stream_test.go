package handlers

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

var lanes = []wire.Lane{wire.SSE, wire.WS}

// onLanes runs a test on each lane, WebSocket in both encodings, with a server of its own.
func onLanes(t *testing.T, p plan, f func(h *house, lane wire.Lane)) {
	t.Run("sse", func(t *testing.T) { f(open(t, p), wire.SSE) })
	onSubprotocols(t, p, func(t *testing.T, h *house) { f(h, wire.WS) })
}

// onSubprotocols runs a test of WebSocket in each encoding.
func onSubprotocols(t *testing.T, p plan, f func(t *testing.T, h *house)) {
	t.Run("ws", func(t *testing.T) { f(t, open(t, p)) })
	t.Run("ws protobuf", func(t *testing.T) {
		p.offer = subprotocolProto
		f(t, open(t, p))
	})
}

// ended checks that a stream is over as its lane says it for this reason.
func ended(c *client, reason string, code uint16) {
	c.Helper()
	bye := c.await("bye")
	if bye.Reason != reason {
		c.Fatalf("bye %s, want %s", bye.Reason, reason)
	}
	if c.format.Lane() == wire.WS {
		if rest := c.closes(code); len(rest) > 0 {
			c.Fatalf("%s after the bye", rest[0].text)
		}
		return
	}
	if got, err := c.end(); err != io.EOF || len(got) > 0 {
		c.Fatalf("after the bye: %v, %d messages", err, len(got))
	}
	finished := reason == wire.ByeLimit || reason == wire.ByeDuration
	if finished != (bye.id == "end") || (bye.id != "" && !finished) {
		c.Fatalf("bye %s has id %q", reason, bye.id)
	}
	if finished != (bye.Retry == 0) || (bye.retry != "") == finished {
		c.Fatalf("bye %s has retry %d and %q", reason, bye.Retry, bye.retry)
	}
}

func TestLimit(t *testing.T) {
	onLanes(t, plan{}, func(h *house, lane wire.Lane) {
		h.publish(25)
		for _, query := range []string{"limit=10&from=oldest", "limit=10", "limit=10&mode=latest&from=oldest&interval=0"} {
			stop := h.steady(500)
			c := h.stream(lane, query)
			ticks := 0
			for {
				m := c.next()
				if m.T == "bye" {
					break
				}
				if m.T == "q" {
					ticks++
				}
			}
			if ticks != 10 {
				t.Errorf("%s: %d ticks", query, ticks)
			}
			if lane == wire.WS {
				c.closes(1000)
			} else if _, err := c.end(); err != io.EOF || c.last != "end" {
				t.Errorf("%s: %v, last id %q", query, err, c.last)
			}
			stop()
		}
		until(t, "the streams' end", func() bool { return h.live() == 0 })
		if got := h.log.Lane(lane); got.Ticks != 30 || got.Opened != 3 {
			t.Errorf("counted %d ticks of %d streams", got.Ticks, got.Opened)
		}
	})
}

func TestDuration(t *testing.T) {
	onLanes(t, plan{}, func(h *house, lane wire.Lane) {
		h.steady(200)
		start := time.Now()
		c := h.stream(lane, "duration=150ms")
		c.want("snapshot")
		ended(c, "duration", 1000)
		if took := time.Since(start); took < 150*time.Millisecond {
			t.Errorf("ended after %s", took)
		}
	})
}

func TestNobodyComesBackAfterTheEnd(t *testing.T) {
	h := open(t, plan{})
	for _, method := range []string{"GET", "HEAD"} {
		c := h.dial()
		c.ask(method, "/sse/subscribe?limit=10", "Last-Event-ID: end", "Accept: text/event-stream")
		if c.status != 204 || c.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", method, c.status, c.header)
		}
	}
	if n := h.log.Lane(wire.SSE).Opened; n != 0 {
		t.Errorf("%d streams were opened", n)
	}
}

func TestSSEHeaders(t *testing.T) {
	h := open(t, plan{log: stream.Config{Retry: 1234 * time.Millisecond}})
	want := map[string]string{
		"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff",
	}
	c := h.sse("")
	for name, value := range want {
		if got := c.header.Get(name); got != value {
			t.Errorf("%s: %q, want %q", name, got, value)
		}
	}
	if c.hello.retry != "1234" || c.hello.event != "hello" {
		t.Errorf("hello has retry %q and event %q", c.hello.retry, c.hello.event)
	}

	head := h.dial()
	head.ask("HEAD", "/sse/subscribe?topics=S1", "Accept: text/event-stream")
	for name, value := range want {
		if got := head.header.Get(name); got != value {
			t.Errorf("HEAD: %s: %q, want %q", name, got, value)
		}
	}
	// The connection is in step: a second request gets its own answer.
	head.ask("GET", "/healthz")
	if body := head.all(); head.status != 200 || body != "ok\n" {
		t.Errorf("after HEAD: %d %q", head.status, body)
	}
	if got := h.log.Lane(wire.SSE); got.Opened != 1 || got.Connections != 1 {
		t.Errorf("HEAD opened a stream: %+v", got)
	}
}

func TestHello(t *testing.T) {
	onLanes(t, plan{log: stream.Config{Heartbeat: 7 * time.Second, Size: 512}}, func(h *house, lane wire.Lane) {
		h.publish(1500)
		head := h.log.Head()
		before := time.Now().UnixMicro()
		c := h.stream(lane, "topics=S1,sector:odd,S1&mode=latest&user=Zo%C3%AB")
		m := c.hello
		if m.Lane != lane.String() || m.Engine != h.engine(lane) || m.Epoch != wire.Epoch(head.Epoch) || m.Head != head.Seq ||
			m.Oldest != 1500-512+1 || m.Resume != "none" || m.Mode != "latest" || m.HB != 7000 || len(m.Conn) != 32 ||
			strings.Join(m.Topics, " ") != "S1 sector:odd" || m.Time < before || m.Time > time.Now().UnixMicro() {
			t.Errorf("hello %s", m.text)
		}
		snap := c.want("snapshot")
		if snap.I != head.Seq || len(snap.Quotes) != 9 { // S1 to S17; S19 is quiet
			t.Errorf("snapshot %.200s", snap.text)
		}
		if lane == wire.SSE && (m.id != head.String() || snap.id != head.String()) {
			t.Errorf("ids %q, %q", m.id, snap.id)
		}
		info := h.log.Find(m.Conn).Info()
		if info.User != "Zoë" || info.Lane != lane.String() {
			t.Errorf("info %+v", info)
		}
	})
}

// TestSameJSON: the same i is the same JSON on both lanes, * sees consecutive i and a filtered client consecutive n.
func TestSameJSON(t *testing.T) {
	h := open(t, plan{})
	const total = 2000
	clients := map[string]*client{}
	for _, lane := range lanes {
		clients[lane.String()+" *"] = h.stream(lane, "")
		clients[lane.String()+" S3"] = h.stream(lane, "topics=S3")
	}
	stop := h.steady(4000)
	until(t, "ticks", func() bool { return h.log.Head().Seq >= total })
	stop()
	for name, c := range clients {
		c.want("snapshot")
		own := strings.HasSuffix(name, "S3")
		var i, n uint64
		for {
			m := c.want("q")
			if m.text != h.tape.text(m.I) {
				t.Fatalf("%s: %s, want %s", name, m.text, h.tape.text(m.I))
			}
			if c.format == wire.SSEJSON && (m.event != "message" || m.id != (quote.Position{Epoch: h.tape.epoch, Seq: m.I}).String()) {
				t.Fatalf("%s: event %q, id %q of %s", name, m.event, m.id, m.text)
			}
			if own && (m.N != n+1 || m.S != "S3") || !own && m.I != i+1 {
				t.Fatalf("%s: %s after n %d, i %d", name, m.text, n, i)
			}
			if i, n = m.I, m.N; i > total-20 {
				break
			}
		}
	}
}

func TestLatestConflates(t *testing.T) {
	onLanes(t, plan{}, func(h *house, lane wire.Lane) {
		c := h.stream(lane, "mode=latest&interval=30ms&topics=S1,S2")
		c.want("snapshot")
		for range 50 {
			h.publish(19 * 20)
		}
		last, newest := map[string]uint64{}, h.log.Head().Seq
		var place uint64
		for got := 0; last["S1"] < 1000 || last["S2"] < 1000; got++ {
			m := c.want("q")
			if m.I <= place || m.N <= last[m.S] || m.text != h.tape.text(m.I) {
				t.Fatalf("%s after %d", m.text, place)
			}
			place, last[m.S] = m.I, m.N
			if got > 1000 {
				t.Fatal("not conflated")
			}
		}
		if place > newest {
			t.Fatalf("place %d beyond %d", place, newest)
		}
		if got := h.log.Lane(lane); got.Ticks+got.Conflated != 2000 || got.Conflated == 0 {
			t.Errorf("%d ticks and %d conflated, want 2000 together", got.Ticks, got.Conflated)
		}
	})
}

func TestSnapshotCanBeRefused(t *testing.T) {
	onLanes(t, plan{}, func(h *house, lane wire.Lane) {
		h.publish(10)
		c := h.stream(lane, "snapshot=false")
		h.publish(1)
		if m := c.want("q"); m.I != 11 {
			t.Errorf("%s", m.text)
		}
		c = h.stream(lane, "from=oldest")
		if m := c.want("q"); m.I != 1 {
			t.Errorf("%s after a start at oldest", m.text)
		}
	})
}

// TestHeartbeat: silence is broken, and a quiet topic's position never ages out.
func TestHeartbeat(t *testing.T) {
	onLanes(t, plan{log: stream.Config{Heartbeat: 100 * time.Millisecond}}, func(h *house, lane wire.Lane) {
		h.publish(5)
		c := h.stream(lane, "topics=S19")
		c.want("snapshot")
		if m := c.want("hb"); m.Head != 5 || m.Time == 0 {
			t.Errorf("%s", m.text)
		}
	})
	onLanes(t, plan{log: stream.Config{Size: 1024, Heartbeat: time.Hour}}, func(h *house, lane wire.Lane) {
		c := h.stream(lane, "topics=S19")
		c.want("snapshot")
		place := c.hello.Head
		for range 40 {
			// A quarter of the log, and what passes between two looks at the quiet ones.
			for h.log.Head().Seq < place+450 {
				h.publish(50)
			}
			m := c.want("hb")
			if m.Head <= place || m.Head+256 < h.log.Oldest() {
				t.Fatalf("hb of %d after %d, oldest %d", m.Head, place, h.log.Oldest())
			}
			place = m.Head
			if lane == wire.SSE && c.last != fmt.Sprintf("%s-%d", c.hello.Epoch, place) {
				t.Fatalf("last id %s", c.last)
			}
		}
		// The place of the last heartbeat is good for a resume: the one tick of the quiet topic is there.
		c.cut(true)
		h.publishOf(h.quiet())
		c = h.from(lane, fmt.Sprintf("%s-%d", c.hello.Epoch, place), "topics=S19", true)
		if c.hello.Resume != "complete" {
			t.Fatalf("resume %s", c.hello.text)
		}
		if m := c.want("q"); m.S != "S19" || m.N != 1 {
			t.Errorf("%s", m.text)
		}
	})
}

// TestResumeVerdicts: what becomes of a position that isn't in the log.
func TestResumeVerdicts(t *testing.T) {
	onLanes(t, plan{log: stream.Config{Size: 512}}, func(h *house, lane wire.Lane) {
		h.publish(3000)
		epoch := wire.Epoch(h.tape.epoch)
		oldest := h.log.Oldest()
		for _, c := range []struct {
			position, resume string
			first            uint64
		}{
			{fmt.Sprintf("%s-2990", epoch), "complete", 2991},
			{fmt.Sprintf("%s-%d", epoch, oldest-1), "complete", oldest},
			{fmt.Sprintf("%s-%d", epoch, oldest-2), "gap", 3001},
			{epoch + "-0", "gap", 3001},
			{epoch + "-3001", "reset", 3001},
			{epoch + "-18446744073709551615", "reset", 3001},
			{wire.Epoch(h.tape.epoch+1) + "-2990", "reset", 3001},
		} {
			for _, byHeader := range []bool{false, true} {
				cl := h.from(lane, c.position, "topics=*", byHeader)
				if cl.hello.Resume != c.resume {
					t.Fatalf("%s: %s", c.position, cl.hello.text)
				}
				if c.resume == "gap" {
					p, _ := quote.ParsePosition(c.position)
					m := cl.want("gap")
					if m.From != p.Seq+1 || m.To != 3000 || m.Missed != 3000-p.Seq || m.Reason != "expired" {
						t.Fatalf("%s: %s", c.position, m.text)
					}
					if lane == wire.SSE && m.id != epoch+"-3000" {
						t.Fatalf("gap's id %s", m.id)
					}
				}
				if c.resume != "complete" {
					if m := cl.want("snapshot"); m.I != 3000 {
						t.Fatalf("%s: %.200s", c.position, m.text)
					}
				} else if m := cl.want("q"); m.I != c.first {
					t.Fatalf("%s: %s, want i %d", c.position, m.text, c.first)
				}
				cl.cut(true)
			}
		}
		// A conflated client loses nothing that it asked for.
		cl := h.from(lane, epoch+"-1", "mode=latest", true)
		if cl.hello.Resume != "complete" {
			t.Errorf("mode latest: %s", cl.hello.text)
		}
		cl.want("q")
	})
}

// TestGarbageLastEventID: an error status would end an EventSource for good.
func TestGarbageLastEventID(t *testing.T) {
	h := open(t, plan{})
	h.publish(5)
	for _, id := range []string{"x", "1", "-", "0-1", "ffff", "END", "abc-01", "ABC-1", "abc-1 ", "\x80\xff", strings.Repeat("9", 3000), "abc-1,abc-2", "null"} {
		if id == "abc-1 " {
			id = "abc-1 x" // the end is trimmed by HTTP itself
		}
		c := h.sse("", "Last-Event-ID: "+id)
		if c.hello.Resume != "reset" {
			t.Errorf("%.40q: %s", id, c.hello.text)
		}
		if m := c.want("snapshot"); m.I != 5 {
			t.Errorf("%.40q: %.100s", id, m.text)
		}
		c.cut(false)
	}
	c := h.sse("from=oldest", "Last-Event-ID:")
	if c.hello.Resume != "none" {
		t.Errorf("empty id: %s", c.hello.text)
	}
}

// TestLiveGap: a client that falls off the log while connected is told exactly what it missed.
func TestLiveGap(t *testing.T) {
	onLanes(t, plan{log: stream.Config{Size: 512}, settings: func(s *Settings) { s.WriteBuffer = 4096 }}, func(h *house, lane wire.Lane) {
		c := h.narrow(lane, "")
		c.want("snapshot")
		for range 300 {
			h.publish(100)
		}
		gaps := h.audit(c, 30_000)
		if gaps == 0 {
			t.Error("the client read 30,000 ticks from a log of 512 without a gap")
		}
		if got := h.log.Lane(lane); got.Gaps != gaps {
			t.Errorf("%d gaps counted, %d told", got.Gaps, gaps)
		}
	})
}

// audit reads a stream of everything that started at 0 up to seq, and accounts for every tick: got or told as missed.
func (h *house) audit(c *client, upto uint64) (gaps uint64) {
	h.Helper()
	for place := uint64(0); place < upto; {
		switch m := c.next(); m.T {
		case "q":
			if m.I != place+1 || m.text != h.tape.text(m.I) {
				h.Fatalf("%s after %d", m.text, place)
			}
			place = m.I
		case "gap":
			if m.From != place+1 || m.Missed != m.To-m.From+1 || m.Reason != "lag" {
				h.Fatalf("%s after %d", m.text, place)
			}
			gaps++
			place = m.To
			if s := c.want("snapshot"); s.I != place {
				h.Fatalf("%.100s after %s", s.text, m.text)
			}
		case "hb":
			if m.Head != place {
				h.Fatalf("%s at %d", m.text, place)
			}
		default:
			h.Fatalf("%.200s", m.text)
		}
	}
	return gaps
}

func TestErrorsNeverStandOnAnEventStream(t *testing.T) {
	h := open(t, plan{})
	c := h.sse("")
	c.want("snapshot")
	answer, _ := h.post(c.hello.Conn, `{"action":"subscribe","topics":["NOPE"]}`)
	if answer.status != http.StatusBadRequest {
		t.Fatalf("status %d", answer.status)
	}
	h.publish(1)
	if m := c.next(); m.T != "q" {
		t.Errorf("%s", m.text)
	}
}
