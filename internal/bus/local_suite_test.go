package bus_test

import (
	"testing"

	"ticklane/internal/bus"
	"ticklane/internal/bus/bustest"
	"ticklane/internal/quote"
)

// localNode is a bus.Local that continues the one before, as the history does it.
type localNode struct {
	*bus.Local
	stop func()
}

func (n localNode) Position() quote.Position  { return n.State().Position }
func (n localNode) Start() func([]quote.Tick) { return n.Publish }
func (n localNode) Stop()                     { n.stop() }

func TestLocal(t *testing.T) {
	previous := map[*testing.T]*bus.Local{}
	bustest.Suite(t, func(t *testing.T, u *quote.Universe, _ *quote.Events) bustest.Node {
		b := bus.NewLocal(u.Limit())
		if before := previous[t]; before != nil {
			s := before.State()
			b.Continue(s.Position, s.N)
		}
		return localNode{b, func() { previous[t] = b }}
	})
}
