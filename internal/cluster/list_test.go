package cluster

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"

	"ticklane/internal/testkit"
	"ticklane/internal/testkit/natstest"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// options are those of a node in tests. Its head is 100.
func options(name, role string) Options {
	return Options{
		Prefix: "test", Report: func() Report { return Report{Name: name, Role: role, Epoch: "e", Head: 100, Ready: true} },
		Sent: func() (uint64, uint64) { return 0, 0 }, Head: func() (string, uint64) { return "e", 100 }, Logger: slog.New(slog.DiscardHandler),
	}
}

// begun returns a list with its own node, and the time.
func begun(o Options) (*List, time.Time) {
	l, now := New(o), time.Now()
	l.report(now)
	return l, now
}

// reportOf is the message of another node.
func reportOf(id, name, role string, change func(*message)) []byte {
	m := message{Format: format, ID: id, Report: Report{Name: name, Role: role, Epoch: "e", Head: 100, Term: 1}}
	if change != nil {
		change(&m)
	}
	return m.encode()
}

// states returns the names with their states.
func states(v View) string {
	var all []string
	for _, n := range v.Nodes {
		s := n.Name + " " + n.State
		if n.Duplicate {
			s += " duplicate"
		}
		all = append(all, s)
	}
	return strings.Join(all, ", ")
}

func want(t *testing.T, got, want any) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("got %s, want %s", g, w)
	}
}

func TestNodesFindEachOther(t *testing.T) {
	t.Parallel()
	srv := natstest.New(t, nil)
	type node struct {
		*List
		stop context.CancelFunc
	}
	start := func(name, role string) node {
		conn, err := nats.Connect(srv.URL())
		if err != nil {
			t.Fatal(err)
		}
		o := options(name, role)
		o.Conn = conn
		ctx, cancel := context.WithCancel(t.Context())
		n := node{New(o), cancel}
		var running sync.WaitGroup
		running.Go(func() { n.Run(ctx) })
		t.Cleanup(func() {
			cancel()
			running.Wait()
			conn.Close()
		})
		return n
	}
	a, b := start("a", RoleWriter), start("b", RoleReader)
	testkit.Eventually(t, func() bool {
		return states(a.View(0)) == "a up, b up" && states(b.View(0)) == "a up, b up" && b.View(0).Writer == "a"
	}, "both nodes to know each other")
	v := b.View(0)
	if v.Bus != "nats" || !v.Connected || v.Self != "b" || len(v.Nodes[0].Points) == 0 || v.Changes[0].Node != "a" {
		t.Errorf("%+v", v)
	}
	b.stop()
	testkit.Eventually(t, func() bool { return states(a.View(0)) == "a up, b left" }, "the end of b to be known")
	srv.Stop()
	testkit.Eventually(t, func() bool { return !a.View(0).Connected }, "the connection to be lost")
}

func TestNodeIsLostAndForgotten(t *testing.T) {
	l, now := begun(options("a", RoleReader))
	l.receive(reportOf("1", "b", RoleWriter, nil), now)
	want(t, states(l.view(0, now)), "a up, b up")
	want(t, states(l.view(0, now.Add(5100*time.Millisecond))), "a up, b lost")
	want(t, l.view(0, now.Add(5100*time.Millisecond)).Writer, "")
	l.report(now.Add(4 * time.Minute))
	want(t, states(l.view(0, now.Add(4*time.Minute))), "a up, b lost")
	l.report(now.Add(6 * time.Minute))
	want(t, states(l.view(0, now.Add(6*time.Minute))), "a up")
}

func TestNamesOfSeveralNodes(t *testing.T) {
	var logged bytes.Buffer
	o := options("a", RoleReader)
	o.Logger = slog.New(slog.NewTextHandler(&logged, nil))
	l, now := begun(o)
	step := func(id string) {
		now = now.Add(time.Second)
		l.receive(reportOf(id, "b", RoleReader, nil), now)
		l.report(now)
	}
	step("1")
	step("2") // a restart: the first reports no more
	want(t, states(l.view(0, now)), "a up, b up")
	want(t, len(l.view(0, now).Nodes[1].Points), 2) // with those from before
	step("3")
	step("2")
	step("3")
	want(t, states(l.view(0, now)), "a up, b up duplicate, b up duplicate")
	want(t, len(l.view(0, now).Nodes[2].Points), 2) // its own
	step("2")
	if n := strings.Count(logged.String(), "same name"); n != 1 {
		t.Errorf("logged %d times, want once:\n%s", n, &logged)
	}
	for range 3 {
		step("3")
	}
	want(t, states(l.view(0, now.Add(4*time.Second))), "a up, b lost, b up")
}

func TestBehindIsOfTheSameMoment(t *testing.T) {
	l, now := begun(options("a", RoleReader))
	ahead := func(epoch string, head uint64) []byte {
		return reportOf("1", "b", RoleWriter, func(m *message) { m.Epoch, m.Head = epoch, head })
	}
	l.receive(ahead("e", 130), now)
	l.receive(ahead("e", 90), now)
	l.receive(ahead("other", 9000), now)
	want(t, l.report(now).Behind, 30)
	want(t, l.report(now).Behind, 0)
}

func TestChangesOfTheWriter(t *testing.T) {
	l, now := begun(options("a", RoleStandby))
	start := now
	at := func(after time.Duration, data []byte) {
		now = start.Add(after)
		l.receive(data, now)
		l.report(now)
	}
	term := func(n uint64) func(*message) { return func(m *message) { m.Term = n } }
	at(0, reportOf("1", "b", RoleWriter, term(1)))
	at(1*time.Second, reportOf("2", "c", RoleWriter, term(2)))
	at(2*time.Second, reportOf("1", "b", RoleWriter, term(1))) // it has not noticed yet
	at(3*time.Second, reportOf("2", "c", RoleWriter, func(m *message) { m.Leaving = true }))
	at(3500*time.Millisecond, reportOf("1", "b", RoleStandby, term(2)))
	at(4*time.Second, reportOf("1", "b", RoleStandby, term(2)))
	at(6*time.Second, reportOf("1", "b", RoleStandby, term(2)))
	var all []string
	for _, c := range l.view(0, now).Changes {
		all = append(all, fmt.Sprintf("%s %d at %d ms", c.Node, c.Term, (c.At-start.UnixMicro())/1000))
	}
	// After c has left, b is the writer of an older term until it reports what it knows.
	want(t, strings.Join(all, ", "), "b 1 at 0 ms, c 2 at 1000 ms, b 1 at 3000 ms,  0 at 3500 ms")
}

func TestRatesAndPoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options("a", RoleSingle)
		var ticks uint64
		o.Sent = func() (uint64, uint64) { ticks += 50; return ticks, 4 * ticks }
		l := New(o)
		ctx, cancel := context.WithCancel(t.Context())
		go l.Run(ctx)
		time.Sleep(20*time.Minute + interval/2)
		v := l.View(0)
		if n := v.Nodes[0]; n.Ticks != 50 || n.Bytes != 200 || len(n.Points) != maxPoints || v.Bus != "memory" || !n.Self {
			t.Errorf("%+v", v)
		}
		want(t, len(l.View(time.Now().Add(-10 * time.Second).UnixMicro()).Nodes[0].Points), 10)
		cancel()
		synctest.Wait()
	})
}

func TestNodesAreBounded(t *testing.T) {
	l, now := begun(options("a", RoleReader))
	for i := range 2 * maxNodes {
		l.receive(reportOf(fmt.Sprint(i), fmt.Sprint("n", i), RoleReader, nil), now)
	}
	want(t, len(l.view(0, now).Nodes), 1+maxNodes)
}

// TestLostNodesMakeRoom: in a full list those that are silent give way to a node that reports, and the others stay.
func TestLostNodesMakeRoom(t *testing.T) {
	l, now := begun(options("a", RoleReader))
	for i := range maxNodes {
		l.receive(reportOf(fmt.Sprint(i), fmt.Sprint("n", i), RoleReader, nil), now.Add(time.Duration(i)))
	}
	later := now.Add(lostAfter + time.Second)
	for i := 3; i < maxNodes; i++ {
		l.receive(reportOf(fmt.Sprint(i), fmt.Sprint("n", i), RoleReader, nil), later)
	}
	for i := range 5 {
		l.receive(reportOf(fmt.Sprint("new", i), fmt.Sprint("new", i), RoleReader, nil), later)
	}
	v := states(l.view(0, later))
	for _, node := range []string{"n3 up", "n255 up", "new0 up", "new1 up", "new2 up"} {
		if !strings.Contains(v, node) {
			t.Errorf("no %s", node)
		}
	}
	for _, node := range []string{"n0 ", "n1 ", "n2 ", "new3", "new4"} {
		if strings.Contains(v, node) {
			t.Errorf("%s is listed", node)
		}
	}
}
