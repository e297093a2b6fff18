package handlers

import (
	"time"

	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

const (
	// behindWait is how long a client waits for a position that another server had earlier.
	behindWait = time.Second
	// behindRetry is the minimum retry time after that, in which a load balancer may notice that this server is behind.
	behindRetry = time.Second
)

// admit waits until the log has the position that the client resumes from, and takes the slots of the stream. It returns nil, or why
// the stream can't be opened.
func (s *streams) admit(opt *subscription) *refusal {
	if !s.awaitPosition(opt) {
		return s.admission.refuse(&refusal{wire.ByeOverload, "this server hasn't read the ticks up to the client's position from NATS yet", behindRetry})
	}
	return s.admission.admit(opt.Principal, opt.Address)
}

// awaitPosition waits up to behindWait until the log has the position of the client, if another server may have sent it. It reports
// whether the stream may be opened: not if the client would get ticks again. In a delayed feed the position may be one of the live feed,
// which is answered with a reset.
func (s *streams) awaitPosition(opt *subscription) bool {
	ahead := func() bool {
		head := opt.view.log.Head()
		return opt.Position.Epoch == head.Epoch && opt.Position.Seq > head.Seq
	}
	if !s.set.SharedLog || opt.From != stream.FromPosition || !ahead() {
		return true
	}
	const interval = 20 * time.Millisecond
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for end := time.Now().Add(behindWait); time.Now().Before(end); {
		<-tick.C
		if !ahead() || s.limiter.Closed() {
			return true
		}
	}
	return opt.view.delay > 0
}
