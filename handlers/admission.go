package handlers

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"ticklane/internal/auth"
	"ticklane/internal/netconn"
	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// refusal describes why a stream isn't opened.
type refusal struct {
	reason string        // reason of the bye
	cause  string        // for people; names the setting and its value
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
	subjects *subjectLimiter  // of the same
	rate     *rate.Limiter    // of new streams; nil for no limit
	retries  *retrySchedule
	waiting  waitingClients
	observer *observer

	totalReached, addressReached, rateExceeded string // causes of refusals
}

func newAdmission(set Settings, limiter *netconn.Limiter, others OtherStreams, o *observer) *admission {
	a := &admission{limiter: limiter, subjects: newSubjectLimiter(others), retries: &retrySchedule{rate: cmp.Or(set.AcceptRate, spreadRate)}, observer: o,
		totalReached:   fmt.Sprintf("limits.connections is reached, %d open streams", set.MaxStreams),
		addressReached: fmt.Sprintf("limits.per_address is reached, %d open streams of this client address", set.MaxPerAddress),
		rateExceeded:   "limits.accept_rate is reached, " + decimal(set.AcceptRate) + " new streams a second",
	}
	if set.AcceptRate > 0 {
		a.rate = rate.NewLimiter(rate.Limit(set.AcceptRate), int(math.Ceil(set.AcceptRate))) // the burst is one second's worth
	}
	return a
}

// admit takes the slots of a stream, for its client address and its subject, and returns nil, or returns why the stream can't be
// opened, which is counted and logged. Only streams for which there are slots count for limits.accept_rate, so a subject at its
// limit can't use that up. The caller must release the slots.
func (a *admission) admit(p *auth.Principal, address string) *refusal {
	refused := a.refusalOf(a.limiter.Acquire(address))
	if refused == nil && !a.subjects.acquire(p) {
		a.limiter.Release(address)
		refused = a.subjects.refusal(p)
	}
	if refused == nil && a.rate != nil && !a.rate.Allow() {
		a.release(p, address)
		a.observer.rateRefusals.Add(1)
		refused = a.refuseRate()
	}
	if refused == nil || refused.reason == wire.ByeShutdown {
		return refused
	}
	return a.refuse(refused)
}

// release frees the slots of a stream.
func (a *admission) release(p *auth.Principal, address string) {
	a.subjects.release(p)
	a.limiter.Release(address)
}

// refuse counts and logs an overload, and spreads the time at which its client may reconnect.
func (a *admission) refuse(refused *refusal) *refusal {
	a.observer.overloads.Add(1)
	now := time.Now()
	refused.retry += a.retries.next(now)
	a.waiting.add(now, refused.retry)
	a.observer.refusedStreams.warn("cause", refused.cause, "waiting", a.waiting.count(now))
	return refused
}

// probe returns what admit would return now. It leaves slots, limits.accept_rate and retry times to the clients that open a
// stream, and counts nothing.
func (a *admission) probe(p *auth.Principal, address string) *refusal {
	refused := a.refusalOf(a.limiter.Check(address))
	if refused == nil && !a.subjects.free(p) {
		refused = a.subjects.refusal(p)
	}
	if refused == nil && a.rate != nil && a.rate.Tokens() < 1 {
		refused = a.refuseRate()
	}
	if refused != nil && refused.reason != wire.ByeShutdown {
		refused.retry += a.retries.peek(time.Now())
	}
	return refused
}

// refusalOf returns the refusal for a result of the limiter, nil for a slot. The retry time of an overload lacks the client's wait
// in the schedule.
func (a *admission) refusalOf(result netconn.Admission) *refusal {
	switch result {
	case netconn.ShuttingDown:
		return &refusal{wire.ByeShutdown, "the server is shutting down", stream.ByeRetry(wire.ByeShutdown, overloadRetry, a.spread(a.limiter.Open()))}
	case netconn.TotalReached:
		return &refusal{wire.ByeOverload, a.totalReached, stream.ByeRetry(wire.ByeOverload, overloadRetry, 0)}
	case netconn.AddressReached:
		return &refusal{wire.ByeOverload, a.addressReached, stream.ByeRetry(wire.ByeOverload, overloadRetry, 0)}
	}
	return nil
}

// refuseRate returns the refusal because of limits.accept_rate, without the client's wait in the schedule.
func (a *admission) refuseRate() *refusal {
	return &refusal{wire.ByeOverload, a.rateExceeded, rateRetry}
}

// decimal returns a rate without an exponent.
func decimal(rate float64) string { return strconv.FormatFloat(rate, 'f', -1, 64) }

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
	wait := r.free.Sub(now)
	if wait >= maxSpread {
		return rand.N(maxSpread)
	}
	wait = max(0, wait)
	r.free = now.Add(wait + time.Duration(float64(time.Second)/r.rate))
	return wait
}

// peek returns how long a client must wait that is refused next, at most maxSpread. It takes no time from the schedule.
func (r *retrySchedule) peek(now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return min(max(0, r.free.Sub(now)), maxSpread)
}

// waitingClients counts refused clients until the times at which they may reconnect, to the second. It is safe for
// concurrent use.
type waitingClients struct {
	mu    sync.Mutex
	now   int64                            // in seconds since 1970
	until [2 * maxSpread / time.Second]int // clients that wait until second k, at index k modulo the length
	total int
}

// add counts a client that may reconnect after retry. A longer time than the array has counts as its longest.
func (w *waitingClients) add(now time.Time, retry time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance(now)
	until := now.Add(retry).Unix()
	if last := w.now + int64(len(w.until)) - 1; until > last {
		until = last
	}
	w.until[until%int64(len(w.until))]++
	w.total++
}

// count returns how many clients wait.
func (w *waitingClients) count(now time.Time) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance(now)
	return w.total
}

// advance removes the clients whose second has passed.
func (w *waitingClients) advance(now time.Time) {
	for ; w.now < now.Unix() && w.total > 0; w.now++ {
		past := &w.until[w.now%int64(len(w.until))]
		w.total -= *past
		*past = 0
	}
	w.now = max(w.now, now.Unix())
}
