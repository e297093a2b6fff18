//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"ticklane/internal/loadtest/report"
)

// load is a ticklane load --drill resume of one lane that runs.
type load struct {
	*process
	lane, out string
}

// loadResult is what a load measured.
type loadResult struct {
	Lane    string       `json:"lane"`
	Status  string       `json:"status"`
	Cuts    int          `json:"cuts"`
	Ended   int          `json:"ended"` // of the cuts, those by the cluster
	Resumed int          `json:"resumed"`
	WithGap int          `json:"resumed_with_gap"`
	Check   report.Check `json:"check"`
	Reasons []string     `json:"reasons,omitempty"`
	CatchUp float64      `json:"catch_up_max_ms"` // longest time from a cut until nothing was missing
}

// startLoad starts a load through HAProxy.
func startLoad(dir, binary, public, name, lane string, conns int, duration time.Duration) (*load, error) {
	l := &load{lane: lane, out: filepath.Join(dir, name+"-"+lane)}
	l.process = newProcess(dir, "load-"+lane, nil, binary, "load", "--url=http://"+public, "--allow-remote", "--drill=resume", "--lane="+lane,
		fmt.Sprintf("--conns=%d", conns), "--cuts=1", "--duration="+duration.String(), "--ramp=500ms", "--out="+l.out)
	return l, l.start()
}

// wait waits for the end and returns the result.
func (l *load) wait(ctx context.Context, limit time.Duration) (r loadResult, err error) {
	select {
	case <-l.ended:
	case <-ctx.Done():
		return r, ctx.Err()
	case <-time.After(limit):
		_ = l.kill()
		return r, fmt.Errorf("load %s hasn't ended", l.lane)
	}
	text, err := os.ReadFile(l.out + ".json")
	if err != nil {
		return r, fmt.Errorf("load %s: %w; its log is %s", l.lane, err, l.logTo)
	}
	return readLoad(l.lane, text)
}

// readLoad reads a report of the load tester.
func readLoad(lane string, text []byte) (loadResult, error) {
	var full report.Report
	if err := json.Unmarshal(text, &full); err != nil {
		return loadResult{}, fmt.Errorf("load %s: %w", lane, err)
	}
	if len(full.Drills) != 1 {
		return loadResult{}, fmt.Errorf("load %s: %s: %s", lane, full.Status, full.Headline)
	}
	d := full.Drills[0]
	r := loadResult{Lane: lane, Status: full.Status, Cuts: d.Cuts, Ended: d.Ended, Resumed: d.Resumed, WithGap: d.WithGap, Check: d.Check, Reasons: d.Reasons}
	if d.CatchUp != nil {
		r.CatchUp = d.CatchUp.Max
	}
	return r, nil
}

// findings returns what must not be. With a new epoch resumes are answered with another log, which invalidates the drill but loses
// nothing that a client isn't informed of.
func (r *loadResult) findings(newEpoch bool) (all []string) {
	if r.Check.Broken() || r.Check.Gaps > 0 {
		all = append(all, fmt.Sprintf("load %s: %d lost, %d doubled, %d out of order, %d gaps, %d wrong ids, %d positions ignored", r.Lane,
			r.Check.Lost, r.Check.Duplicates, r.Check.OutOfOrder, r.Check.Gaps, r.Check.WrongIDs, r.Check.Ignored))
	}
	if r.Status != report.StatusComplete && !newEpoch {
		all = append(all, fmt.Sprintf("load %s: %s: %q", r.Lane, r.Status, r.Reasons))
	}
	return all
}
