package natsbus

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"ticklane/internal/quote"
	"ticklane/internal/testkit"
)

// TestStreamDeleted: the nodes make it anew, with another epoch.
func TestStreamDeleted(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	publish(c.writing, 0, 20)
	c.agree(t, 20)
	if err := c.a.js.DeleteStream(t.Context(), c.a.streamName()); err != nil {
		t.Fatal(err)
	}
	c.newEpoch(t)
}

// newEpoch waits until all nodes have ended for a new epoch, and opens one of them again, as often as another epoch follows: two nodes may
// have begun one each.
func (c *cluster) newEpoch(t *testing.T) {
	t.Helper()
	before := c.a.Start().Position.Epoch
	for _, n := range []*node{c.a, c.b, c.c} {
		if err := n.ended(); !errors.Is(err, ErrEpoch) {
			t.Fatalf("Run returned %v", err)
		}
		n.close()
	}
	var n *node
	var w writing
	for w.ctx == nil {
		n = openNode(t, c.optionsOfA)
		if at := n.Start().Position; at.Epoch == before || at.Seq != 0 {
			t.Errorf("the log begins with %v after epoch %x", at, before)
		}
		n.run()
		started := n.write()
		select {
		case <-n.Bus.ended:
			n.close()
		case w = <-started:
		case <-time.After(2 * quick.lease):
			t.Fatal("the node didn't become the writer")
		}
	}
	publish(w, 0, 10)
	if got := n.got.Wait(t, 10); got[0].Seq != 1 || got[0].N != 1 {
		t.Errorf("first tick %+v", got[0])
	}
}

// TestMarkDeleted: the mark, or its bucket, is made again, during a term and by the next writer.
func TestMarkDeleted(t *testing.T) {
	t.Parallel()
	for name, remove := range map[string]func(*cluster) error{
		"key":    func(c *cluster) error { return c.a.marks.kv.Delete(t.Context(), markKey) },
		"bucket": func(c *cluster) error { return c.a.js.DeleteKeyValue(t.Context(), c.a.o.Prefix+"_mark") },
		"state":  func(c *cluster) error { return c.a.js.DeleteObjectStore(t.Context(), c.a.o.Prefix+"_state") },
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t)
			publish(c.writing, 0, 20)
			c.agree(t, 20)
			if err := remove(c); err != nil {
				t.Fatal(err)
			}
			c.store(t, 20, 20)
			c.agree(t, 40)
			stored := func() bool {
				m, _, err := c.a.marks.load(t.Context())
				return err == nil && m != nil && m.Seq == 40
			}
			testkit.Eventually(t, stored, "the mark is stored again")
			c.nextWriter(t)
			c.store(t, 40, 20)
			c.agree(t, 60)
		})
	}
}

// TestStreamEdited: the writer gives the stream its configuration back.
func TestStreamEdited(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	publish(c.writing, 0, 20)
	c.agree(t, 20)
	edited := c.a.streamConfig(c.a.Start().Position.Epoch)
	edited.Subjects, edited.MaxMsgs = []string{"other"}, 5
	if _, err := c.a.js.UpdateStream(t.Context(), edited); err != nil {
		t.Fatal(err)
	}
	c.nextWriter(t)
	c.store(t, 20, 20)
	c.agree(t, 40)
}

// TestMarkUnreadable: what the mark was can't be known, so the writer begins a new epoch.
func TestMarkUnreadable(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	publish(c.writing, 0, 20)
	c.agree(t, 20)
	if _, err := c.a.marks.kv.PutString(t.Context(), markKey, "x"); err != nil {
		t.Fatal(err)
	}
	c.newEpoch(t)
}

// TestStreamLosesItsEnd puts back an older copy of the server's store.
func TestStreamLosesItsEnd(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	publish(c.writing, 0, 20)
	c.agree(t, 20)
	copied := t.TempDir()
	c.restart(t, func() { copyDir(t, c.server.Dir(), copied) })
	c.store(t, 20, 20)
	c.agree(t, 40)
	c.restart(t, func() {
		if err := os.RemoveAll(c.server.Dir()); err != nil {
			t.Fatal(err)
		}
		copyDir(t, copied, c.server.Dir())
	})
	c.newEpoch(t)
}

// TestLaggingLeader: while the leader of the stream knows fewer messages than the nodes have read, as with a slow disk, nothing is lost. The
// feed goes on, and a new writer waits for the leader.
func TestLaggingLeader(t *testing.T) {
	t.Parallel()
	var lag, lagOfWriter, asked atomic.Int64
	c := newCluster(t, func(o *Options) {
		of := &lag
		if o.Name == "a" { // it writes, so the leader has acknowledged what it has read
			of = &lagOfWriter
		}
		o.faults.lag = func() uint64 {
			asked.Add(1)
			return uint64(of.Load())
		}
	})
	manyChecks := func() {
		t.Helper()
		before := asked.Load()
		testkit.Eventually(t, func() bool { return asked.Load() > before+30 }, "the nodes have compared their logs with the stream")
	}
	publish(c.writing, 0, 20)
	c.agree(t, 20)
	lag.Store(3)
	manyChecks()
	c.store(t, 20, 20)
	c.agree(t, 40)
	lagOfWriter.Store(3)
	c.deleteLease(t)
	manyChecks()
	lag.Store(0)
	lagOfWriter.Store(0)
	c.store(t, 40, 20)
	c.agree(t, 60)
}

func (c *cluster) restart(t *testing.T, meanwhile func()) {
	t.Helper()
	c.server.Stop()
	meanwhile()
	c.server.Start()
}

// writer returns the writer after a restart of the server, which is the same if the lease hasn't expired.
func (c *cluster) writer(t *testing.T) writing {
	t.Helper()
	testkit.Eventually(t, func() bool { return c.a.Status().StaleSince.IsZero() && c.b.Status().StaleSince.IsZero() }, "connected")
	for c.writing.ctx.Err() != nil {
		select {
		case c.writing = <-c.fromA:
		case c.writing = <-c.fromB:
		case <-time.After(30 * time.Second):
			t.Fatal("no writer")
		}
	}
	return c.writing
}

func copyDir(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// TestStoreWithoutItsEnd puts back an older copy of an embedded server's store. The mark is a file besides.
func TestStoreWithoutItsEnd(t *testing.T) {
	t.Parallel()
	o := options(t, "a")
	o.Dir = t.TempDir()
	epoch := writeTicks(t, o, 10).Epoch
	copied := t.TempDir()
	copyDir(t, o.Dir+"/jetstream", copied)
	if at := writeTicks(t, o, 10); at.Epoch != epoch || at.Seq != 20 {
		t.Fatalf("the log went on to %v after epoch %x", at, epoch)
	}
	if err := os.RemoveAll(o.Dir + "/jetstream"); err != nil {
		t.Fatal(err)
	}
	copyDir(t, copied, o.Dir+"/jetstream")
	n := openNode(t, o)
	n.run()
	n.write()
	if err := n.ended(); !errors.Is(err, ErrEpoch) {
		t.Fatalf("Run returned %v", err)
	}
	n.close()
	if at := writeTicks(t, o, 10); at.Epoch == epoch || at.Seq != 10 {
		t.Errorf("the log begins anew at %v after epoch %x", at, epoch)
	}
}

// TestLost: what a node that has read up to tick 20, in message 10 of term 5, finds at the end of the stream.
func TestLost(t *testing.T) {
	read := view{sequence: 10, head: 20, batch: 9, term: 5}
	newest := &message{term: 5, first: 20, count: 1, batch: 9}
	for name, c := range map[string]struct {
		view view
		end  end
		lost bool
	}{
		"all is there":                        {read, end{10, newest, &mark{Seq: 20, Batch: 9}}, false},
		"nothing was ever stored":             {view{}, end{0, nil, nil}, false},
		"a message is missing":                {read, end{9, newest, nil}, true},
		"another message has its place":       {read, end{10, &message{term: 6, first: 20, batch: 9, writer: "b"}, nil}, true},
		"the mark is higher":                  {read, end{10, newest, &mark{Seq: 21, Batch: 9}}, true},
		"a batch without ticks is missing":    {read, end{10, newest, &mark{Seq: 20, Batch: 10}}, true},
		"ticks were shown before":             {view{sequence: 10, head: 22, batch: 9, term: 5, own: 5}, end{10, newest, nil}, true},
		"ticks were shown before, and stored": {view{sequence: 10, head: 20, batch: 9, term: 5, own: 5}, end{10, newest, nil}, false},
	} {
		if got := c.end.lost(&c.view); (got != "") != c.lost {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestHole: a stream that lacks ticks before the first one of a term gets a new epoch, though no node can read it to its end.
func TestHole(t *testing.T) {
	t.Parallel()
	o := options(t, "a")
	o.Dir = t.TempDir()
	writeTicks(t, o, 10)
	n := openNode(t, o)
	n.run()
	testkit.Eventually(t, n.Ready, "everything is read")
	v := n.current()
	m := message{epoch: v.epoch, term: v.term + 1, begins: v.head + 4, first: v.head + 4, opens: v.batch + 1, batch: v.batch + 1, writer: "a"}
	if _, err := n.publishTerm(t.Context(), &m, v.sequence); err != nil {
		t.Fatal(err)
	}
	n.close()
	n = openNode(t, o)
	n.run()
	n.write()
	if err := n.ended(); !errors.Is(err, ErrEpoch) {
		t.Errorf("Run returned %v", err)
	}
}

// TestRewindTooLate: a stream that the node has read to its end has lost nothing, whatever it seemed before.
func TestRewindTooLate(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	publish(c.writing, 0, 20)
	c.agree(t, 20)
	term := c.c.current().term
	c.a.rewind(t.Context())
	c.c.readAgain(term, 0)
	c.store(t, 20, 20)
	c.agree(t, 40)
	if now := c.c.current().term; now != term {
		t.Errorf("term %d after %d", now, term)
	}
}

// writeTicks opens a node, publishes ticks and stops it in order. It returns its last position.
func writeTicks(t *testing.T, o Options, n int) quote.Position {
	t.Helper()
	node := openNode(t, o)
	defer node.close()
	node.run()
	w := await(t, node.write())
	publish(w, 0, n)
	node.got.Wait(t, n+int(w.from.Position.Seq-node.Start().Position.Seq))
	testkit.Eventually(t, func() bool {
		m, _, err := node.marks.load(t.Context())
		return err == nil && m != nil && m.Seq == node.current().head
	}, "the mark is written")
	return node.State().Position
}

// TestKilled kills a process with an embedded server: its log has all that was readable, and goes on.
func TestKilled(t *testing.T) {
	t.Parallel()
	if dir := os.Getenv("NATSBUS_KILLED"); dir != "" {
		publishUntilKilled(t, dir)
		return
	}
	dir := t.TempDir()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-test.run=^TestKilled$")
	cmd.Env = append(os.Environ(), "NATSBUS_KILLED="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var epoch, seq uint64
	lines := bufio.NewScanner(out)
	for seq < 2000 && lines.Scan() {
		if _, err := fmt.Sscanf(lines.Text(), "read %x %d", &epoch, &seq); err != nil {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
	}
	_ = cmd.Process.Kill()
	for lines.Scan() {
		var s uint64
		if _, err := fmt.Sscanf(lines.Text(), "read %x %d", &epoch, &s); err == nil {
			seq = s // the last line may be incomplete
		}
	}
	_ = cmd.Wait()
	if seq < 2000 {
		t.Fatalf("the process ended after tick %d", seq)
	}

	o := options(t, "a")
	o.Dir, o.LogSize = dir, 1_000_000
	n := openNode(t, o)
	n.run()
	w := await(t, n.write())
	if at := w.from.Position; at.Epoch != epoch || at.Seq < seq {
		t.Fatalf("the log goes on at %v, after %x-%d was read", at, epoch, seq)
	}
	publish(w, 0, 1)
	ticks := n.got.Wait(t, int(w.from.Position.Seq-n.Start().Position.Seq)+1)
	for i, k := range ticks {
		if want := n.Start().Position.Seq + uint64(i) + 1; k.Seq != want || i < len(ticks)-1 && k.Volume != quote.Size(want) {
			t.Fatalf("tick %+v, want seq %d", k, want)
		}
	}
	if n.Start().Position.Seq != 0 {
		t.Errorf("the log begins after %v, though it has room for all", n.Start().Position)
	}
}

// publishUntilKilled publishes ticks whose volume is their number, and prints which the sink has got.
func publishUntilKilled(t *testing.T, dir string) {
	o := options(t, "a")
	o.Dir = dir
	n := openNode(t, o)
	epoch := n.Start().Position.Epoch
	n.Attach(func(ticks []quote.Tick) {
		fmt.Println("read " + strconv.FormatUint(epoch, 16) + " " + strconv.FormatUint(ticks[len(ticks)-1].Seq, 10))
	})
	n.run()
	w := await(t, n.write())
	for i := 1; ; i++ {
		publish(w, i, 1)
	}
}

// TestStartInTheMiddle: a node's log has as many ticks as it may, and the newest ticks of the other symbols are known.
func TestStartInTheMiddle(t *testing.T) {
	t.Parallel()
	o := options(t, "a")
	o.Dir = t.TempDir()
	n := openNode(t, o)
	n.run()
	w := await(t, n.write())
	w.publish([]quote.Tick{{Symbol: 7, Volume: 77}})
	for i := range 300 {
		w.publish([]quote.Tick{{Symbol: 3, Volume: quote.Size(i)}})
		if i%10 == 0 {
			n.got.Wait(t, i+2) // so that there are many messages
		}
	}
	n.got.Wait(t, 301)
	want := n.State()
	n.close()

	for _, from := range []uint64{1000, 200} {
		o.Universe, o.Events = options(t, "a").Universe, quote.NewEvents(1)
		o.LogSize = 50
		o.From = func(_ context.Context, _ *nats.Conn, epoch uint64) (uint64, error) {
			if epoch != want.Position.Epoch {
				t.Errorf("epoch %x, want %x", epoch, want.Position.Epoch)
			}
			return from, nil
		}
		m := openNode(t, o)
		start := m.Start()
		if latest := min(from, 251); start.Position.Seq > latest || start.Position.Seq+50 < latest {
			t.Errorf("the log begins after %d, want about %d", start.Position.Seq, latest)
		}
		if len(start.Newest) != 1 || start.Newest[0].Symbol != 7 || start.Newest[0].Volume != 77 || start.N[7] != 1 || start.N[3] != 0 {
			t.Errorf("start %+v", start)
		}
		m.run()
		testkit.Eventually(t, m.Ready, "ready")
		if got := m.State(); got.Position != want.Position || !slices.Equal(got.Newest, want.Newest) || !slices.Equal(got.N, want.N) {
			t.Errorf("state %+v, want %+v", got, want)
		}
		if read := m.Status().Read; read != (Latency{}) {
			t.Errorf("latency %v of what was stored before the start", read)
		}
		m.close()
	}
}
