package handlers_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ticklane/handlers"
	"ticklane/internal/quote"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

// delays are those of the views of delayedServer.
var delays = []time.Duration{300 * time.Millisecond, time.Second}

// onDelayedServer is onLanes for servers with views of delays.
func onDelayedServer(t *testing.T, f func(t *testing.T, srv *testserver.Server, lane wire.Lane)) {
	all := tokens{}
	for name, rights := range map[string]string{
		"live": `[{"read":["*"],"may":["connections"]}]`, "delayed": `[{"read":["*"],"delay":"250ms"}]`,
		"mixed": `[{"read":["S1","sector:odd"]},{"read":["*"],"delay":"300ms"}]`, "later": `[{"read":["*"],"delay":"301ms"}]`,
		"hour": `[{"read":["*"],"delay":"1h"},{"read":["S1"]}]`, "some": `[{"read":["S1"]},{"read":["S2"],"delay":"300ms"}]`,
	} {
		all[name] = principal(t, name, rights)
	}
	o := testserver.Options{Delays: delays, Deps: func(d *handlers.Deps) { d.Auth, d.Files = all, builtFiles() }}
	onLanes(t, o, f)
}

// ageChecker checks that what a server shows of its ticks isn't younger than a delay.
type ageChecker struct {
	*testserver.Server
	delay time.Duration
}

// tick checks the age of the tick at seq, 0 for none.
func (a ageChecker) tick(seq uint64, what string) {
	a.Helper()
	if seq > 0 {
		a.due(a.Ticks.Tick(seq).Due, what)
	}
}

// due checks the age of what was due at a time, in µs since 1970.
func (a ageChecker) due(at int64, what string) {
	a.Helper()
	const slack = 2 * time.Millisecond // between the clock of due times and the one that waits
	if age := time.Since(time.UnixMicro(at)); age < a.delay-slack {
		a.Fatalf("%.200s: %v old, want %v", what, age, a.delay)
	}
}

// quotes checks quotes of symbols as of seq.
func (a ageChecker) quotes(list []json.RawMessage, seq uint64) {
	a.Helper()
	a.tick(seq, "the position of quotes")
	for _, text := range list {
		var q struct {
			T   string `json:"T"`
			Due int64  `json:"t"`
			I   uint64 `json:"i"`
		}
		if err := json.Unmarshal(text, &q); err != nil || q.I > seq {
			a.Fatalf("%s at %d, %v", text, seq, err)
		}
		a.due(q.Due, string(text))
	}
}

// publishRandomly publishes a number of ticks in batches at random times.
func publishRandomly(srv *testserver.Server, r *rand.Rand, total int) {
	var running sync.WaitGroup
	running.Go(func() {
		for total > 0 {
			n := min(total, 1+r.IntN(20))
			srv.Publish(n)
			total -= n
			time.Sleep(time.Duration(r.IntN(20_000)) * time.Microsecond)
		}
	})
	srv.Cleanup(running.Wait)
}

// TestDelayedStreams: a client with delayed rights gets every tick once, as it was, over lost connections too, and neither these nor
// snapshots nor what it gets by requests is younger than its delay. A live client gets the ticks meanwhile.
func TestDelayedStreams(t *testing.T) {
	onDelayedServer(t, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		r := rand.New(rand.NewPCG(testkit.Rand(t).Uint64(), 1))
		check := ageChecker{srv, delays[0]}
		live, delayed := srv.Stream(lane, "snapshot=false", withToken("live")), srv.Stream(lane, "", withToken("delayed"))
		if !strings.Contains(delayed.Hello.Text, `"delay":300`) || strings.Contains(live.Hello.Text, `"delay"`) {
			t.Fatalf("%s and %s", live.Hello.Text, delayed.Hello.Text)
		}
		const total = 1500
		publishRandomly(srv, rand.New(rand.NewPCG(r.Uint64(), 2)), total)
		at := uint64(0)
		for at < total {
			switch m := delayed.Next(); m.T {
			case "snapshot":
				check.quotes(m.Quotes, m.I)
				if m.I < at {
					t.Fatalf("snapshot at %d after %d", m.I, at)
				}
				at = m.I
			case "q":
				check.tick(m.I, m.Text)
				if m.I != at+1 || m.Text != srv.Ticks.JSON(m.I) {
					t.Fatalf("%s after %d, want %s", m.Text, at, srv.Ticks.JSON(m.I))
				}
				at = m.I
			default:
				t.Fatalf("%s", m.Text)
			}
			if at > 0 && r.IntN(150) == 0 {
				delayed.Cut(r.IntN(2) == 0)
				position := quote.Position{Epoch: srv.Bus.Epoch(), Seq: at}.String()
				if delayed = srv.Stream(lane, "from="+position, withToken("delayed")); delayed.Hello.Resume != "complete" {
					t.Fatalf("%s after %d", delayed.Hello.Text, at)
				}
				check.tick(delayed.Hello.Head, delayed.Hello.Text)
				// Another client's snapshot of this moment.
				other := srv.Stream(lane, "topics=S3,S4", withToken("delayed"))
				m := other.Want("snapshot")
				check.quotes(m.Quotes, m.I)
				other.NetConn.Close()
			}
			if r.IntN(40) == 0 {
				requestDelayed(check, r)
			}
		}
		for seq := uint64(1); seq <= at; seq++ {
			if m := live.Next(); m.Text != srv.Ticks.JSON(seq) {
				t.Fatalf("live: %s, want %s", m.Text, srv.Ticks.JSON(seq))
			}
		}
	})
}

// requestDelayed makes each kind of request.
func requestDelayed(a ageChecker, r *rand.Rand) {
	a.Helper()
	symbol := quote.ID(r.IntN(5))
	name := "S" + strconv.Itoa(int(symbol))
	c, body := a.Get("/api/quotes?topics="+[]string{"*", "sector:odd", name}[r.IntN(3)], withToken("delayed"))
	var snapshot struct {
		I      uint64
		Quotes []json.RawMessage
	}
	if err := json.Unmarshal([]byte(body), &snapshot); err != nil || c.Status != http.StatusOK {
		a.Fatalf("%d %s", c.Status, body)
	}
	a.quotes(snapshot.Quotes, snapshot.I)

	testkit.Eventually(a, func() bool { // a page is cached for a moment
		c, body = a.Get("/", "Accept: text/html", withToken("delayed"))
		return c.Status == http.StatusOK && a.page(body) >= len(snapshot.Quotes)
	}, "the page has the quotes before")

	var page struct {
		I    uint64
		Bars []struct{ H, L, C json.Number }
	}
	_, body = a.Get("/api/history?interval=10s&symbol="+name, withToken("delayed"))
	if err := json.Unmarshal([]byte(body), &page); err != nil {
		a.Fatal(err)
	}
	closing := ""
	if n := len(page.Bars); n > 0 {
		closing = page.Bars[n-1].C.String()
	}
	a.close(symbol, page.I, closing, body)

	c, body = a.Get("/api/history?format=csv&interval=10s&symbol="+name, withToken("delayed"))
	position, err := quote.ParsePosition(c.Header.Get("Ticklane-Position"))
	if err != nil {
		a.Fatal(err)
	}
	rows := strings.Split(strings.TrimSpace(body), "\r\n")
	closing = ""
	if len(rows) > 1 {
		closing = strings.Split(rows[len(rows)-1], ",")[4]
	}
	a.close(symbol, position.Seq, closing, body)

	var lines struct {
		I     uint64
		Lines []struct{ C []json.Number }
	}
	_, body = a.Get("/api/closes?interval=10s&topics="+name, withToken("delayed"))
	if err := json.Unmarshal([]byte(body), &lines); err != nil {
		a.Fatal(err)
	}
	a.tick(lines.I, body)
	for _, line := range lines.Lines {
		if n := len(line.C); n > 0 {
			a.oldClose(symbol, line.C[n-1].String(), body)
		}
	}
}

// page checks the prices of the page without scripts. It returns how many there are.
func (a ageChecker) page(body string) int {
	a.Helper()
	_, body, _ = strings.Cut(body, "<body>")
	symbols, prices := noscriptSymbols(body), lastPrice.FindAllStringSubmatch(body, -1)
	if len(prices) != len(symbols) {
		a.Fatalf("%d prices of %d symbols", len(prices), len(symbols))
	}
	for i, name := range symbols {
		id, ok := a.TickLog.Universe().Lookup(name)
		if !ok {
			a.Fatalf("symbol %q", name)
		}
		a.oldClose(id, prices[i][1], name+" on the page")
	}
	return len(symbols)
}

// close checks the newest close of a symbol as of seq, "" for none: it is that of the symbol's newest tick by then.
func (a ageChecker) close(symbol quote.ID, seq uint64, closing, body string) {
	a.Helper()
	a.tick(seq, body)
	want := ""
	for ; seq > 0; seq-- {
		if k := a.Ticks.Tick(seq); k.Symbol == symbol {
			want = k.Last.Format(2)
			break
		}
	}
	if closing != want {
		a.Fatalf("close %q, want %q: %s", closing, want, body)
	}
}

// oldClose checks that a close is that of a tick that is old enough.
func (a ageChecker) oldClose(symbol quote.ID, closing, body string) {
	a.Helper()
	for seq := a.TickLog.Head().Seq; seq > 0; seq-- {
		if k := a.Ticks.Tick(seq); k.Symbol == symbol && k.Last.Format(2) == closing && time.Since(time.UnixMicro(k.Due)) >= a.delay-2*time.Millisecond {
			return
		}
	}
	a.Fatalf("close %s is of no tick that is old enough: %s", closing, body)
}

// TestDelayedEvents: trades, changes of status and bars come with their ticks, as on a live stream.
func TestDelayedEvents(t *testing.T) {
	onDelayedServer(t, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		const query = "channels=quotes,trades,bars,status&snapshot=false"
		live, delayed := srv.Stream(lane, query, withToken("live")), srv.Stream(lane, query, withToken("delayed"))
		minute := time.Now().Truncate(time.Minute).Add(-time.Minute).UnixMicro()
		ticks := make([]quote.Tick, 40)
		for i := range ticks {
			ticks[i] = quote.Tick{Symbol: quote.ID(i % 3), Bid: 100, Ask: 102, Last: quote.Price(100 + i), Volume: quote.Size(10 * i), Due: minute + int64(i)*3_000_000, Received: minute + int64(i)*3_000_001}
			var e quote.Event
			if i%4 == 1 {
				e.Trade = &quote.Trade{Price: ticks[i].Last, Size: 10, ID: strconv.Itoa(i), Conditions: []string{"@", "T"}, Venue: "V"}
			}
			if i%5 == 1 {
				e.Status, ticks[i].Halted = &quote.Status{State: quote.StateHalted, Reason: "news"}, true
			}
			if e != (quote.Event{}) {
				ticks[i].Event = srv.Events.Put(e)
			}
		}
		srv.Bus.Publish(ticks[:10])
		srv.Bus.Publish(ticks[10:])
		seen := map[string]int{}
		for at := uint64(0); at < 40; {
			want, got := live.Next(), delayed.Next()
			if got.Text != want.Text {
				t.Fatalf("%s, live %s", got.Text, want.Text)
			}
			seen[got.T]++
			at = max(at, got.I)
			if got.T != "q" && got.I == 40 {
				at--
			}
		}
		if seen["q"] != 40 || seen["trade"] != 10 || seen["status"] != 8 || seen["bar"] != 3 {
			t.Errorf("%v", seen)
		}
	})
}

// TestViews: the topics of a request and the rights choose the view: the longest delay of the topics, and of the views the one with the
// shortest delay that suffices.
func TestViews(t *testing.T) {
	onDelayedServer(t, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		for _, c := range []struct {
			token, topics string
			delay         time.Duration
		}{
			{"live", "*", 0}, {"delayed", "*", delays[0]}, {"delayed", "S1", delays[0]}, {"later", "S1,S2", delays[1]},
			{"mixed", "S1", 0}, {"mixed", "sector:odd", 0}, {"mixed", "S3", 0}, {"mixed", "S2", delays[0]}, {"mixed", "S1,S2", delays[0]}, {"mixed", "*", delays[0]},
			{"hour", "S1", 0}, {"some", "S1", 0}, {"some", "*", delays[0]}, {"some", "S1,S2", delays[0]},
		} {
			stream := srv.Stream(lane, "topics="+c.topics, withToken(c.token))
			hellos := []string{stream.Hello.Text}
			stream.NetConn.Close()
			if lane == wire.WS { // its token may come as the first message, too
				late := openWS(srv, "topics="+c.topics)
				late.SendText(`{"action":"auth","token":"` + c.token + `"}`)
				hellos = append(hellos, late.Want("hello").Text)
				late.NetConn.Close()
			}
			for _, text := range hellos {
				var hello struct{ Delay int64 }
				if err := json.Unmarshal([]byte(text), &hello); err != nil || hello.Delay != c.delay.Milliseconds() {
					t.Errorf("%s, %s: %s, want %v", c.token, c.topics, text, c.delay)
				}
			}
		}
		for _, path := range []string{"/" + lane.String() + "/subscribe?topics=S1,S2", "/api/quotes", "/api/closes?topics=*", "/api/history?symbol=S2", "/api/history?symbol=S2&format=csv", "/"} {
			lines := []string{withToken("hour")}
			if strings.HasPrefix(path, "/ws") {
				lines = append(lines, testserver.Upgrade...)
			}
			if c, body := srv.Get(path, lines...); c.Status != http.StatusForbidden || !strings.Contains(body, "auth.delays") {
				t.Errorf("%s: %d %s", path, c.Status, body)
			}
		}
		if c, body := srv.Get("/api/quotes?topics=S3", withToken("some")); c.Status != http.StatusForbidden {
			t.Errorf("a topic outside the rights: %d %s", c.Status, body)
		}
	})
}

// TestPositionsOfDelayedStreams: the position of a tick that isn't old enough yet is unknown to the view, and a live client continues
// from that of a delayed one.
func TestPositionsOfDelayedStreams(t *testing.T) {
	onDelayedServer(t, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		srv.Publish(10)
		testkit.Eventually(t, func() bool { return srv.Delayed[1].Log.Head().Seq == 10 }, "ticks to be old enough")
		srv.Publish(5)
		position := func(seq uint64) string { return "from=" + quote.Position{Epoch: srv.Bus.Epoch(), Seq: seq}.String() }
		ahead := srv.Stream(lane, position(15), withToken("later"))
		if h := ahead.Hello; h.Resume != "reset" || h.Head != 10 && h.Head != 15 {
			t.Fatalf("%s", h.Text)
		}
		if ahead.Hello.Head == 10 { // the machine was fast enough
			first := ahead.Want("snapshot").I
			if first != 10 && first != 15 {
				t.Fatalf("a snapshot at %d", first)
			}
			for i := first + 1; i <= 15; i++ {
				if m := ahead.Want("q"); m.I != i {
					t.Fatalf("%s, want %d", m.Text, i)
				}
			}
		}
		live := srv.Stream(lane, position(10), withToken("live"))
		if m := live.Want("q"); live.Hello.Resume != "complete" || m.I != 11 {
			t.Fatalf("%s, %s", live.Hello.Text, m.Text)
		}
	})
}

// TestDelayedStreamsAreListed: lists, commands and the end of the server include the streams of every view.
func TestDelayedStreamsAreListed(t *testing.T) {
	onDelayedServer(t, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		var ids []string
		delayed := srv.Stream(lane, "topics=S1&user=one", withToken("delayed"))
		mixed := srv.Stream(lane, "topics=S1&user=two", withToken("mixed"))
		later := srv.Stream(lane, "topics=S1&user=three", withToken("later"))
		var cursor string
		for {
			_, body := srv.Get("/api/connections?limit=1"+cursor, withToken("live"))
			var list struct {
				Connections []struct{ User string }
				Total       struct{ SSE, WS int }
				Next        string
			}
			if err := json.Unmarshal([]byte(body), &list); err != nil || list.Total.SSE+list.Total.WS != 3 || len(list.Connections) != 1 {
				t.Fatalf("%s, %v", body, err)
			}
			ids = append(ids, list.Connections[0].User)
			if cursor = "&cursor=" + list.Next; list.Next == "" {
				break
			}
		}
		if fmt.Sprint(ids) != "[one two three]" {
			t.Errorf("%v", ids)
		}
		if c, body := srv.Get("/"+lane.String()+"/connections/"+delayed.Hello.Conn, withToken("delayed")); c.Status != http.StatusOK {
			t.Errorf("%d %s", c.Status, body)
		}
		// Another topic of the same delay is added, one with a longer delay isn't.
		for _, x := range []struct {
			c    *testserver.Client
			want string
		}{{delayed, ""}, {mixed, wire.CodeDelayedTopic}} {
			token := withToken(map[bool]string{true: "delayed", false: "mixed"}[x.c == delayed])
			code := ""
			if lane == wire.SSE {
				_, body := srv.PostCommand(x.c.Hello.Conn, `{"action":"subscribe","topics":["S2"]}`, token)
				var p problem
				if err := json.Unmarshal([]byte(body), &p); err != nil {
					t.Fatal(err)
				}
				code = p.Code
			} else {
				x.c.SendText(`{"action":"subscribe","topics":["S2"]}`)
				for {
					if m := x.c.Next(); m.T == "subscription" || m.T == "error" {
						code = m.Code
						break
					}
				}
			}
			if code != x.want {
				t.Errorf("code %q, want %q", code, x.want)
			}
		}
		mixed.NetConn.Close()
		later.NetConn.Close()
		stopped := make(chan error)
		go func() { stopped <- srv.Stop(testserver.Timeout) }()
		for m := delayed.Next(); m.T != "bye"; m = delayed.Next() {
			continue
		}
		delayed.NetConn.Close()
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	})
}
