package handlers_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"ticklane/handlers"
	"ticklane/internal/market/ingest"
	"ticklane/internal/quote"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
	"ticklane/internal/wire/wiretest"
)

// growingFeed writes lines of instruments with any decimals, which appear one by one.
type growingFeed struct {
	*feedServer
	rng  *rand.Rand
	list []quote.Instrument
}

// step adds an instrument and writes lines of those that are there.
func (g *growingFeed) step() {
	in := quote.Instrument{
		Symbol: fmt.Sprintf("X%d", len(g.list)), Decimals: uint8(g.rng.IntN(quote.MaxDecimals + 1)), SizeDecimals: uint8(g.rng.IntN(quote.MaxDecimals + 1)), Negative: g.rng.IntN(3) == 0,
	}
	g.list = append(g.list, in)
	lines := []string{fmt.Sprintf(`{"T":"instrument","S":%q,"sector":"s%d","decimals":%d,"size_decimals":%d,"negative":%t}`, in.Symbol, len(g.list)%2, in.Decimals, in.SizeDecimals, in.Negative)}
	for i := range 1 + g.rng.IntN(6) {
		if i > 0 {
			in = g.list[g.rng.IntN(len(g.list))]
		}
		p := quote.Price(1 + g.rng.Int64N(1<<(1+g.rng.IntN(50))))
		if in.Negative {
			p -= quote.Price(g.rng.Int64N(1 << 50))
		}
		size := quote.Size(g.rng.Int64N(1 << (1 + g.rng.IntN(40)))).Format(in.SizeDecimals)
		switch g.rng.IntN(3) {
		case 0:
			lines = append(lines, fmt.Sprintf(`{"T":"trade","S":%q,"p":%s,"s":%s,"id":"%d","c":["<"]}`, in.Symbol, p.Format(in.Decimals), size, i))
		case 1:
			lines = append(lines, fmt.Sprintf(`{"T":"status","S":%q,"status":"halted"}`, in.Symbol))
		default:
			lines = append(lines, fmt.Sprintf(`{"T":"q","S":%q,"bp":%s,"ap":%s,"bs":%s}`, in.Symbol, p.Format(in.Decimals), (p+3).Format(in.Decimals), size))
		}
	}
	answer, text := g.Post("/api/ingest", strings.Join(lines, "\n"), ndjson)
	if answer.Status != 200 || !strings.Contains(text, `"rejected":0`) {
		g.Fatalf("%d %s for\n%s", answer.Status, text, strings.Join(lines, "\n"))
	}
}

// TestValuesOfAGrowingFeed: while instruments with any decimals appear, every client gets the exact values, in JSON and protobuf,
// compressed or not, live and resumed; trades, too.
func TestValuesOfAGrowingFeed(t *testing.T) { onEngines(t, testValuesOfAGrowingFeed) }

func testValuesOfAGrowingFeed(t *testing.T, engine string) {
	source, err := ingest.New(ingest.Options{MaxInstruments: 1000, MaxLine: 1000, LogSize: 4096})
	if err != nil {
		t.Fatal(err)
	}
	g := &growingFeed{rng: testkit.Rand(t), feedServer: runFeed(t, source, testserver.Options{Engine: engine, Log: compressing("on"), Settings: func(s *handlers.Settings) { s.RequestRate = 0 }})}
	for range 3 {
		g.step()
	}
	clients := map[string]func(query, position string) *testserver.Client{}
	for _, c := range []struct {
		lane        wire.Lane
		subprotocol string
		header      string
	}{{wire.SSE, "", ""}, {wire.SSE, "", testserver.AcceptGzip}, {wire.WS, "", ""}, {wire.WS, protobuf, ""}, {wire.WS, "", testserver.OfferDeflate}, {wire.WS, protobuf, testserver.OfferDeflate}} {
		clients[fmt.Sprintf("%v %s %s", c.lane, c.subprotocol, c.header)] = func(query, position string) *testserver.Client {
			x := g.Dial()
			x.Subprotocol = c.subprotocol
			var lines []string
			if c.header != "" {
				lines = []string{c.header}
			}
			if position != "" {
				query += "&from=" + position
			}
			x.RequestStream(c.lane, query, lines...)
			x.ReadHello()
			return x
		}
	}
	for name, open := range clients {
		for _, query := range []string{"channels=quotes,trades,bars,status", "channels=quotes,trades&topics=sector:s0", "mode=latest&interval=0"} {
			t.Run(name+" "+query, func(t *testing.T) {
				scales := wiretest.Scales{}
				latest := strings.HasPrefix(query, "mode=latest")
				position, symbols := "", 0
				for range testkit.Rounds(3, 6) {
					c := open(query, position)
					c.TB = t
					c.Frames.Scales = scales
					for range 5 {
						g.step()
					}
					if latest {
						maps.Copy(scales, g.scales())
					}
					head := g.TickLog.Head()
					// An unfiltered or conflated client ends at the head; the other one with its newest tick.
					last := head.Seq
					if strings.Contains(query, "sector") {
						for g.Ticks.Tick(last).Symbol%2 == 0 {
							last--
						}
					}
					for at := uint64(0); at < last; {
						m := c.Next()
						switch m.T {
						case "q":
							if want := g.Ticks.JSON(m.I); m.Text != want {
								t.Fatalf("got  %s\nwant %s", m.Text, want)
							}
							at = m.I
						case "snapshot":
							at = m.I
							for _, q := range m.Quotes {
								symbols++
								checkSnapshotQuote(t, g, string(q))
							}
						case "trade":
							checkTrade(t, g, m)
						case "hb", "status", "bar":
						default:
							t.Fatalf("%s", m.Text)
						}
					}
					position = quote.Position{Epoch: head.Epoch, Seq: last}.String()
					c.Cut(g.rng.IntN(2) == 0)
				}
				if symbols == 0 {
					t.Error("no quote of a snapshot was checked")
				}
			})
		}
	}
}

// scales returns those of /api/symbols.
func (g *growingFeed) scales() wiretest.Scales {
	_, body := g.Get("/api/symbols")
	var list struct {
		Symbols []struct {
			Symbol       string
			Decimals     int
			SizeDecimals int `json:"size_decimals"`
		}
	}
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		g.Fatal(err)
	}
	all := wiretest.Scales{}
	for _, s := range list.Symbols {
		all[s.Symbol] = wiretest.Scale{Price: s.Decimals, Size: s.SizeDecimals}
	}
	return all
}

// checkSnapshotQuote compares the part of a quote in a snapshot that a tick has.
func checkSnapshotQuote(t *testing.T, g *growingFeed, text string) {
	t.Helper()
	var q struct{ I uint64 }
	if err := json.Unmarshal([]byte(text), &q); err != nil {
		t.Fatal(err)
	}
	want := strings.TrimSuffix(g.Ticks.JSON(q.I), "}")
	if !strings.HasPrefix(text, want+",") {
		t.Fatalf("snapshot %s\nof        %s", text, want)
	}
}

// checkTrade compares a trade with its event.
func checkTrade(t *testing.T, g *growingFeed, m wiretest.Message) {
	t.Helper()
	k := g.Ticks.Tick(m.I)
	in, trade := g.TickLog.Universe().Instrument(k.Symbol), g.source.Events().Get(k.Event).Trade
	want := fmt.Sprintf(`{"T":"trade","S":%q,"p":%s,"s":%s,`, in.Symbol, trade.Price.Format(in.Decimals), trade.Size.Format(in.SizeDecimals))
	if !strings.HasPrefix(m.Text, want) {
		t.Fatalf("got  %s\nwant %s", m.Text, want)
	}
}
