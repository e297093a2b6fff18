package stream

import (
	"fmt"
	"testing"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/testkit"
	"ticklane/internal/wire"
)

// A client may be cut after any byte. These tests record the bytes of a stream, cut it after each of them, reconnect as the
// client does, and compare its state with the log's.

// cutScenario is a stream to be cut.
type cutScenario struct {
	name   string
	cfg    Config
	head   uint64 // of the log when the client connects
	opt    Options
	topics []string // nil for all
	play   func(r *cutRecorder)
	want   string // the kinds of messages of a JSON stream
}

var cutScenarios = []cutScenario{
	{name: "latest", head: 30, want: "hello snapshot×5 q×4 hb",
		play: func(r *cutRecorder) { r.append(4); r.silence() }},
	{name: "oldest", head: 6, opt: Options{From: FromOldest}, want: "hello q×9",
		play: func(r *cutRecorder) { r.append(3) }},
	{name: "complete", head: 30, opt: Options{From: FromPosition, Position: position(25)}, want: "hello q×7 hb bye",
		play: func(r *cutRecorder) { r.append(2); r.silence(); r.client.End(wire.ByeShutdown) }},
	{name: "reset", head: 30, opt: Options{From: FromPosition, Position: quote.Position{Epoch: 1, Seq: 5}},
		want: "hello snapshot×5 q×3", play: func(r *cutRecorder) { r.append(3) }},
	{name: "unknown", head: 30, opt: Options{From: FromUnknown}, want: "hello snapshot×5", play: func(*cutRecorder) {}},
	{name: "expired", cfg: Config{Size: 40}, head: 90, opt: Options{From: FromPosition, Position: position(2)},
		want: "hello gap snapshot×5 q×3", play: func(r *cutRecorder) { r.append(3) }},
	{name: "expired of some topics", cfg: Config{Size: 40}, head: 90, opt: Options{From: FromPosition, Position: position(2)},
		topics: []string{"sector:odd"}, want: "hello gap snapshot×3 q×3", play: func(r *cutRecorder) { r.append(6) }},
	{name: "lag", cfg: Config{MaxLag: 20}, head: 30, want: "hello snapshot×5 q×2 gap snapshot×5 q×3",
		play: func(r *cutRecorder) { r.append(2); r.append(25); r.append(3) }},
	{name: "conflated", cfg: Config{MaxLag: 20, OnLag: OnLagLatest}, head: 30, want: "hello snapshot×5 gap snapshot×5 q×3",
		play: func(r *cutRecorder) { r.append(25); r.append(3) }},
	{name: "mode latest", head: 30, opt: Options{Mode: ModeLatest}, want: "hello snapshot×5 q×9 hb",
		play: func(r *cutRecorder) { r.append(40); r.silence() }},
	{name: "topics", head: 60, topics: []string{"S1", "S2"},
		want: "hello snapshot q×2 subscription snapshot time snapshot×2 q×8 subscription×2 snapshot×5 q×3",
		play: func(r *cutRecorder) {
			r.append(9)
			r.command(wire.ActionSubscribe, "sector:odd", "S1")
			for range 2 { // the subscription, and a part of its snapshot
				r.next()
			}
			r.command(wire.ActionTime)
			r.append(9)
			r.command(wire.ActionUnsubscribe, "S2")
			r.append(4)
			r.command(wire.ActionSubscribe, "*")
			r.drain()
			r.append(3)
		}},
}

// cutRecorder records the bytes of a stream.
type cutRecorder struct {
	t        *testing.T
	fixture  *fixture
	log      *Log
	client   *client
	now      time.Time
	bytes    []byte
	commands []wire.Command // changes of topics
}

// next records what one call of Next returns.
func (r *cutRecorder) next() bool {
	b := r.client.Next(r.now)
	r.bytes = append(r.bytes, b...)
	return len(b) > 0
}

func (r *cutRecorder) drain() {
	for r.next() {
	}
}

func (r *cutRecorder) append(n uint64) {
	r.fixture.play(r.log, r.log.Head().Seq+n)
	r.drain()
}

// silence lets a heartbeat become due.
func (r *cutRecorder) silence() {
	r.now = r.now.Add(time.Hour)
	r.drain()
}

func (r *cutRecorder) command(action string, topics ...string) {
	cmd := wire.Command{Action: action, Topics: topics}
	if action != wire.ActionTime {
		r.commands = append(r.commands, cmd)
	}
	if err := r.client.EnqueueCommand(cmd, r.now); err != nil {
		r.t.Fatal(err)
	}
}

func TestCutAtEveryByte(t *testing.T) {
	forEachFormat(t, func(t *testing.T, format wire.Format) {
		for _, sc := range cutScenarios {
			t.Run(sc.name, func(t *testing.T) { sc.run(t, format) })
		}
	})
}

func (sc cutScenario) run(t *testing.T, format wire.Format) {
	p := newFixture(t, 20_000)
	if sc.cfg.Size == 0 {
		sc.cfg.Size = 8192
	}
	sc.cfg.SnapshotChunk = 500
	if len(sc.topics) == 0 {
		sc.topics = []string{"*"}
	}
	l := p.log(t, sc.cfg)
	p.play(l, sc.head)
	opt := sc.opt
	opt.Format, opt.Topics = format, p.topics(t, sc.topics...)
	r := &cutRecorder{t: t, fixture: p, log: l, client: newClient(t, l, opt), now: noon}
	r.drain()
	sc.play(r)
	r.drain()
	r.client.Close()

	clients := []*cutClient{newCutClient(r, &sc, false)}
	if format == wire.SSEJSON {
		clients = append(clients, newCutClient(r, &sc, true))
	}
	for _, c := range clients {
		reconnected := ""
		for k := range len(r.bytes) + 1 {
			c.receive(k)
			now := c.describe()
			if now != reconnected {
				p.play(l, l.Head().Seq+1) // so that the log has changed
			}
			if now != reconnected || testkit.Stress() { // otherwise the client would send the same request again
				c.reconnect(fmt.Sprintf("%d of %d bytes", k, len(r.bytes)))
			}
			reconnected = now
		}
		if got := runs(c.kinds); format.Encoding() == wire.JSON && got != sc.want {
			t.Errorf("the stream was %q, want %q", got, sc.want)
		}
	}
}
