package stream

import (
	"errors"
	"testing"

	"ticklane/internal/wire"
)

func TestRequestQueue(t *testing.T) {
	var q requestQueue
	if list, end := q.take(nil); len(list) > 0 || end != "" {
		t.Errorf("an empty queue returns %d requests, reason %q", len(list), end)
	}
	for i := range maxRequests {
		if err := q.push(request{frame: []byte{byte(i)}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := q.push(request{}); !errors.Is(err, ErrBusy) {
		t.Errorf("push to a full queue: %v", err)
	}
	list, _ := q.take(make([]request, 1))
	if len(list) != 1+maxRequests || list[1].frame[0] != 0 || list[maxRequests].frame[0] != maxRequests-1 || q.pending.Load() {
		t.Errorf("took %d requests, pending %v", len(list), q.pending.Load())
	}
	if err := q.push(request{}); err != nil {
		t.Errorf("push after take: %v", err)
	}
}

// TestRequestQueueFullList: requests stay in the queue while the owner has maxRequests that wait.
func TestRequestQueueFullList(t *testing.T) {
	for length, taken := range map[int]int{maxRequests - 1: 1, maxRequests: 0} {
		var q requestQueue
		if err := q.push(request{}); err != nil {
			t.Fatal(err)
		}
		list, _ := q.take(make([]request, length))
		if len(list) != length+taken || q.pending.Load() != (taken == 0) {
			t.Errorf("a list of %d: %d, pending %v", length, len(list), q.pending.Load())
		}
	}
}

func TestRequestQueueEnd(t *testing.T) {
	var q requestQueue
	q.requestEnd(wire.ByeShutdown)
	q.requestEnd(wire.ByeSlow)
	for range 2 { // the reason stays
		if _, end := q.take(nil); end != wire.ByeShutdown {
			t.Errorf("reason %q", end)
		}
	}
}

func TestRequestQueueClose(t *testing.T) {
	var q requestQueue
	if err := q.push(request{frame: []byte("a")}); err != nil {
		t.Fatal(err)
	}
	if waiting, first := q.close(); len(waiting) != 1 || !first {
		t.Errorf("close returns %d requests, %v", len(waiting), first)
	}
	if waiting, first := q.close(); len(waiting) != 0 || first {
		t.Errorf("second close returns %d requests, %v", len(waiting), first)
	}
	if err := q.push(request{}); !errors.Is(err, ErrClosed) {
		t.Errorf("push after close: %v", err)
	}
}
