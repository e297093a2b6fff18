package loadtest

import (
	"ticklane/internal/loadtest/client"
	"ticklane/internal/loadtest/report"
	"ticklane/internal/loadtest/stats"
)

// measurement is one window as it is measured.
type measurement struct {
	window  *report.Window
	hello   client.Hello
	start   serverStats // before the connections
	before  serverStats // at the start of the window
	after   serverStats // at its end
	ticks   uint64      // received in the window, by slow readers too
	dropErr error       // of the first dropped connection
}

// fill sets the figures of the window.
func (m *measurement) fill(c *clients) {
	w, totals, rest := m.window, c.recs.Totals(), stats.Recorders{c.rest}.Totals()
	w.Ticks, w.Messages, w.Reads, m.ticks = totals.Ticks, totals.Messages, totals.Reads, totals.Ticks+rest.Ticks
	w.PerSecond = float64(totals.Ticks) / w.Seconds
	w.Generator.Bytes, w.Generator.Saved = totals.Bytes, totals.Saved
	w.Churned = c.churns.Load()
	w.Latency = totals.Latency
	var slow report.Check
	w.Check, slow = c.counts()
	w.Dropped, m.dropErr = c.drops()
	if others := len(c.all) - w.Connections; others > 0 {
		w.SlowReaders = &report.SlowReaders{Connections: others, Gaps: slow.Gaps, Dropped: c.restDrops(), Check: slow}
	}
	m.fillServer(len(c.all))
}

// fillServer sets what the server used, with so many connections open.
func (m *measurement) fillServer(connections int) {
	a, b := m.after.Lanes[m.hello.Lane], m.before.Lanes[m.hello.Lane]
	s := &m.window.Server
	*s = report.Server{
		CPUSeconds: m.after.Process.CPUSeconds - m.before.Process.CPUSeconds,
		RSSIdle:    m.start.Process.RSS, RSSConnected: m.after.Process.RSS,
	}
	if m.ticks > 0 {
		s.CPUPerMillion = s.CPUSeconds / float64(m.ticks) * 1e6
	}
	if ticks := float64(a.Ticks - b.Ticks); ticks > 0 {
		s.WirePerTick = float64(a.Wire-b.Wire) / ticks
		s.PayloadPerTick = float64(a.Payload-b.Payload) / ticks
		s.WritesPerTick = float64(a.Writes-b.Writes) / ticks
	}
	if m.fresh() && s.RSSIdle > 0 && s.RSSConnected > s.RSSIdle {
		kib := float64(s.RSSConnected-s.RSSIdle) / 1024 / float64(connections)
		s.KiBPerConn = &kib
	}
}

// fresh reports whether the server had hardly any streams before this window. It keeps the memory of earlier streams.
func (m *measurement) fresh() bool {
	var opened uint64
	for _, l := range m.start.Lanes {
		opened += l.Opened
	}
	return opened*50 <= uint64(m.window.Connections)
}
