package loadtest

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"ticklane/internal/loadtest/client"
	"ticklane/internal/loadtest/report"
)

// TestEndOfADrill: a reconnect that the end of the drill interrupts is no cut; one that the server doesn't answer is a cut without a
// reconnect.
func TestEndOfADrill(t *testing.T) {
	ends := make(chan struct{}, 1)
	url := startFakeServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Last-Event-ID") != "" {
			http.Error(w, "", http.StatusServiceUnavailable)
			return
		}
		s := newFakeStream(w, r, time.Millisecond)
		defer s.close()
		s.hello(9, "none")
		<-ends
	})
	o := smallOptions(t, url)
	o.Lanes = []string{"sse"}
	if err := o.Check(); err != nil {
		t.Fatal(err)
	}
	target, err := newTarget(t.Context(), url, "*", "")
	if err != nil {
		t.Fatal(err)
	}
	defer target.close()
	for _, c := range []struct {
		name          string
		beforeOpen    func(*connection)
		cuts, dropped int
	}{
		{"interrupted", func(conn *connection) { conn.Stop() }, 0, 0},
		{"not answered", func(conn *connection) { conn.cutAt = conn.cutAt.Add(-client.OpenTimeout) }, 1, 1},
	} {
		clients := newClients(target, o.variants[0], 1, 0, client.Options{})
		r := &reconnects{failed: clients.drop, isCut: client.Broken, beforeOpen: c.beforeOpen}
		if err := clients.open(t.Context(), 0, r.own(t.Context())); err != nil {
			t.Fatal(err)
		}
		ends <- struct{}{}
		clients.owners.Wait()
		cuts, waiting := r.progress()
		if dropped, _ := clients.drops(); cuts != c.cuts || r.ended != c.cuts || waiting != 0 || len(r.reconnected) != 0 || dropped != c.dropped {
			t.Errorf("%s: %d cuts, %d ended, %d waiting, %d reconnected, %d dropped", c.name, cuts, r.ended, waiting, len(r.reconnected), dropped)
		}
	}
}

// TestStormWaitsForEach: a connection that reconnects more than once doesn't count for one that the server hasn't answered yet.
func TestStormWaitsForEach(t *testing.T) {
	var first, reconnects atomic.Int64
	others := make(chan struct{})
	o := smallOptions(t, startFakeServer(t, func(w http.ResponseWriter, r *http.Request) {
		s := newFakeStream(w, r, time.Millisecond)
		defer s.close()
		switch r.Header.Get("Last-Event-ID") {
		case "":
			head := 9
			if first.Add(1) == 1 {
				head = 8
			}
			s.hello(head, "none")
		case "ab-9": // ends again and again
			s.hello(9, "complete")
			if n := reconnects.Add(1); n < 50 {
				<-s.pace.C
				return
			} else if n == 50 {
				close(others)
			}
		default:
			select {
			case <-others:
			case <-r.Context().Done():
				return
			}
			s.hello(8, "complete")
			s.tick(9)
		}
		<-r.Context().Done()
	}))
	o.Lanes, o.Conns, o.Drill = []string{"sse"}, 2, report.DrillStorm
	for _, d := range mustRun(t, o).Drills {
		if d.Cuts < 3 || d.Resumed != d.Cuts || d.Ticks != 1 {
			t.Errorf("%+v", d)
		}
	}
}
