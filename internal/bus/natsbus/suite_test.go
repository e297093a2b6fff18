package natsbus

import (
	"testing"

	"ticklane/internal/bus/bustest"
	"ticklane/internal/quote"
	"ticklane/internal/testkit/natstest"
)

// suiteNode is a node that writes.
type suiteNode struct{ *node }

func (n suiteNode) Position() quote.Position {
	return n.node.Bus.Start().Position
}

func (n suiteNode) Start() func([]quote.Tick) {
	n.run()
	return await(n.t, n.write()).publish
}

func (n suiteNode) Stop() { n.close() }

func TestEmbedded(t *testing.T) {
	t.Parallel()
	dirs := map[*testing.T]string{}
	bustest.Suite(t, func(t *testing.T, u *quote.Universe, events *quote.Events) bustest.Node {
		if dirs[t] == "" {
			dirs[t] = t.TempDir()
		}
		o := options(t, "a")
		o.Universe, o.Events, o.Dir = u, events, dirs[t]
		return suiteNode{openNode(t, o)}
	})
}

func TestExternal(t *testing.T) {
	t.Parallel()
	s := natstest.New(t, nil)
	bustest.Suite(t, func(t *testing.T, u *quote.Universe, events *quote.Events) bustest.Node {
		o := options(t, "a")
		o.Universe, o.Events, o.URL = u, events, s.URL()
		o.Prefix = "t" + t.Name()[len(t.Name())-4:]
		return suiteNode{openNode(t, o)}
	})
}
