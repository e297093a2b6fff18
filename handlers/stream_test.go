package handlers_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"ticklane/handlers"
	"ticklane/internal/quote"
	"ticklane/internal/stream"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

func TestLimit(t *testing.T) {
	onLanes(t, testserver.Options{}, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		srv.Publish(25)
		for _, query := range []string{"limit=10&from=oldest", "limit=10", "limit=10&mode=latest&from=oldest&interval=0"} {
			stop := srv.PublishRate(500)
			c := srv.Stream(lane, query)
			ticks := 0
			for {
				m := c.Next()
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
				c.WantClose(1000)
			} else if _, err := c.ReadAll(); err != io.EOF || c.LastEventID != "end" {
				t.Errorf("%s: %v, last id %q", query, err, c.LastEventID)
			}
			stop()
		}
		testkit.Eventually(t, func() bool { return liveStreams(srv) == 0 }, "the streams' end")
		if got := srv.TickLog.Lane(lane); got.Ticks != 30 || got.Opened != 3 {
			t.Errorf("counted %d ticks of %d streams", got.Ticks, got.Opened)
		}
	})
}

func TestDuration(t *testing.T) {
	onLanes(t, testserver.Options{}, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		srv.PublishRate(200)
		start := time.Now()
		c := srv.Stream(lane, "duration=150ms")
		c.Want("snapshot")
		wantEnd(c, "duration", 1000)
		if took := time.Since(start); took < 150*time.Millisecond {
			t.Errorf("ended after %s", took)
		}
	})
}

func TestNobodyComesBackAfterTheEnd(t *testing.T) { onEngines(t, testNobodyComesBackAfterTheEnd) }

func testNobodyComesBackAfterTheEnd(t *testing.T, engine string) {
	srv := newTestServer(t, testserver.Options{Engine: engine})
	for _, method := range []string{"GET", "HEAD"} {
		for _, id := range [][2]string{{"", "Last-Event-ID: end"}, {"&lastEventId=end", "X-None: 1"}, {"&lastEventId=abc-1", "Last-Event-ID: end"}} {
			c := srv.Dial()
			c.Request(method, "/sse/subscribe?limit=10"+id[0], id[1], "Accept: text/event-stream")
			if c.Status != 204 || c.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s %q: %d %v", method, id, c.Status, c.Header)
			}
		}
	}
	if n := srv.TickLog.Lane(wire.SSE).Opened; n != 0 {
		t.Errorf("%d streams were opened", n)
	}
}

func TestSSEHeaders(t *testing.T) { onEngines(t, testSSEHeaders) }

func testSSEHeaders(t *testing.T, engine string) {
	srv := newTestServer(t, testserver.Options{Engine: engine, Log: stream.Config{Retry: 1234 * time.Millisecond}})
	want := map[string]string{
		"Content-Type": "text/event-stream", "Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff",
	}
	c := srv.SSE("")
	for name, value := range want {
		if got := c.Header.Get(name); got != value {
			t.Errorf("%s: %q, want %q", name, got, value)
		}
	}
	if c.Hello.EventRetry != "1234" || c.Hello.Event != "hello" {
		t.Errorf("hello has retry %q and event %q", c.Hello.EventRetry, c.Hello.Event)
	}

	head := srv.Dial()
	head.Request("HEAD", "/sse/subscribe?topics=S1", "Accept: text/event-stream")
	for name, value := range want {
		if got := head.Header.Get(name); got != value {
			t.Errorf("HEAD: %s: %q, want %q", name, got, value)
		}
	}
	if got, want := head.Header["Connection"], c.Header["Connection"]; !slices.Equal(got, want) {
		t.Errorf("HEAD: Connection %q, want %q", got, want)
	}
	if engine == testserver.Shard {
		head = srv.Dial()
	}
	// The response had no body, so the next one on the connection is for the next request.
	head.Request("GET", "/healthz")
	if body := head.ReadBody(); head.Status != 200 || body != "ok\n" {
		t.Errorf("after HEAD: %d %q", head.Status, body)
	}
	if got := srv.TickLog.Lane(wire.SSE); got.Opened != 1 || got.Connections != 1 {
		t.Errorf("HEAD opened a stream: %+v", got)
	}
}

func TestHello(t *testing.T) {
	onLanes(t, testserver.Options{Log: stream.Config{Heartbeat: 7 * time.Second, Size: 512}}, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		srv.Publish(1500)
		head := srv.TickLog.Head()
		before := time.Now().UnixMicro()
		c := srv.Stream(lane, "topics=S1,sector:odd,S1&mode=latest&user=Zo%C3%AB")
		m := c.Hello
		if m.Lane != lane.String() || m.Engine != srv.Engine(lane) || m.Epoch != wire.Epoch(head.Epoch) || m.Head != head.Seq ||
			m.Oldest != 1500-512+1 || m.Resume != "none" || m.Mode != "latest" || m.HB != 7000 || len(m.Conn) != 32 ||
			strings.Join(m.Topics, " ") != "S1 sector:odd" || m.Time < before || m.Time > time.Now().UnixMicro() {
			t.Errorf("hello %s", m.Text)
		}
		snap := c.Want("snapshot")
		if snap.I != head.Seq || len(snap.Quotes) != 9 { // S1 to S17; S19 is quiet
			t.Errorf("snapshot %.200s", snap.Text)
		}
		if lane == wire.SSE && (m.EventID != "" || snap.EventID != head.String()) {
			t.Errorf("ids %q, %q", m.EventID, snap.EventID)
		}
		info := srv.TickLog.Find(m.Conn).Info()
		if info.User != "Zoë" || info.Lane != lane.String() {
			t.Errorf("info %+v", info)
		}
	})
}

// TestSameJSON checks that a tick has the same JSON on both lanes, that * gets consecutive i and a topic consecutive n.
func TestSameJSON(t *testing.T) { onEngines(t, testSameJSON) }

func testSameJSON(t *testing.T, engine string) {
	srv := newTestServer(t, testserver.Options{Engine: engine})
	const total = 2000
	clients := map[string]*testserver.Client{}
	for _, lane := range lanes {
		clients[lane.String()+" *"] = srv.Stream(lane, "")
		clients[lane.String()+" S3"] = srv.Stream(lane, "topics=S3")
	}
	stop := srv.PublishRate(4000)
	testkit.Eventually(t, func() bool { return srv.TickLog.Head().Seq >= total }, "ticks")
	stop()
	for name, c := range clients {
		c.Want("snapshot")
		own := strings.HasSuffix(name, "S3")
		var i, n uint64
		for {
			m := c.Want("q")
			if m.Text != srv.Ticks.JSON(m.I) {
				t.Fatalf("%s: %s, want %s", name, m.Text, srv.Ticks.JSON(m.I))
			}
			if c.Format == wire.SSEJSON && (m.Event != "message" || m.EventID != (quote.Position{Epoch: srv.Ticks.Epoch, Seq: m.I}).String()) {
				t.Fatalf("%s: event %q, id %q of %s", name, m.Event, m.EventID, m.Text)
			}
			if own && (m.N != n+1 || m.S != "S3") || !own && m.I != i+1 {
				t.Fatalf("%s: %s after n %d, i %d", name, m.Text, n, i)
			}
			if i, n = m.I, m.N; i > total-20 {
				break
			}
		}
	}
}

func TestLatestConflates(t *testing.T) {
	onLanes(t, testserver.Options{}, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		c := srv.Stream(lane, "mode=latest&interval=30ms&topics=S1,S2")
		c.Want("snapshot")
		for range 50 {
			srv.Publish(19 * 20)
		}
		last, newest := map[string]uint64{}, srv.TickLog.Head().Seq
		var place uint64
		for got := 0; last["S1"] < 1000 || last["S2"] < 1000; got++ {
			m := c.Want("q")
			if m.I <= place || m.N <= last[m.S] || m.Text != srv.Ticks.JSON(m.I) {
				t.Fatalf("%s after %d", m.Text, place)
			}
			place, last[m.S] = m.I, m.N
			if got > 1000 {
				t.Fatal("not conflated")
			}
		}
		if place > newest {
			t.Fatalf("place %d beyond %d", place, newest)
		}
		if got := srv.TickLog.Lane(lane); got.Ticks+got.Conflated != 2000 || got.Conflated == 0 {
			t.Errorf("%d ticks and %d conflated, want 2000 together", got.Ticks, got.Conflated)
		}
	})
}

func TestSnapshotCanBeRefused(t *testing.T) {
	onLanes(t, testserver.Options{}, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		srv.Publish(10)
		c := srv.Stream(lane, "snapshot=false")
		srv.Publish(1)
		if m := c.Want("q"); m.I != 11 {
			t.Errorf("%s", m.Text)
		}
		c = srv.Stream(lane, "from=oldest")
		if m := c.Want("q"); m.I != 1 {
			t.Errorf("%s after a start at oldest", m.Text)
		}
	})
}

// TestHeartbeat checks the heartbeats in silence, and those that keep the position of a quiet topic in the log.
func TestHeartbeat(t *testing.T) {
	onLanes(t, testserver.Options{Log: stream.Config{Heartbeat: 100 * time.Millisecond}}, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		srv.Publish(5)
		c := srv.Stream(lane, "topics=S19")
		c.Want("snapshot")
		if m := c.Want("hb"); m.Head != 5 || m.Time == 0 {
			t.Errorf("%s", m.Text)
		}
	})
	onLanes(t, testserver.Options{Log: stream.Config{Size: 1024, Heartbeat: time.Hour}}, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		c := srv.Stream(lane, "topics=S19")
		c.Want("snapshot")
		place := c.Hello.Head
		for range 40 {
			// A quarter of the log, and what is published between two checks of quiet streams.
			for srv.TickLog.Head().Seq < place+450 {
				srv.Publish(50)
			}
			m := c.Want("hb")
			if m.Head <= place || m.Head+256 < srv.TickLog.Oldest() {
				t.Fatalf("hb of %d after %d, oldest %d", m.Head, place, srv.TickLog.Oldest())
			}
			place = m.Head
			if lane == wire.SSE && c.LastEventID != fmt.Sprintf("%s-%d", c.Hello.Epoch, place) {
				t.Fatalf("last id %s", c.LastEventID)
			}
		}
		// The position of the last heartbeat can be resumed from: the one tick of the quiet topic arrives.
		c.Cut(true)
		srv.PublishSymbols(srv.QuietSymbol())
		c = srv.ResumeStream(lane, fmt.Sprintf("%s-%d", c.Hello.Epoch, place), "topics=S19", true)
		if c.Hello.Resume != "complete" {
			t.Fatalf("resume %s", c.Hello.Text)
		}
		if m := c.Want("q"); m.S != "S19" || m.N != 1 {
			t.Errorf("%s", m.Text)
		}
	})
}

// TestResumeVerdicts checks the answer to positions in and outside the log.
func TestResumeVerdicts(t *testing.T) {
	onLanes(t, testserver.Options{Log: stream.Config{Size: 512}}, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		srv.Publish(3000)
		epoch := wire.Epoch(srv.Ticks.Epoch)
		oldest := srv.TickLog.Oldest()
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
			{wire.Epoch(srv.Ticks.Epoch+1) + "-2990", "reset", 3001},
		} {
			for _, byHeader := range []bool{false, true} {
				cl := srv.ResumeStream(lane, c.position, "topics=*", byHeader)
				if cl.Hello.Resume != c.resume {
					t.Fatalf("%s: %s", c.position, cl.Hello.Text)
				}
				if c.resume == "gap" {
					p, _ := quote.ParsePosition(c.position)
					m := cl.Want("gap")
					if m.From != p.Seq+1 || m.To != 3000 || m.Missed != 3000-p.Seq || m.Reason != "expired" {
						t.Fatalf("%s: %s", c.position, m.Text)
					}
					if m.EventID != "" || !m.Snapshot {
						t.Fatalf("gap with id %q: %s", m.EventID, m.Text)
					}
				}
				if c.resume != "complete" {
					if m := cl.Want("snapshot"); m.I != 3000 {
						t.Fatalf("%s: %.200s", c.position, m.Text)
					}
				} else if m := cl.Want("q"); m.I != c.first {
					t.Fatalf("%s: %s, want i %d", c.position, m.Text, c.first)
				}
				cl.Cut(true)
			}
		}
		// A conflated client gets the newest tick of each symbol, so it has no gap.
		cl := srv.ResumeStream(lane, epoch+"-1", "mode=latest", true)
		if cl.Hello.Resume != "complete" {
			t.Errorf("mode latest: %s", cl.Hello.Text)
		}
		cl.Want("q")
	})
}

// TestGarbageLastEventID checks that there is no error status, after which an EventSource would not reconnect.
func TestGarbageLastEventID(t *testing.T) { onEngines(t, testGarbageLastEventID) }

func testGarbageLastEventID(t *testing.T, engine string) {
	srv := newTestServer(t, testserver.Options{Engine: engine})
	srv.Publish(5)
	for _, id := range []string{"x", "1", "-", "0-1", "ffff", "END", "abc-01", "ABC-1", "abc-1 ", "\x80\xff", strings.Repeat("9", 3000), "abc-1,abc-2", "null"} {
		if id == "abc-1 " {
			id = "abc-1 x" // HTTP trims white space at the end
		}
		c := srv.SSE("", "Last-Event-ID: "+id)
		if c.Hello.Resume != "reset" {
			t.Errorf("%.40q: %s", id, c.Hello.Text)
		}
		if m := c.Want("snapshot"); m.I != 5 {
			t.Errorf("%.40q: %.100s", id, m.Text)
		}
		c.Cut(false)
	}
	c := srv.SSE("from=oldest", "Last-Event-ID:")
	if c.Hello.Resume != "none" {
		t.Errorf("empty id: %s", c.Hello.Text)
	}
}

// TestLiveGap checks that a connected client whose position leaves the log gets an exact gap.
func TestLiveGap(t *testing.T) {
	onLanes(t, testserver.Options{Log: stream.Config{Size: 512}, Settings: func(s *handlers.Settings) { s.WriteBuffer = 4096 }}, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		c := srv.SmallStream(lane, "")
		c.Want("snapshot")
		for range 300 {
			srv.Publish(100)
		}
		gaps := c.WantAllTicks(30_000)
		if gaps == 0 {
			t.Error("the client read 30,000 ticks from a log of 512 without a gap")
		}
		if got := srv.TickLog.Lane(lane); got.Gaps != gaps {
			t.Errorf("%d gaps counted, %d received", got.Gaps, gaps)
		}
	})
}

func TestErrorsNeverStandOnAnEventStream(t *testing.T) {
	onEngines(t, testErrorsNeverStandOnAnEventStream)
}

func testErrorsNeverStandOnAnEventStream(t *testing.T, engine string) {
	srv := newTestServer(t, testserver.Options{Engine: engine})
	c := srv.SSE("")
	c.Want("snapshot")
	answer, _ := srv.PostCommand(c.Hello.Conn, `{"action":"subscribe","topics":["NOPE"]}`)
	if answer.Status != http.StatusBadRequest {
		t.Fatalf("status %d", answer.Status)
	}
	srv.Publish(1)
	if m := c.Next(); m.T != "q" {
		t.Errorf("%s", m.Text)
	}
}
