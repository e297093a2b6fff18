package adapter

import (
	"reflect"
	"testing"
	"time"
)

func TestGaps(t *testing.T) {
	var d gapDetector
	var found []gap
	feed := func(contiguous bool, symbol string, numbers ...uint64) {
		for _, n := range numbers {
			if g, ok := d.next(seq{symbol, n, contiguous}); ok {
				found = append(found, g)
			}
		}
	}
	d.begin()
	feed(true, "A", 5, 6, 7, 7, 6, 10, 11) // 7 and 6 again are old
	feed(false, "B", 100, 250, 900)        // all channels count, so these are no gaps
	d.begin()
	feed(true, "A", 12, 13)
	feed(false, "B", 1000, 2000)
	d.begin()
	feed(true, "A", 20)
	d.begin()
	feed(true, "A", 3, 4) // the provider counts anew
	want := []gap{{"A", 7, 10, 2}, {"B", 900, 1000, 0}, {"A", 13, 20, 6}}
	if !reflect.DeepEqual(found, want) {
		t.Errorf("gaps %v, want %v", found, want)
	}
}

func TestBackoffGrowsWithJitter(t *testing.T) {
	var b backoff
	for _, most := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60, 60} {
		if w := b.next(0); w < most*time.Second/2 || w > most*time.Second {
			t.Errorf("wait %v, want between half of %d s and all of it", w, most)
		}
	}
	if w := b.next(5 * time.Minute); w != 5*time.Minute {
		t.Errorf("wait %v, want the time that was asked for", w)
	}
	b.reset()
	if w := b.next(0); w > time.Second {
		t.Errorf("wait %v after a success, want at most a second", w)
	}
}
