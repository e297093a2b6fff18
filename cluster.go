package main

import (
	"log/slog"
	"net"
	"time"

	"ticklane/internal/bus/natsbus"
	"ticklane/internal/cluster"
	"ticklane/internal/config"
	"ticklane/internal/metrics"
	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// newNodes returns the list of the nodes of the bus. nats is nil with another kind of bus, which has one node. settings returns those that
// should be the same on all nodes. ready reports whether the server accepts streams.
func newNodes(cfg config.Config, nats *natsBus, addr net.Addr, log *stream.Log, delayed *delayedFeed, settings func() []cluster.Setting, ready func() bool, logger *slog.Logger) *cluster.List {
	started := time.Now()
	open := func(lane wire.Lane) (n int) {
		for _, l := range delayed.logs(log) {
			n += l.Lane(lane).Connections
		}
		return n
	}
	o := cluster.Options{
		Prefix: cfg.Bus.NATS.Stream, Settings: settings, Logger: logger,
		Report: func() cluster.Report {
			head := log.Head()
			r := cluster.Report{
				Name: nodeName(cfg), Version: version, Address: addr.String(), Role: cluster.RoleSingle, Ready: ready(), Started: started.UnixMicro(),
				Epoch: wire.Epoch(head.Epoch), Head: head.Seq, SSE: open(wire.SSE), WS: open(wire.WS), Connected: true,
			}
			nats.describe(&r)
			if !r.Ready && r.Reason == "" {
				r.Reason = cluster.ReasonStopping
			}
			return r
		},
		Sent: func() (ticks, bytes uint64) {
			for lane := range wire.Lanes {
				for _, l := range delayed.logs(log) {
					s := l.Lane(lane)
					ticks, bytes = ticks+s.Ticks, bytes+s.Wire
				}
			}
			return ticks, bytes
		},
		Head: func() (string, uint64) {
			head := log.Head()
			return wire.Epoch(head.Epoch), head.Seq
		},
	}
	if nats != nil {
		o.Conn = nats.Conn()
	}
	return cluster.New(o)
}

// describe adds what the bus knows of this node to its report.
func (n *natsBus) describe(r *cluster.Report) {
	if n == nil {
		return
	}
	s := n.Status()
	r.Role, r.Term, r.Lag, r.Server, r.Connected, r.Error = s.Role, s.Term, s.Lag, s.Server, s.Connected, s.Err
	r.Read, r.Ack = latencyOf(s.Read), latencyOf(s.Ack)
	if since, stale := n.Stale(); stale {
		r.Stale = since.UnixMicro()
	}
	if !s.Ready {
		r.Ready, r.Reason = false, cluster.ReasonReading
	}
}

func latencyOf(l natsbus.Latency) cluster.Latency {
	return cluster.Latency{P50: max(0, l.P50.Microseconds()), P99: max(0, l.P99.Microseconds())}
}

// measure adds the figures of the bus to those of the metrics.
func (n *natsBus) measure(of *metrics.Sources, nodes *cluster.List) {
	if n == nil {
		return
	}
	of.Bus = func() metrics.BusStats {
		s, v := n.Status(), nodes.View(time.Now().UnixMicro())
		b := metrics.BusStats{
			Role: s.Role, Term: s.Term, Messages: s.Lag, Connected: s.Connected,
			Read: [2]time.Duration{s.Read.P50, s.Read.P99}, Ack: [2]time.Duration{s.Ack.P50, s.Ack.P99},
		}
		if since, stale := n.Stale(); stale {
			b.Stale = time.Since(since)
		}
		for i := range v.Nodes {
			switch x := &v.Nodes[i]; {
			case x.State == cluster.StateLost:
				b.Lost++
			case x.State == cluster.StateUp:
				b.Nodes++
			}
			if v.Nodes[i].Self {
				b.Ticks = v.Nodes[i].Behind
			}
			if v.Nodes[i].Duplicate {
				b.Duplicates++
			}
		}
		return b
	}
}
