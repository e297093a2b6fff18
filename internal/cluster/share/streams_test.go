package share

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"ticklane/internal/testkit"
	"ticklane/internal/testkit/natstest"
)

func TestStreamsOfOtherNodes(t *testing.T) {
	t.Parallel()
	f, s := newFiles(t), natstest.New(t, nil)
	a, b, c := f.start(t, s.URL(), settings{}), f.start(t, s.URL(), settings{}), f.start(t, s.URL(), settings{})
	others := func(n *node, subject string, want int) {
		t.Helper()
		testkit.Eventually(t, func() bool { return n.Streams.Others(subject) == want }, subject)
	}
	a.Streams.Set("ann", 1)
	a.Streams.Set("ann", 2)
	b.Streams.Set("ann", 3)
	b.Streams.Set("bob", 1)
	others(a, "ann", 3)
	others(b, "ann", 2)
	others(c, "ann", 5)
	others(c, "bob", 1)
	others(f.start(t, s.URL(), settings{}), "ann", 5) // a node that starts
	a.Streams.Set("ann", 0)
	others(c, "ann", 3)
	b.stop() // a node that ends in order doesn't count from then on
	others(c, "ann", 0)
	others(c, "bob", 0)
}

func TestStreamsWithoutNATS(t *testing.T) {
	t.Parallel()
	f, s := newFiles(t), natstest.New(t, nil)
	proxy := natstest.NewProxy(t, s)
	set := settings{timing: quick}
	set.timing.dead = 500 * time.Millisecond
	a, b := f.start(t, proxy.URL(), set), f.start(t, s.URL(), set)
	b.Streams.Set("ann", 2)
	a.Streams.Set("bob", 1)
	testkit.Eventually(t, func() bool { return a.Streams.Others("ann") == 2 && b.Streams.Others("bob") == 1 })
	proxy.Refuse(true)
	// For b the node a is dead. The node that was cut off goes on with what it knows.
	testkit.Eventually(t, func() bool { return b.Streams.Others("bob") == 0 }, "the streams of a dead node don't count")
	a.Streams.Set("bob", 4)
	b.Streams.Set("ann", 3)
	if n := a.Streams.Others("ann"); n != 2 {
		t.Errorf("%d streams of ann, want the last count", n)
	}
	proxy.Refuse(false)
	testkit.Eventually(t, func() bool { return a.Streams.Others("ann") == 3 && b.Streams.Others("bob") == 4 }, "after the cut")
	// The bucket is in memory: after a restart of the server the nodes store their counts again.
	s.Stop()
	s.Start()
	fresh := f.start(t, s.URL(), set)
	testkit.Eventually(t, func() bool { return fresh.Streams.Others("bob") == 4 }, "after a restart")
	testkit.Eventually(t, func() bool { return a.Streams.Others("ann") == 3 && b.Streams.Others("bob") == 4 })
}

// TestLostCounts checks that counts whose message was lost are stored in the end, and that those which NATS has lost are dropped.
func TestLostCounts(t *testing.T) {
	t.Parallel()
	f, s := newFiles(t), natstest.New(t, nil)
	a, b := f.start(t, s.URL(), settings{}), f.start(t, s.URL(), settings{})
	a.Streams.Set("ann", 1)
	testkit.Eventually(t, func() bool { return b.Streams.Others("ann") == 1 })
	key := countKey(a.Streams.id, subjectOf("ann"))
	for _, wrong := range []string{"0", "7"} {
		ack, err := a.revocations.o.JS.Publish(t.Context(), a.Streams.bucket.subject(key), []byte(wrong))
		if err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, func() bool {
			value, revision, err := a.Streams.bucket.get(t.Context(), key)
			return err == nil && revision > ack.Sequence && string(value) == "1"
		}, "stored again after", wrong)
		testkit.Eventually(t, func() bool { return b.Streams.Others("ann") == 1 })
	}
	b.Streams.mu.Lock()
	defer b.Streams.mu.Unlock()
	now := time.Now()
	b.Streams.reading++ // without the counts of a
	b.Streams.sweep = now
	b.Streams.lastOwn = now
	for _, p := range b.Streams.peers {
		p.seen = now
	}
	b.Streams.mu.Unlock()
	b.Streams.removeDead(now)
	n := b.Streams.Others("ann")
	b.Streams.mu.Lock()
	if n != 0 {
		t.Error("a count that the bucket has lost is still used")
	}
}

// TestSilence: heartbeats that no node could send or receive, such as while NATS elects a leader, make no node look dead.
func TestSilence(t *testing.T) {
	t.Parallel()
	s := newStreams(&Options{Prefix: "test", Replicas: 1, timing: quick, Logger: slog.New(slog.DiscardHandler)})
	const other = "0011223344556677"
	s.complete()
	if err := errors.Join(s.heartbeat(other, []byte(`{"name":"n"}`)), s.count(other, subjectOf("ann"), []byte("2"))); err != nil {
		t.Fatal(err)
	}
	ago := time.Now().Add(-2 * quick.dead)
	s.lastOwn, s.peers[other].seen = ago, ago
	s.removeDead(time.Now())
	if n := s.Others("ann"); n != 2 {
		t.Errorf("%d streams while no heartbeats arrive", n)
	}
	if err := s.heartbeat(s.id, []byte(`{"name":"own"}`)); err != nil {
		t.Fatal(err)
	}
	s.removeDead(time.Now())
	if n := s.Others("ann"); n != 2 {
		t.Errorf("%d streams when the own heartbeat arrives first", n)
	}
	s.peers[other].seen = ago
	s.removeDead(time.Now())
	if n := s.Others("ann"); n != 0 {
		t.Errorf("%d streams of a dead node", n)
	}
	if err := s.heartbeat(other, []byte(`{"name":"n"}`)); err != nil { // it was only stopped
		t.Fatal(err)
	}
	if n := s.Others("ann"); n != 2 {
		t.Errorf("%d streams of a node that goes on", n)
	}
}

func TestStreamsAreBounded(t *testing.T) {
	t.Parallel()
	s := newStreams(&Options{Prefix: "test", Replicas: 1, timing: quick, Logger: slog.New(slog.DiscardHandler)})
	id := func(i int) string { return fmt.Sprintf("%016x", i) }
	for i := range 10 * maxPeers {
		_ = s.heartbeat(id(i), []byte(`{"name":"n"}`))
	}
	if len(s.peers) > maxPeers {
		t.Errorf("%d nodes", len(s.peers))
	}
	for i := range maxSubjects + 10 {
		_ = s.count(id(0), subjectOf(fmt.Sprint(i)), []byte("1"))
	}
	if n := len(s.peers[id(0)].counts); n > maxSubjects {
		t.Errorf("%d subjects of a node", n)
	}
	// Nodes without heartbeats make room for new ones.
	later := time.Now().Add(quick.dead + time.Second)
	s.lastOwn = later
	s.removeDead(later)
	if err := s.heartbeat(id(1<<20), []byte(`{"name":"n"}`)); err != nil {
		t.Error(err)
	}
	for i := range maxSubjects + 100 { // subjects that come and go while NATS is away
		s.Set(fmt.Sprint(i), 1)
		s.Set(fmt.Sprint(i), 0)
	}
	if len(s.dirty) > maxSubjects+1 {
		t.Errorf("%d counts wait", len(s.dirty))
	}
}

func TestForgedStreams(t *testing.T) {
	t.Parallel()
	f, s := newFiles(t), natstest.New(t, nil)
	a, b := f.start(t, s.URL(), settings{}), f.start(t, s.URL(), settings{})
	id := strings.Repeat("ab", 8)
	ctx, bucket := context.Background(), a.Streams.bucket
	for key, value := range map[string]string{
		"node": "{}", "node.x": "{}", "node." + id: `{"name":1}`, "count." + id + "." + hex.EncodeToString(make([]byte, 16)): "-1",
		countKey(id, subjectOf("ann")): "1", strings.Repeat("k", 3000): "1", "count." + id: "1",
	} {
		if _, err := a.revocations.o.JS.Publish(ctx, bucket.subject(key), []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	b.Streams.Set("bob", 1)
	testkit.Eventually(t, func() bool { return a.Streams.Others("bob") == 1 })
	if n := a.Streams.Others("ann"); n != 0 {
		t.Errorf("%d streams of a node without a heartbeat", n)
	}
}

func FuzzStreamEntry(f *testing.F) {
	f.Add("node.0011223344556677", []byte(`{"name":"a"}`))
	f.Add("count.0011223344556677.00112233445566778899aabbccddeeff", []byte("5"))
	f.Fuzz(func(t *testing.T, key string, value []byte) {
		id, of, err := parseKey(key)
		if err == nil && of != nil && !strings.EqualFold(countKey(id, *of), key) || err == nil && of == nil && heartbeatKey(id) != key {
			t.Fatalf("%q is taken for another key", key)
		}
		if n, err := parseCount(value); err == nil && (n < 0 || n > maxCount) {
			t.Fatalf("%q is %d", value, n)
		}
		if h, err := parseHeartbeat(value); err == nil && h.Name == "" {
			t.Fatalf("%q is %v", value, h)
		}
	})
}
