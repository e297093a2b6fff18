package cluster

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// TestSettingsThatDiffer: a setting with another value on another node is logged once for each change, and is in the view while it differs.
func TestSettingsThatDiffer(t *testing.T) {
	var logged bytes.Buffer
	o := options("a", RoleReader)
	o.Logger = slog.New(slog.NewTextHandler(&logged, nil))
	o.Settings = func() []Setting {
		return []Setting{
			{Name: "size", Value: "10", Effect: "longer lines are refused"}, {Name: "key", Value: "f00d", Secret: true, Effect: "sessions are refused"},
			{Name: "same", Value: "1"}, {Name: "new", Value: "1"},
		}
	}
	l, now := begun(o)
	pass := func(seconds int, size, key string) {
		for range seconds {
			now = now.Add(time.Second)
			l.receive(reportOf("1", "b", RoleReader, func(m *message) {
				m.Settings = map[string]string{"size": size, "key": key, "same": "1", "unknown": "2"}
			}), now)
			l.report(now)
		}
	}
	count := func(text string) int { return strings.Count(logged.String(), text) }
	pass(2, "20", "beef") // it may just be changed everywhere
	want(t, l.view(0, now).Differences, "[]")
	pass(10, "20", "beef")
	want(t, count("setting=size node=b effect=\"longer lines are refused\" here=10 there=20"), 1)
	want(t, l.view(0, now).Differences, "[{size 10 b 20 longer lines are refused}]")
	pass(30, "20", "beef")
	want(t, l.view(0, now).Differences, "[{key  b  sessions are refused} {size 10 b 20 longer lines are refused}]")
	pass(10, "30", "beef")
	want(t, count("setting=size"), 2)
	want(t, count("setting=key node=b effect=\"sessions are refused\"\n"), 1)
	pass(10, "10", "f00d")
	want(t, l.view(0, now).Differences, "[]")
	pass(5, "20", "f00d")
	want(t, count("setting=size"), 3)
	want(t, count("WARN"), 4)
	want(t, len(l.view(0, now.Add(time.Minute)).Differences), 0) // the node is lost
	for _, secret := range []string{"f00d", "beef"} {
		if strings.Contains(logged.String()+fmt.Sprint(l.view(0, now)), secret) {
			t.Errorf("the fingerprint %s is shown", secret)
		}
	}
}
