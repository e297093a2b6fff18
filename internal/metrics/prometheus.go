package metrics

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// Sources are the sources of the metrics. Any of them may be nil.
type Sources struct {
	Stream *stream.Log
	Server func() ServerCounts
	// LogFailures returns the number of log records that could not be written.
	LogFailures func() uint64
	// AuditFailures returns the number of records of the audit log that could not be written.
	AuditFailures func() uint64
	// HistoryFailures returns how often bars could not be saved.
	HistoryFailures func() uint64
	// Reanchored returns how often the feed was more than a second behind its schedule and moved it.
	Reanchored func() uint64
	// Delayed are the views of the feed for clients with delayed rights, whose streams count in those of Stream too.
	Delayed []Delayed
	// HeldBytes returns the memory of the ticks that wait for the views.
	HeldBytes func() int64
	// Bus returns the figures of a bus that several nodes share.
	Bus func() BusStats
	// PendingRevocations returns how many revocations the other nodes of a cluster don't have yet.
	PendingRevocations func() int
	// Lines returns the lines of a feed that clients send, by what became of them.
	Lines func() (accepted, rejected, duplicates uint64)
}

// Delayed is a view of the feed as it was a time ago.
type Delayed struct {
	Delay  time.Duration
	Stream *stream.Log
	Held   func() uint64        // ticks that wait
	Late   func() time.Duration // how late the newest ticks were published
}

// ServerCounts are a server's counters since its start.
type ServerCounts struct {
	Requests  uint64 // answered
	Failures  uint64 // answered with a status of 500 or above
	Overloads uint64 // streams refused because a limit was reached
	Panics    uint64 // recovered

	RateRefusals        uint64 // those of Overloads because of limits.accept_rate
	RequestRefusals     uint64 // requests refused because of limits.requests
	Waiting             int    // refused clients whose time to reconnect has not come yet
	UnreadableAddresses uint64 // X-Forwarded-For of trusted proxies, missing or unreadable
	AcceptFailures      uint64 // of the listener
}

type collector struct{ of Sources }

// Handler serves GET /metrics: the metrics of the sources, the process and the Go runtime.
func Handler(of Sources) http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collector{of})
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{})
}

// Describe sends all descriptions.
func (c collector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

// Collect sends the current values.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	send := func(kind prometheus.ValueType, name, help string, value float64, lane []string) {
		desc := prometheus.NewDesc("ticklane_"+name, help, []string{"lane"}[:len(lane)], nil)
		ch <- prometheus.MustNewConstMetric(desc, kind, value, lane...)
	}
	count := func(name, help string, n uint64, lane ...string) {
		send(prometheus.CounterValue, name, help, float64(n), lane)
	}
	gauge := func(name, help string, n float64, lane ...string) { send(prometheus.GaugeValue, name, help, n, lane) }
	if log := c.of.Stream; log != nil {
		gauge("log_head", "Seq of the newest tick.", float64(log.Head().Seq))
		gauge("compress_sets", "Sets of topics that are compressed now.", float64(c.encoders()))
		gauge("log_oldest", "Seq of the oldest tick kept.", float64(log.Oldest()))
		for lane := range wire.Lanes {
			s, name := c.lane(lane), lane.String()
			gauge("connections", "Live streams.", float64(s.Connections), name)
			count("streams_total", "Streams opened.", s.Opened, name)
			count("ticks_total", "Ticks sent to clients.", s.Ticks, name)
			count("messages_total", "Messages sent to clients, including ticks.", s.Messages, name)
			count("writes_total", "Writes to sockets.", s.Writes, name)
			count("payload_bytes_total", "Bytes of messages sent, without framing.", s.Payload, name)
			count("wire_bytes_total", "Bytes written to sockets, including headers and framing.", s.Wire, name)
			count("gaps_total", "Gaps sent to clients.", s.Gaps, name)
			count("conflated_total", "Ticks skipped in mode latest.", s.Conflated, name)
			count("slow_total", "Clients disconnected because they did not read.", s.Slow, name)
			count("resumes_total", "Streams opened with a position.", s.Resumes, name)
			count("compress_in_bytes_total", "Framed bytes before compression.", s.CompressIn, name)
			count("compress_out_bytes_total", "Bytes after compression.", s.CompressOut, name)
			send(prometheus.CounterValue, "compress_seconds_total", "Time spent on compression for all clients of the lane.", s.CompressSeconds, []string{name})
		}
	}
	c.collectDelayed(ch)
	c.collectBus(ch)
	if c.of.Server != nil {
		s := c.of.Server()
		count("http_requests_total", "Requests answered.", s.Requests)
		count("http_failures_total", "Requests answered with a status of 500 or above.", s.Failures)
		count("overloads_total", "Streams refused because a limit was reached.", s.Overloads)
		count("panics_total", "Panics recovered from.", s.Panics)
		count("accept_rate_refusals_total", "Streams refused because of limits.accept_rate; part of overloads.", s.RateRefusals)
		count("request_refusals_total", "Requests refused because of limits.requests.", s.RequestRefusals)
		gauge("waiting_clients", "Refused clients whose time to reconnect has not come yet.", float64(s.Waiting))
		count("unreadable_addresses_total", "X-Forwarded-For headers of trusted proxies without a readable address.", s.UnreadableAddresses)
		count("accept_failures_total", "Connections that could not be accepted.", s.AcceptFailures)
	}
	if c.of.AuditFailures != nil {
		count("audit_failures_total", "Records of the audit log that could not be written.", c.of.AuditFailures())
	}
	if c.of.PendingRevocations != nil {
		gauge("cluster_pending_revocations", "Revocations of this node that wait for NATS: the other nodes don't have them yet.", float64(c.of.PendingRevocations()))
	}
	if c.of.LogFailures != nil {
		count("log_failures_total", "Log records that could not be written.", c.of.LogFailures())
	}
	if c.of.HistoryFailures != nil {
		count("history_failures_total", "Times bars could not be saved in data.dir.", c.of.HistoryFailures())
	}
	if c.of.Lines != nil {
		accepted, rejected, duplicates := c.of.Lines()
		count("feed_lines_accepted_total", "Lines of the feed that took effect.", accepted)
		count("feed_lines_rejected_total", "Invalid lines of the feed.", rejected)
		count("feed_lines_duplicate_total", "Lines of the feed that had come before.", duplicates)
	}
	if c.of.Reanchored != nil {
		count("feed_reanchored_total", "Times the feed was more than a second behind its schedule and moved it.", c.of.Reanchored())
	}
}

// lane returns what a lane did in the live log and in those of the views.
func (c collector) lane(lane wire.Lane) stream.LaneStats {
	sum := c.of.Stream.Lane(lane)
	for _, v := range c.of.Delayed {
		sum.Add(v.Stream.Lane(lane))
	}
	return sum
}

func (c collector) encoders() int {
	n := c.of.Stream.SharedEncoders()
	for _, v := range c.of.Delayed {
		n += v.Stream.SharedEncoders()
	}
	return n
}

// collectDelayed sends the figures of the views. Their label is the delay in seconds; the settings bound its values.
func (c collector) collectDelayed(ch chan<- prometheus.Metric) {
	for _, v := range c.of.Delayed {
		gauge := func(name, help string, value float64) {
			desc := prometheus.NewDesc("ticklane_delayed_"+name, help, []string{"delay"}, nil)
			ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, strconv.FormatFloat(v.Delay.Seconds(), 'f', -1, 64))
		}
		streams := 0
		for lane := range wire.Lanes {
			streams += v.Stream.Lane(lane).Connections
		}
		gauge("connections", "Live streams of the delay; part of connections.", float64(streams))
		gauge("log_head", "Seq of the newest tick that is as old as the delay.", float64(v.Stream.Head().Seq))
		gauge("held_ticks", "Ticks that wait until they are as old as the delay.", float64(v.Held()))
		gauge("late_seconds", "How long after the delay the newest ticks were published.", v.Late().Seconds())
	}
	if c.of.HeldBytes != nil {
		desc := prometheus.NewDesc("ticklane_held_bytes", "Memory of the ticks that wait for any delay.", nil, nil)
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(c.of.HeldBytes()))
	}
}
