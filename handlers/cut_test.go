package handlers_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"ticklane/handlers"
	"ticklane/internal/quote"
	"ticklane/internal/stream"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
	"ticklane/internal/wire/wiretest"
)

// Clients are cut by RST in the middle of every kind of message, reconnect with the position that they have by then, and
// must get the server's state: no tick is lost or received twice. A client's request depends only on the messages that are
// complete, so cuts around each message boundary and at random bytes within each message stand for cuts at every byte.
// Package stream's test of the same name cuts its streams after each byte, without sockets.

// cutScenario is a stream that is cut in each of its steps.
type cutScenario struct {
	name     string
	topics   string
	position string // of the client before the stream: "", "head", "expired" or "foreign"
	steps    []cutStep
}

// cutStep is what happens to all clients of a scenario before they read.
type cutStep struct {
	publish   int    // ticks, at once
	subscribe string // topics, by a command of each client
	want      string // the kinds of messages that follow, with equal ones in a row counted once
	cuts      int    // 0 for none
}

var cutScenarios = []cutScenario{
	{name: "start", topics: "*", steps: []cutStep{{want: "hello snapshot", cuts: 32}}},
	{name: "reset", topics: "*", position: "foreign", steps: []cutStep{{want: "hello snapshot", cuts: 24}}},
	{name: "expired", topics: "*", position: "expired", steps: []cutStep{{want: "hello gap snapshot", cuts: 34}, {publish: 1, want: "q"}}},
	{name: "lag", topics: "*", position: "head", steps: []cutStep{
		{publish: 2, want: "hello q", cuts: 20},
		{publish: cutMaxLag + 5, want: "gap snapshot", cuts: 28},
		{publish: 1, want: "q"},
	}},
	{name: "topics", topics: "S1,S2", position: "head", steps: []cutStep{
		{want: "hello"},
		{subscribe: "*", want: "subscription snapshot", cuts: 32},
		{publish: 2, want: "q", cuts: 16},
	}},
}

const (
	cutLogSize = 64
	cutMaxLag  = 20

	foreignPosition = "1-5"
)

// cutTest cuts the streams of one server, in one format.
type cutTest struct {
	*testserver.Server
	lane       wire.Lane
	compressed bool
	rng        *rand.Rand
	ticks      []wiretest.Message // all that were published, by their seq - 1
}

// cutFormats have a size of snapshot messages at which there are three parts.
var cutFormats = []struct {
	name, subprotocol string
	lane              wire.Lane
	chunk             int
}{
	{"sse", "", wire.SSE, 1200},
	{"ws", "", wire.WS, 1200},
	{"ws protobuf", protobuf, wire.WS, 500},
}

func TestCutAtEveryByte(t *testing.T) {
	onEngines(t, func(t *testing.T, engine string) {
		for _, f := range cutFormats {
			for _, compress := range []string{stream.CompressOff, stream.CompressOn} {
				if f.subprotocol != "" && compress == stream.CompressOff {
					continue // its frames are those of JSON
				}
				t.Run(f.name+" compress "+compress, func(t *testing.T) {
					t.Parallel()
					c := &cutTest{lane: f.lane, compressed: compress == stream.CompressOn, rng: testkit.Rand(t)}
					c.Server = newTestServer(t, testserver.Options{
						Engine: engine, Subprotocol: f.subprotocol,
						Symbols:  17, // above 16 a compressed snapshot is rendered by another goroutine
						Log:      stream.Config{Size: cutLogSize, MaxLag: cutMaxLag, SnapshotChunk: f.chunk, Compress: compress, MaxSharedEncoders: 16},
						Settings: func(s *handlers.Settings) { s.MaxStreams, s.MaxPerAddress = 10_000, 10_000 },
					})
					c.PublishSymbols(c.QuietSymbol()) // only snapshots have it from now on
					c.publish(2 * cutLogSize)
					for range testkit.Rounds(1, 30) {
						for _, sc := range cutScenarios {
							c.run(&sc)
						}
					}
					testkit.Eventually(t, func() bool { c.Publish(1); return liveStreams(c.Server) == 0 }, "the streams' end")
				})
			}
		}
	})
}

// publish publishes n ticks.
func (t *cutTest) publish(n int) {
	t.Publish(n)
	for {
		text := t.Ticks.JSON(t.head() + 1)
		if text == "" {
			return
		}
		m, err := wiretest.ParseMessage(text)
		if err != nil {
			t.Fatal(err)
		}
		t.ticks = append(t.ticks, m)
	}
}

func (t *cutTest) head() uint64 { return uint64(len(t.ticks)) }

// stateAt returns the JSON of each symbol's newest tick up to seq.
func (t *cutTest) stateAt(seq uint64) map[string]string {
	state := map[string]string{}
	for i := range t.ticks[:seq] {
		state[t.ticks[i].S] = t.ticks[i].Text
	}
	return state
}

// run plays a scenario to one client that isn't cut, from which it learns where the messages end, and to those that are.
func (t *cutTest) run(sc *cutScenario) {
	whole := t.newCutClient(sc)
	whole.body.single = true
	var clients []*cutClient
	for _, step := range sc.steps {
		for range step.cuts {
			clients = append(clients, t.newCutClient(sc))
		}
	}
	for i, step := range sc.steps {
		ends := t.play(&step, whole, clients)
		for n, at := range t.offsets(ends, step.cuts) {
			c := clients[n]
			c.where = fmt.Sprintf("%s, step %d, cut at byte %d of %d", sc.name, i+1, at, ends[len(ends)-1])
			c.cutAfter(at)
		}
		for _, c := range clients[step.cuts:] {
			c.mustCatchUp()
		}
		t.reconnect(clients[:step.cuts])
		clients = clients[step.cuts:]
		for _, c := range append(clients, whole) { // with what was published for those that have reconnected
			c.mustCatchUp()
		}
	}
	whole.verify(t.stateAt(t.head()))
	whole.Cut(true)
}

// play does what a step has, and returns where the messages end that whole gets. A stream may read while ticks are appended: then it gets
// some of them, and lags by fewer or not at all. The clients then catch up, and the step is repeated.
func (t *cutTest) play(step *cutStep, whole *cutClient, clients []*cutClient) (ends []int) {
	const most = 100 // a server that doesn't report the lag fails
	for try := 1; ; try++ {
		t.publish(step.publish)
		if step.subscribe != "" {
			for _, c := range append(clients, whole) {
				c.subscribe(step.subscribe)
			}
		}
		ends, kinds := whole.readStep()
		if kinds == step.want {
			return ends
		}
		if step.publish <= cutMaxLag || try == most {
			whole.fail("want %s", step.want)
		}
		for _, c := range clients {
			c.mustCatchUp()
		}
	}
}

// offsets returns n offsets at which to cut a step's bytes: up to two bytes around each message's end, the others random.
func (t *cutTest) offsets(ends []int, n int) []int {
	if n == 0 {
		return nil
	}
	size := ends[len(ends)-1]
	var all []int
	for _, end := range append([]int{0}, ends...) {
		for at := max(end-2, 0); at <= min(end+2, size); at++ {
			all = append(all, at)
		}
	}
	if len(all) > n {
		t.Fatalf("%d cuts are too few for messages that end at %v", n, ends)
	}
	for len(all) < n {
		all = append(all, t.rng.IntN(size+1))
	}
	return all
}

// reconnect checks that clients which were cut get the server's state.
func (t *cutTest) reconnect(clients []*cutClient) {
	for _, c := range clients {
		c.reconnect()
	}
	t.PublishSymbols(1) // one of the topics of every scenario
	t.publish(2)
	state := t.stateAt(t.head())
	for _, c := range clients {
		c.mustCatchUp()
		c.verify(state)
		c.Cut(true)
	}
}

// nextDue returns the seq of the first tick of some topics after seq, 0 if there is none.
func (t *cutTest) nextDue(topics []string, seq uint64) uint64 {
	for i := range t.ticks[seq:] {
		if slices.Contains(topics, "*") || slices.Contains(topics, t.ticks[seq:][i].S) {
			return seq + uint64(i) + 1
		}
	}
	return 0
}

// positionOf returns the position that a scenario's clients have before they connect, and its seq.
func (t *cutTest) positionOf(sc *cutScenario) (position string, seq uint64) {
	switch sc.position {
	case "head":
		seq = t.head()
	case "expired":
		seq = t.head() - cutLogSize - 10
	case "foreign":
		return foreignPosition, 0
	case "":
		return "", 0
	}
	return quote.Position{Epoch: t.Ticks.Epoch, Seq: seq}.String(), seq
}
