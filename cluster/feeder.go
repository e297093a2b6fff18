//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

const (
	ingestToken = "a-token-of-the-drill"
	batchLines  = 6 // of a request
	batchEvery  = 100 * time.Millisecond
	sendTimeout = time.Second
)

// feeder sends numbered lines to nodes in turn, as a client of docs/ingest.md does: what no node has accepted is sent again, to the
// next one. The bid's size of a line is its number.
type feeder struct {
	addresses []string // of nodes
	accepted  atomic.Uint64
	errors    atomic.Int64 // requests that were sent again
}

// run sends lines until ctx is done.
func (f *feeder) run(ctx context.Context) {
	tick := time.NewTicker(batchEvery)
	defer tick.Stop()
	for turn, first := 0, uint64(1); ; turn++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := f.send(ctx, f.addresses[turn%len(f.addresses)], first); err != nil {
			f.errors.Add(1)
			continue
		}
		first += batchLines
		f.accepted.Store(first - 1)
	}
}

// send sends the lines from a number on.
func (f *feeder) send(ctx context.Context, address string, first uint64) error {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	var body strings.Builder
	body.WriteString(`{"T":"instrument","S":"LINES","sector":"drill"}` + "\n")
	for n := first; n < first+batchLines; n++ {
		bid := 100 + float64(n%50)/100
		fmt.Fprintf(&body, `{"T":"q","S":"LINES","bp":%.2f,"ap":%.2f,"bs":%d,"as":1,"n":%d}`+"\n", bid, bid+0.01, n, n)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/api/ingest?source=drill", strings.NewReader(body.String()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	req.Header.Set("Authorization", "Bearer "+ingestToken)
	res, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	return f.check(res.StatusCode, text)
}

// check returns an error unless an answer says that all lines of a batch, and the instrument, have been accepted now or before.
func (f *feeder) check(status int, text []byte) error {
	var answer struct{ Accepted, Rejected, Duplicates int }
	if err := json.Unmarshal(text, &answer); err != nil {
		return fmt.Errorf("%d %.100q: %w", status, text, err)
	}
	if status != http.StatusOK || answer.Rejected > 0 || answer.Accepted+answer.Duplicates != batchLines+1 {
		return fmt.Errorf("%d %.300s", status, text)
	}
	return nil
}

// checkLines waits until each line that was accepted is a tick, and returns what must not be: lines that are none, or two.
func (r *run) checkLines(ctx context.Context) error {
	accepted := r.feeder.accepted.Load()
	return until(ctx, 2*time.Second, func(context.Context) error { return r.ledger.lines(accepted) })
}
