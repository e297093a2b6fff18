package handlers

import (
	"cmp"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"ticklane/internal/netconn"
	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// refusal describes why a stream isn't opened.
type refusal struct {
	reason string        // reason of the bye
	cause  string        // a sentence for people; names the setting
	retry  time.Duration // time after which the client may reconnect
}

const (
	// overloadRetry is the minimum retry time when a limit of open streams is reached.
	overloadRetry = 2 * time.Second
	// rateRetry is the minimum retry time when limits.accept_rate is exceeded.
	rateRetry = time.Second
	// spreadRate is the rate at which refused clients reconnect if new streams have no limit, per second.
	spreadRate = 4000
)

// admission decides whether streams are opened, on both lanes and engines. It is safe for concurrent use.
type admission struct {
	limiter  *netconn.Limiter // of open streams
	rate     *rate.Limiter    // of new streams; nil for no limit
	retries  *retrySchedule
	observer *observer
}

func newAdmission(set Settings, limiter *netconn.Limiter, o *observer) *admission {
	a := &admission{limiter: limiter, retries: &retrySchedule{rate: cmp.Or(set.AcceptRate, spreadRate)}, observer: o}
	if set.AcceptRate > 0 {
		a.rate = rate.NewLimiter(rate.Limit(set.AcceptRate), int(math.Ceil(set.AcceptRate))) // the burst is one second's worth
	}
	return a
}

// admit takes a slot of the limiter for a client address and returns nil, or returns why the stream can't be opened. The
// caller must release the slot.
func (a *admission) admit(address string) *refusal {
	if refused := a.acquire(address); refused != nil {
		return refused
	}
	if a.rate == nil || a.rate.Allow() {
		return nil
	}
	a.limiter.Release(address)
	return a.refuseRate()
}

// probe returns what admit would return now. It leaves slots and limits.accept_rate to the clients that open a stream.
func (a *admission) probe(address string) *refusal {
	if refused := a.acquire(address); refused != nil {
		return refused
	}
	a.limiter.Release(address)
	if a.rate == nil || a.rate.Tokens() >= 1 {
		return nil
	}
	return a.refuseRate()
}

// acquire takes a slot of the limiter and returns nil, or returns why there is none.
func (a *admission) acquire(address string) *refusal {
	switch a.limiter.Acquire(address) {
	case netconn.ShuttingDown:
		return &refusal{wire.ByeShutdown, "the server is shutting down.", stream.ByeRetry(wire.ByeShutdown, overloadRetry, a.spread(a.limiter.Open()))}
	case netconn.Overloaded:
		return a.refuse("limits.connections or limits.per_address is reached.", stream.ByeRetry(wire.ByeOverload, overloadRetry, 0))
	}
	return nil
}

// refuseRate refuses a stream because of limits.accept_rate.
func (a *admission) refuseRate() *refusal {
	a.observer.rateRefusals.Add(1)
	return a.refuse("more than limits.accept_rate streams were opened in a second.", rateRetry)
}

// refuse counts and logs a refused stream. The client's retry time is base plus its wait in the schedule.
func (a *admission) refuse(cause string, base time.Duration) *refusal {
	a.observer.overloads.Add(1)
	wait := a.retries.next(time.Now())
	a.observer.refusedStreams.warn("cause", cause, "waiting", int(a.waiting()))
	return &refusal{wire.ByeOverload, cause, base + wait}
}

// waiting returns an estimate of how many refused clients have not reconnected yet.
func (a *admission) waiting() float64 { return a.retries.waiting(time.Now()) }

// spread returns the time that n clients need to reconnect at the admitted rate.
func (a *admission) spread(n int) time.Duration {
	return time.Duration(float64(n) / a.retries.rate * float64(time.Second))
}

// retrySchedule spreads the reconnections of refused clients evenly: each gets the next free time, 1/rate seconds after that
// of the client before. It is safe for concurrent use.
type retrySchedule struct {
	rate float64 // clients per second, > 0

	mu   sync.Mutex
	free time.Time // the next free time
}

// maxSpread bounds the waits of a retrySchedule, so that clients that never reconnect don't delay the others without end.
const maxSpread = time.Minute

// next returns how long the next refused client must wait. Beyond maxSpread the wait is random.
func (r *retrySchedule) next(now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.free.Before(now) {
		r.free = now
	}
	wait := r.free.Sub(now)
	if wait >= maxSpread {
		return rand.N(maxSpread)
	}
	r.free = r.free.Add(time.Duration(float64(time.Second) / r.rate))
	return wait
}

// waiting returns how many of the given times have not passed yet: about the number of clients that still wait.
func (r *retrySchedule) waiting(now time.Time) float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return max(0, r.free.Sub(now).Seconds()*r.rate)
}
