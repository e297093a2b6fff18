//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// drillCase is something that fails and is mended.
type drillCase struct {
	name, what string
	hold       time.Duration // how long it fails
	after      time.Duration // how long the load goes on then; 0 for loadAfter
	newEpoch   bool          // the log must begin anew
	lines      bool          // with a feed of lines that are sent to any node, in place of the simulator
	within     time.Duration // in which the feed must go on; 0 for no limit
	// fail makes it fail. It returns which part does, and a function that mends it, nil if nothing is to be mended.
	fail func(ctx context.Context, p *parts) (which string, mend func() error, err error)
}

const (
	failover  = 5 * time.Second // in which another writer must go on
	drainTime = 2 * time.Second
	diskDelay = 100 * time.Millisecond
)

// allCases returns the cases in the order in which they run.
func allCases() []drillCase {
	// A NATS cluster needs longer than a node until everything works again.
	const short, long, slow, slower = 4 * time.Second, 6 * time.Second, 7 * time.Second, 15 * time.Second
	all := []drillCase{
		{name: "writer-kill", what: "the node that runs the feed is killed (SIGKILL) and started again", hold: long, within: failover, fail: node(writer, kill)},
		{name: "writer-stop", what: "the node that runs the feed is stopped (SIGSTOP) and goes on", hold: long, within: failover, fail: node(writer, stop)},
		{name: "writer-cut-nats", what: "the node that runs the feed is cut off from NATS, not from its clients", hold: long, within: failover, fail: node(writer, cut(back))},
		{name: "writer-cut", what: "the node that runs the feed is cut off from everything", hold: long, within: failover, fail: node(writer, cut(front, back))},
		{name: "standby-kill", what: "another node is killed and started again", hold: short, within: failover, fail: node(standby, kill)},
		{name: "standby-stop", what: "another node is stopped and goes on", hold: short, within: failover, fail: node(standby, stop)},
		{name: "standby-cut-nats", what: "another node is cut off from NATS, not from its clients", hold: long, within: failover, fail: node(standby, cut(back))},
		{name: "standby-cut", what: "another node is cut off from everything", hold: short, within: failover, fail: node(standby, cut(front, back))},
		{name: "nodes-rolling", what: "all nodes are restarted in order, one after the other (SIGTERM)", within: failover, fail: rolling},
	}
	for _, x := range []struct {
		name, what string
		pick       pick
		hold       time.Duration
	}{
		{"leader", "the NATS server that leads the stream", leader, long},
		{"follower", "a NATS server that follows", follower(1), short},
		{"other", "the third NATS server", follower(2), short},
	} {
		all = append(all,
			drillCase{name: "nats-" + x.name + "-kill", what: x.what + " is killed and started again", hold: x.hold, after: slow, fail: server(x.pick, kill)},
			drillCase{name: "nats-" + x.name + "-stop", what: x.what + " is stopped and goes on", hold: x.hold, after: slow, fail: server(x.pick, stop)},
			drillCase{name: "nats-" + x.name + "-cut", what: x.what + " is cut off from everything", hold: x.hold, after: slow, fail: server(x.pick, cut(back, routes))})
	}
	return append(all,
		drillCase{name: "nats-leader-routes", what: "the NATS server that leads the stream is cut off from the other two, not from the nodes", hold: long, after: slow, fail: server(leader, cut(routes))},
		drillCase{name: "nats-all", what: "all NATS servers are killed and started again", hold: 2 * time.Second, after: slower, fail: killAll},
		drillCase{name: "disk-full", what: "the disk of the NATS server that leads the stream is full; later it has room and the server is restarted", hold: long, after: slow, fail: server(leader, fillDisk)},
		drillCase{name: "disk-slow", what: "the disk of the NATS server that leads the stream is slow: each write takes " + diskDelay.String() + " longer", hold: long, after: slow, fail: server(leader, slowDisk)},
		drillCase{name: "disk-slow-all", what: "the disks of all NATS servers are slow", hold: long, after: slow, fail: slowDisks},
		drillCase{name: "disk-slow-writer-kill", what: "the disk of the NATS server that leads the stream is slow, and the node that runs the feed is killed", hold: long, after: slow, within: failover, fail: slowThen(server(leader, slowDisk), node(writer, kill))},
		drillCase{name: "stream-deleted", what: "the stream is deleted", newEpoch: true, fail: deleteStream},
		drillCase{name: "lines-writer-kill", what: "lines are sent to all nodes in turn, and the one that runs the feed is killed and started again", hold: long, lines: true, within: failover, fail: node(writer, kill)},
		drillCase{name: "lines-writer-cut-nats", what: "lines are sent to all nodes in turn, and the one that runs the feed is cut off from NATS", hold: long, lines: true, within: failover, fail: node(writer, cut(back))},
		drillCase{name: "lines-nats-leader-kill", what: "lines are sent to all nodes in turn, and the NATS server that leads the stream is killed", hold: long, after: slow, lines: true, fail: server(leader, kill)})
}

// selectCases returns the cases whose names begin with one of the prefixes, separated by commas; all without any.
func selectCases(prefixes string) (chosen []drillCase, err error) {
	all := allCases()
	if prefixes == "" {
		return all, nil
	}
	var names []string
	for _, c := range all {
		names = append(names, c.name)
	}
	for prefix := range strings.SplitSeq(prefixes, ",") {
		if prefix == "" || !slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, prefix) }) {
			return nil, fmt.Errorf("case %q: want a name or its beginning, of %s", prefix, strings.Join(names, ", "))
		}
	}
	for _, c := range all {
		if slices.ContainsFunc(strings.Split(prefixes, ","), func(prefix string) bool { return strings.HasPrefix(c.name, prefix) }) {
			chosen = append(chosen, c)
		}
	}
	return chosen, nil
}

// pick returns the number of the part that fails.
type pick func(ctx context.Context, p *parts) (int, error)

func writer(ctx context.Context, p *parts) (int, error) { return p.writer(ctx) }

func standby(ctx context.Context, p *parts) (int, error) {
	k, err := p.writer(ctx)
	return (k + 1) % members, err
}

func leader(ctx context.Context, p *parts) (int, error) { return p.leader(ctx) }

func follower(n int) pick {
	return func(ctx context.Context, p *parts) (int, error) {
		k, err := p.leader(ctx)
		return (k + n) % members, err
	}
}

// failure makes a part fail and returns how to mend it.
type failure func(ctx context.Context, x *part) (mend func() error, err error)

type failFunc = func(ctx context.Context, p *parts) (which string, mend func() error, err error)

func node(which pick, how failure) failFunc {
	return failing(func(p *parts) *[members]*part { return &p.nodes }, which, how)
}

func server(which pick, how failure) failFunc {
	return failing(func(p *parts) *[members]*part { return &p.nats }, which, how)
}

func failing(of func(*parts) *[members]*part, which pick, how failure) failFunc {
	return func(ctx context.Context, p *parts) (string, func() error, error) {
		k, err := which(ctx, p)
		if err != nil {
			return "", nil, err
		}
		x := of(p)[k]
		mend, err := how(ctx, x)
		return x.name(), mend, err
	}
}

func kill(_ context.Context, x *part) (func() error, error) { return x.start, x.kill() }

func stop(_ context.Context, x *part) (func() error, error) {
	return func() error { return x.signal(syscall.SIGCONT) }, x.signal(syscall.SIGSTOP)
}

func cut(networks ...string) failure {
	return func(ctx context.Context, x *part) (func() error, error) {
		return func() error { return x.rejoin(ctx, networks...) }, x.cut(ctx, networks...)
	}
}

// fillDisk fills the file system of a NATS server's store.
func fillDisk(_ context.Context, x *part) (func() error, error) {
	path := filepath.Join(x.store, "filler")
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for size := 1 << 20; size > 0; { // up to the last byte
		if _, err = f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		return nil, fmt.Errorf("the disk isn't full: %w", err)
	}
	return func() error { return errors.Join(os.Remove(path), x.kill(), x.start()) }, nil
}

// slowDisk delays each write to the files of a NATS server, and each sync of one.
func slowDisk(ctx context.Context, x *part) (func() error, error) {
	const calls = "pwrite64,fsync,fdatasync" // the server writes to connections with others
	tracer := newProcess(filepath.Dir(x.logTo), "strace", nil, "strace", "-f", "-o", os.DevNull, "-p", strconv.Itoa(x.cmd.Process.Pid),
		"-e", "trace="+calls, "-e", fmt.Sprintf("inject=%s:delay_enter=%d", calls, diskDelay.Microseconds()))
	if err := tracer.start(); err != nil {
		return nil, err
	}
	return func() error { return tracer.terminate(ctx, 5*time.Second) }, nil
}

// slowThen makes a disk slow, and then another part fail.
func slowThen(first, second failFunc) failFunc {
	return func(ctx context.Context, p *parts) (string, func() error, error) {
		a, mendA, err := first(ctx, p)
		if err != nil {
			return a, nil, err
		}
		time.Sleep(20 * diskDelay) // until the leader lags
		b, mendB, err := second(ctx, p)
		if err != nil {
			return b, nil, errors.Join(err, mendA())
		}
		return a + ", " + b, func() error { return errors.Join(mendB(), mendA()) }, nil
	}
}

// slowDisks is slowDisk for all NATS servers.
func slowDisks(ctx context.Context, p *parts) (string, func() error, error) {
	var all []func() error
	mend := func() (err error) {
		for _, f := range all {
			err = errors.Join(err, f())
		}
		return err
	}
	for _, x := range p.nats {
		f, err := slowDisk(ctx, x)
		if err != nil {
			return "", nil, errors.Join(err, mend())
		}
		all = append(all, f)
	}
	return "all NATS servers", mend, nil
}

func killAll(_ context.Context, p *parts) (string, func() error, error) {
	for _, x := range p.nats {
		if err := x.kill(); err != nil {
			return "", nil, err
		}
	}
	return "all NATS servers", func() (err error) {
		for _, x := range p.nats {
			err = errors.Join(err, x.start())
		}
		return err
	}, nil
}

// rolling restarts each node once the one before is ready.
func rolling(ctx context.Context, p *parts) (string, func() error, error) {
	for _, x := range p.nodes {
		if err := x.terminate(ctx, 20*time.Second); err != nil {
			return "", nil, err
		}
		if err := x.start(); err != nil {
			return "", nil, err
		}
		if err := until(ctx, 20*time.Second, x.ready); err != nil {
			return "", nil, fmt.Errorf("%s isn't ready after its restart: %w", x.name(), err)
		}
		time.Sleep(drainTime) // until HAProxy knows
	}
	return "all nodes", nil, nil
}

func deleteStream(ctx context.Context, p *parts) (string, func() error, error) {
	return "stream", nil, p.js.DeleteStream(ctx, p.streamName())
}
