package handlers_test

import (
	"testing"
	"time"

	"ticklane/handlers"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

// TestResumeAheadOfTheServer: a client comes from another server of the same log, which was ahead of this one. It waits until this one
// has its position, and gets every tick after it once. If that takes too long it is sent away, and keeps its position.
func TestResumeAheadOfTheServer(t *testing.T) { onEngines(t, testResumeAhead) }

func testResumeAhead(t *testing.T, engine string) {
	srv := newTestServer(t, testserver.Options{Engine: engine, Settings: func(s *handlers.Settings) { s.SharedLog = true }})
	srv.Publish(10)
	for _, lane := range lanes {
		ahead := srv.TickLog.Head()
		ahead.Seq += 3
		reading := time.AfterFunc(50*time.Millisecond, func() { srv.Publish(4) })
		c := srv.ResumeStream(lane, ahead.String(), "", true)
		if reading.Stop() {
			t.Errorf("%s: opened before the server has the position", lane)
			srv.Publish(4)
		}
		if tick := c.Next(); c.Hello.Resume != "complete" || c.Hello.Snapshot || tick.T != "q" || tick.I != ahead.Seq+1 {
			t.Errorf("%s: %s, then %s", lane, c.Hello.Text, tick.Text)
		}
	}
	for _, lane := range lanes {
		ahead := srv.TickLog.Head()
		ahead.Seq++
		c := srv.Dial()
		c.RequestStream(lane, "from="+ahead.String())
		if bye := c.Want("bye"); bye.Reason != wire.ByeOverload || bye.Retry < 1000 {
			t.Errorf("%s: %s", lane, bye.Text)
		}
	}
}
