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

// RateLimiter bounds the rate of requests of each client address. A client may send the requests of ten seconds at once.
// The limiter remembers at most 32,768 clients, in two maps: when the recent one is full, it replaces the older one, and
// the clients that were only in that are forgotten. It is safe for concurrent use.
type RateLimiter struct {
	rate           float64
	exemptLoopback bool

	mu            sync.Mutex
	recent, older map[string]*rate.Limiter // key: see clientOf
}

// NewRateLimiter returns a limiter that allows each client perSecond requests per second; 0 for no limit. With
// exemptLoopback, clients on a loopback address are not limited.
func NewRateLimiter(perSecond float64, exemptLoopback bool) *RateLimiter {
	return &RateLimiter{rate: perSecond, exemptLoopback: exemptLoopback, recent: map[string]*rate.Limiter{}}
}

// Allow counts a request of a client address, an IP address with or without a zone. It returns 0 if the request is allowed,
// else after how long the client's next one is. A refused request isn't counted.
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
