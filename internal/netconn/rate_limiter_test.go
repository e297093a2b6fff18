package netconn

import (
	"fmt"
	"testing"
	"time"
)

func TestRateLimiter(t *testing.T) {
	now := time.Now()
	l := NewRateLimiter(2, true)
	for k := range 20 { // ten seconds' worth
		if wait := l.Allow("192.0.2.1", now); wait != 0 {
			t.Fatalf("request %d must wait %v", k, wait)
		}
	}
	if wait := l.Allow("192.0.2.1", now); wait != 500*time.Millisecond {
		t.Errorf("the next request must wait %v, want 500ms", wait)
	}
	for _, other := range []string{"192.0.2.2", "2001:db8::1", "127.0.0.1", "::1"} {
		if wait := l.Allow(other, now); wait != 0 {
			t.Errorf("%s must wait %v", other, wait)
		}
	}
	now = now.Add(500 * time.Millisecond)
	if l.Allow("192.0.2.1", now) != 0 || l.Allow("192.0.2.1", now) == 0 {
		t.Error("half a second is not one request")
	}
	for range 100 {
		if l.Allow("127.0.0.1", now) != 0 {
			t.Fatal("loopback is limited")
		}
	}
	for range 100 {
		if NewRateLimiter(0, false).Allow("127.0.0.1", now) != 0 {
			t.Fatal("0 limits")
		}
	}
}

// TestRateLimiterIsBounded checks that many clients don't take more memory, and that a client in use isn't forgotten.
func TestRateLimiterIsBounded(t *testing.T) {
	now := time.Now()
	l := NewRateLimiter(0.1, false)
	l.Allow("127.0.0.1", now)
	for k := range 3 * maxClients {
		l.Allow(fmt.Sprintf("10.%d.%d.%d", k>>16, k>>8&255, k&255), now)
		if k%1000 == 0 && l.Allow("127.0.0.1", now) == 0 {
			t.Fatalf("a client in use was forgotten after %d others", k)
		}
	}
	if n := len(l.recent) + len(l.older); n > 2*maxClients {
		t.Errorf("%d clients are kept", n)
	}
}
