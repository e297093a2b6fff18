package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// BusStats are the figures of a node and of its connection to the bus.
type BusStats struct {
	Role       string // one of roles
	Term       uint64
	Connected  bool
	Messages   uint64           // that were in the stream but not read at the newest check
	Ticks      uint64           // behind the largest head of another node
	Stale      time.Duration    // since the node may not have the newest ticks; 0 if it has
	Read, Ack  [2]time.Duration // p50 and p99: from the server's store to the node; from publishing to the acknowledgement
	Nodes      int              // known, this one included
	Lost       int              // without a report for 5 s
	Duplicates int              // with the name of another
}

var roles = []string{"writer", "standby", "reader"}

// collectBus sends the figures of the bus.
func (c collector) collectBus(ch chan<- prometheus.Metric) {
	if c.of.Bus == nil {
		return
	}
	b := c.of.Bus()
	gauge := func(name, help string, value float64, label ...string) {
		names := []string(nil)
		if len(label) > 0 {
			names, label = label[:1], label[1:]
		}
		ch <- prometheus.MustNewConstMetric(prometheus.NewDesc("ticklane_"+name, help, names, nil), prometheus.GaugeValue, value, label...)
	}
	for _, role := range roles {
		gauge("bus_role", "1 for the role of this node: writer, standby or reader.", number(role == b.Role), "role", role)
	}
	gauge("bus_term", "Term of the newest message that was read. It grows with each change of the writer.", float64(b.Term))
	gauge("bus_connected", "1 while the node is connected to NATS.", number(b.Connected))
	gauge("bus_lag_messages", "Messages in the stream that the node had not read at its newest check.", float64(b.Messages))
	gauge("bus_behind_ticks", "Ticks behind the largest head that another node reported.", float64(b.Ticks))
	gauge("bus_stale_seconds", "Since when the node may not have the newest ticks; 0 if it has.", b.Stale.Seconds())
	for i, quantile := range []string{"0.5", "0.99"} {
		gauge("bus_read_seconds", "From NATS's store to this node, of the newest 1,024 messages.", b.Read[i].Seconds(), "quantile", quantile)
		gauge("bus_ack_seconds", "From publishing to the acknowledgement, of the writer's newest 1,024 messages.", b.Ack[i].Seconds(), "quantile", quantile)
	}
	gauge("cluster_nodes", "Nodes that this one knows, by state: up or lost.", float64(b.Nodes), "state", "up")
	gauge("cluster_nodes", "Nodes that this one knows, by state: up or lost.", float64(b.Lost), "state", "lost")
	gauge("cluster_duplicate_names", "Nodes whose name another one has.", float64(b.Duplicates))
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
