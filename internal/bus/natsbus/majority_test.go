package natsbus

import (
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"ticklane/internal/bus/natserr"
	"ticklane/internal/quote"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/natstest"
)

// TestNoMajority: without most of the NATS servers the nodes say so in their status and, once for each of their parts, in their logs. The writer
// says that it has lost the lease. All go on by themselves.
func TestNoMajority(t *testing.T) {
	t.Parallel()
	c := natstest.NewCluster(t, 3)
	var log testkit.Log
	o := options(t, "a")
	o.URL, o.Replicas = c.URL(), 3
	o.timing.stepDown, o.timing.lease = 2*time.Second, 5*time.Second
	o.Logger = slog.New(slog.NewTextHandler(io.MultiWriter(&log, t.Output()), nil))
	n := openNode(t, o)
	n.run()
	started := n.write()
	await(t, started).publish([]quote.Tick{{}})
	n.got.Wait(t, 1)
	c[1].Stop()
	c[2].Stop()
	testkit.Eventually(t, func() bool {
		return log.Count("lost the lease: NATS didn't renew it within 2s, so another server may write now") == 1
	}, "the lease to be lost")
	testkit.Eventually(t, func() bool {
		s := n.Status()
		return strings.HasPrefix(s.Err, natserr.ErrAway.Error()+": ") && !s.StaleSince.IsZero()
	}, "the status")
	// Not that the stream isn't available: a server without the others may still describe it.
	testkit.Eventually(t, func() bool { return log.Count(natserr.ErrAway.Error()) > 0 }, "the log")
	for _, server := range c[1:] {
		server.Start()
	}
	w := await(t, started)
	w.publish([]quote.Tick{{}})
	n.got.Wait(t, 2)
	testkit.Eventually(t, func() bool { s := n.Status(); return s.Err == "" && s.StaleSince.IsZero() }, "the node is well again")
	if times := log.Count(natserr.ErrAway.Error()); times > 6 || log.Count("context canceled") > 0 {
		t.Errorf("logged %d times", times)
	}
}
