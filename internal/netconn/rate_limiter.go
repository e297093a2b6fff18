package netconn

import (
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// requestBurst is how many seconds of its rate a client may use at once.
	requestBurst = 10
	// maxClients bounds each of RateLimiter's two maps.
	maxClients = 16384
)

// RateLimiter bounds the rate of requests of each client address. A client may use what it is allowed in ten seconds at
// once. The limiter remembers up to 32,768 clients: when one map is full, it becomes the older one, and the clients that
// were only in the one before are forgotten. It is safe for concurrent use.
type RateLimiter struct {
	rate           float64
	exemptLoopback bool

	mu            sync.Mutex
	recent, older map[string]*rate.Limiter // key: see clientOf
}

// NewRateLimiter returns a limiter of so many requests of a client per second; 0 for no limit. With exemptLoopback, it
// doesn't limit clients on a loopback address.
func NewRateLimiter(perSecond float64, exemptLoopback bool) *RateLimiter {
	return &RateLimiter{rate: perSecond, exemptLoopback: exemptLoopback, recent: map[string]*rate.Limiter{}}
}

// Allow counts a request of a client address. It returns 0, or after how long the client's next request will be allowed.
func (l *RateLimiter) Allow(address string, now time.Time) time.Duration {
	if l.rate == 0 {
		return 0
	}
	client, counted := clientOf(address, l.exemptLoopback)
	if !counted {
		return 0
	}
	b := l.bucket(client)
	if b.AllowN(now, 1) {
		return 0
	}
	return time.Duration((1 - b.TokensAt(now)) / l.rate * float64(time.Second))
}

func (l *RateLimiter) bucket(client string) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := l.recent[client]; b != nil {
		return b
	}
	b := l.older[client]
	if b == nil {
		b = rate.NewLimiter(rate.Limit(l.rate), int(math.Ceil(l.rate*requestBurst)))
	}
	if len(l.recent) == maxClients {
		l.older, l.recent = l.recent, map[string]*rate.Limiter{}
	}
	l.recent[client] = b
	return b
}
