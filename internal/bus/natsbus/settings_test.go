package natsbus

import (
	"strings"
	"testing"

	"ticklane/internal/testkit/natstest"
)

// TestSettings: the node that creates the stream decides, also for those that start after a new epoch.
func TestSettings(t *testing.T) {
	t.Parallel()
	server := natstest.New(t, nil)
	connect := func(settings ...Setting) (*Bus, error) {
		o := options(t, "a")
		o.URL, o.Settings = server.URL(), settings
		b, err := Connect(t.Context(), o)
		if err == nil {
			t.Cleanup(b.Close)
		}
		return b, err
	}
	symbols := Setting{Name: "market.symbols", Value: "20"}
	first, err := connect(symbols, Setting{Name: "market.seed", Value: "7", Any: true})
	if err != nil || first.Setting("market.seed") != "7" {
		t.Fatal(err)
	}
	for range 2 {
		if b, err := connect(symbols, Setting{Name: "market.seed", Value: "8", Any: true}); err != nil || b.Setting("market.seed") != "7" {
			t.Errorf("any seed: %v", err)
		}
		for want, s := range map[string]Setting{
			"market.seed is 8, but 7 on the servers that share stream ticklane: set it to 7, or choose another bus.nats.stream": {Name: "market.seed", Value: "8"},
			"market.symbols is 30, but 20 on the servers that share stream ticklane: use 20, or choose":                         {Name: "market.symbols", Value: "30", Advice: "use 20"},
		} {
			if _, err := connect(s); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %s", err, want)
			}
		}
		if err := first.changeEpoch(t.Context(), "test"); err != ErrEpoch {
			t.Fatal(err)
		}
	}
}
