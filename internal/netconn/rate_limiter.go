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
	return l.AllowRate(client, l.rate, now)
}

// AllowRate is Allow for a key with another rate, which may change from call to call.
func (l *RateLimiter) AllowRate(key string, perSecond float64, now time.Time) time.Duration {
	b := l.bucket(key, perSecond)
	if b.AllowN(now, 1) {
		return 0
	}
	return time.Duration((1 - b.TokensAt(now)) / perSecond * float64(time.Second))
}

// bucket returns the limiter of a key, with the rate perSecond.
func (l *RateLimiter) bucket(key string, perSecond float64) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.recent[key]
	if b == nil {
		if b = l.older[key]; b == nil {
			b = rate.NewLimiter(rate.Limit(perSecond), burst(perSecond))
		}
		if len(l.recent) == maxClients {
			l.older, l.recent = l.recent, map[string]*rate.Limiter{}
		}
		l.recent[key] = b
	}
	if b.Limit() != rate.Limit(perSecond) {
		b.SetLimit(rate.Limit(perSecond))
		b.SetBurst(burst(perSecond))
	}
	return b
}

func burst(perSecond float64) int { return int(math.Ceil(perSecond * requestBurst)) }
