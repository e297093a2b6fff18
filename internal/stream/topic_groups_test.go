package stream

import (
	"testing"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// TestTopicGroupKey: topics with the same symbols have the same key, and all others have different ones.
func TestTopicGroupKey(t *testing.T) {
	p := fixtureOf(testUniverse(t, 300))
	keys := map[string]bool{}
	for _, names := range [][]string{{"*"}, {"sector:odd", "sector:even"}, {"S1", "*"}} {
		keys[topicGroupKey(wire.WSJSON, p.topics(t, names...))] = true
	}
	if len(keys) != 1 {
		t.Errorf("topics of all symbols have the keys %v", keys)
	}
	others := []quote.Topics{{}, p.topics(t, "S1", "S2"), p.topics(t, "sector:odd")}
	for _, s := range p.u.Instruments() {
		others = append(others, p.topics(t, s.Symbol))
	}
	for _, other := range others {
		key := topicGroupKey(wire.WSJSON, other)
		if keys[key] {
			t.Errorf("%v has the key of other topics: %q", other.Names(), key)
		}
		keys[key] = true
	}
	if keys[topicGroupKey(wire.SSEJSON, p.topics(t, "*"))] {
		t.Error("two formats have the same key")
	}
}
