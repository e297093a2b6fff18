package handlers_test

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"ticklane/internal/testkit"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

// naiveClient parses an event stream line by line and, unlike the standard, takes an id as soon as its line is complete, as
// widespread clients do. An EventSource takes it with the event.
type naiveClient struct {
	atLine bool // handles data as soon as its line is complete, too; otherwise with the event
	line   []byte
	data   string
	id     string
	seen   []uint64 // the seqs of ticks that it handled
}

func (n *naiveClient) feed(b byte) {
	if b != '\n' {
		n.line = append(n.line, b)
		return
	}
	line := string(n.line)
	n.line = n.line[:0]
	if id, ok := strings.CutPrefix(line, "id: "); ok {
		n.id = id
	}
	if data, ok := strings.CutPrefix(line, "data: "); ok {
		n.data = data
	}
	if n.data != "" && (n.atLine || line == "") {
		var m struct {
			T    string `json:"T"`
			Time int64  `json:"t"`
			I    uint64 `json:"i"`
		}
		if json.Unmarshal([]byte(n.data), &m) == nil && m.T == "q" {
			n.seen = append(n.seen, m.I)
		}
		n.data = ""
	}
}

// TestNaiveClientLosesNothing cuts clients within ticks, which take an id before its event has ended: since the id is the
// last line, its tick has arrived.
func TestNaiveClientLosesNothing(t *testing.T) { onEngines(t, testNaiveClientLosesNothing) }

func testNaiveClientLosesNothing(t *testing.T, engine string) {
	rng := testkit.Rand(t)
	for _, atLine := range []bool{true, false} {
		srv := newTestServer(t, testserver.Options{Engine: engine})
		srv.Publish(1)
		n := &naiveClient{atLine: atLine, id: fmt.Sprintf("%s-0", wire.Epoch(srv.Ticks.Epoch))}
		read := func(cut bool) {
			c := srv.SSE("", "Last-Event-ID: "+n.id)
			defer c.Cut(rng.IntN(2) == 0)
			n.line, n.data = nil, ""
			if c.Hello.Resume != wire.ResumeComplete {
				t.Fatalf("resume from %s: %s", n.id, c.Hello.Text)
			}
			srv.Publish(4)
			left := 1 + rng.IntN(400) // bytes; the four ticks have more
			var last byte
			for cut && left > 0 || !cut && (len(n.seen) == 0 || n.seen[len(n.seen)-1] < srv.TickLog.Head().Seq) {
				b, err := c.Body.ReadByte()
				if err != nil && err != io.EOF {
					t.Fatal(err)
				}
				n.feed(b)
				left--
				// Between an id line and the end of its event a client that handles data with the event loses it.
				if left == 0 && !atLine && b == '\n' && last != '\n' {
					left++
				}
				last = b
			}
		}
		for range 200 {
			read(true)
		}
		read(false)
		next := uint64(1)
		for _, seq := range n.seen {
			if seq > next {
				t.Fatalf("at line %v: ticks %d to %d are lost", atLine, next, seq-1)
			}
			if seq+1 < next {
				t.Fatalf("at line %v: tick %d again after %d", atLine, seq, next-1)
			}
			next = seq + 1
		}
	}
}
