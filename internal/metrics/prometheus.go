package metrics

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// Sources are the sources of the metrics. Any of them may be nil.
type Sources struct {
	Stream *stream.Log
	// Server returns its counters: requests, responses with status 500 and above, rejected streams, recovered panics.
	Server func() (requests, failures, overloads, panics uint64)
	// Reanchored returns how often the feed was more than a second behind its schedule and moved it.
	Reanchored func() uint64
}

type collector struct{ of Sources }

var (
	perLane = []string{"lane"}

	headDesc         = desc("log_head", "Seq of the newest tick.", nil)
	oldestDesc       = desc("log_oldest", "Seq of the oldest tick kept.", nil)
	connectionsDesc  = desc("connections", "Live streams.", perLane)
	openedDesc       = desc("streams_total", "Streams opened.", perLane)
	ticksDesc        = desc("ticks_total", "Ticks sent to clients.", perLane)
	messagesDesc     = desc("messages_total", "Messages sent to clients, including ticks.", perLane)
	writesDesc       = desc("writes_total", "Writes to sockets.", perLane)
	payloadDesc      = desc("payload_bytes_total", "Bytes of messages sent, without framing.", perLane)
	wireDesc         = desc("wire_bytes_total", "Bytes written to sockets, including headers and framing.", perLane)
	gapsDesc         = desc("gaps_total", "Gaps sent to clients.", perLane)
	conflatedDesc    = desc("conflated_total", "Ticks skipped in mode latest.", perLane)
	slowDesc         = desc("slow_total", "Clients disconnected because they did not read.", perLane)
	resumesDesc      = desc("resumes_total", "Streams opened with a position.", perLane)
	compressInDesc   = desc("compress_in_bytes_total", "Framed bytes before compression.", perLane)
	compressOutDesc  = desc("compress_out_bytes_total", "Bytes after compression.", perLane)
	compressTimeDesc = desc("compress_seconds_total", "Time spent on compression for all clients of the lane.", perLane)
	compressSetsDesc = desc("compress_sets", "Sets of topics that are compressed now.", nil)

	requestsDesc   = desc("http_requests_total", "Requests answered.", nil)
	failuresDesc   = desc("http_failures_total", "Requests answered with a status of 500 or above.", nil)
	overloadsDesc  = desc("overloads_total", "Streams rejected because a limit was reached.", nil)
	panicsDesc     = desc("panics_total", "Panics recovered from.", nil)
	reanchoredDesc = desc("feed_reanchored_total", "Times the feed was more than a second behind its schedule and moved it.", nil)
)

func desc(name, help string, labels []string) *prometheus.Desc {
	return prometheus.NewDesc("ticklane_"+name, help, labels, nil)
}

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
	count := func(d *prometheus.Desc, n uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	gauge := func(d *prometheus.Desc, n float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, n, labels...)
	}
	if log := c.of.Stream; log != nil {
		gauge(headDesc, float64(log.Head().Seq))
		gauge(compressSetsDesc, float64(log.SharedEncoders()))
		gauge(oldestDesc, float64(log.Oldest()))
		for lane := range wire.Lanes {
			s, name := log.Lane(lane), lane.String()
			gauge(connectionsDesc, float64(s.Connections), name)
			count(openedDesc, s.Opened, name)
			count(ticksDesc, s.Ticks, name)
			count(messagesDesc, s.Messages, name)
			count(writesDesc, s.Writes, name)
			count(payloadDesc, s.Payload, name)
			count(wireDesc, s.Wire, name)
			count(gapsDesc, s.Gaps, name)
			count(conflatedDesc, s.Conflated, name)
			count(slowDesc, s.Slow, name)
			count(resumesDesc, s.Resumes, name)
			count(compressInDesc, s.CompressIn, name)
			count(compressOutDesc, s.CompressOut, name)
			ch <- prometheus.MustNewConstMetric(compressTimeDesc, prometheus.CounterValue, s.CompressSeconds, name)
		}
	}
	if c.of.Server != nil {
		requests, failures, overloads, panics := c.of.Server()
		count(requestsDesc, requests)
		count(failuresDesc, failures)
		count(overloadsDesc, overloads)
		count(panicsDesc, panics)
	}
	if c.of.Reanchored != nil {
		count(reanchoredDesc, c.of.Reanchored())
	}
}
