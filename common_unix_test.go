//go:build unix

package main

import (
	"strings"
	"testing"

	"ticklane/internal/cluster"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/natstest"
)

// TestDifferentSettingsOfServers: a server names each setting that another one has set differently, with both values and the effect, and no
// secret. It needs no authentication.
func TestDifferentSettingsOfServers(t *testing.T) {
	t.Parallel()
	args := []string{"--bus.kind=nats", "--feed.source=ingest", "--bus.nats.url=" + natstest.New(t, nil).URL(), "--feed.ingest.token=" + strings.Repeat("s", 32)}
	var log testkit.Log
	a := startServerLogging(t, &log, append(args, "--bus.node=a", "--feed.ingest.line_size=2048")...)
	startServer(t, append(args, "--bus.node=b", "--feed.ingest.instruments=50", "--stream.log_size=1024", "--limits.topics=7", "--limits.connections=9", "--auth.mode=none")...)
	for _, want := range []string{
		`setting=feed.ingest.line_size node=b effect="a longer line is accepted by one server and refused by the other" here=2048 there=4096`,
		"setting=feed.ingest.instruments node=b", "setting=stream.log_size node=b", "setting=limits.topics node=b",
	} {
		testkit.Eventually(t, func() bool { return strings.Contains(log.String(), want) }, want)
	}
	var view cluster.View
	a.getJSON(t, "/api/cluster", &view)
	if n := len(view.Differences); n != 4 || log.Count("isn't the same") != 4 || view.Differences[0].There != "50" {
		t.Errorf("%+v\n%s", view.Differences, log.String())
	}
}
