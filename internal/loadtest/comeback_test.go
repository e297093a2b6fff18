package loadtest

import (
	"errors"
	"io"
	"log"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"
)

// forgetful is a proxy that loses the positions of those who come back.
func forgetful(t *testing.T, to string) string {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	p := &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(u)
		r.Out.Header.Del("Last-Event-ID")
	}}
	p.ErrorLog = log.New(io.Discard, "", 0)
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	return s.URL
}

// TestFindsIgnoredPositions: who comes back with a position and begins at the head has lost what lay between.
func TestFindsIgnoredPositions(t *testing.T) {
	for name, set := range map[string]func(*Options){
		"drill resume": func(o *Options) { o.Drill, o.Cuts = DrillResume, 40 },
		"drill storm":  func(o *Options) { o.Drill = DrillStorm },
		"churn":        func(o *Options) { o.Churn, o.Rounds, o.Duration = 100, 1, 300*time.Millisecond },
		"filtered":     func(o *Options) { o.Drill, o.Cuts, o.Topics = DrillResume, 40, "sector:technology" },
	} {
		o := small(t, forgetful(t, open(t, 2000, 1000)))
		o.Lanes = []string{"sse"}
		set(&o)
		r, err := start(t, t.Context(), o)
		if !errors.Is(err, ErrBroken) || r == nil || r.Status != StatusBroken || !strings.Contains(err.Error(), "positions ignored") {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var sum counts
		for _, d := range r.Drills {
			sum.add(d.Check)
			if d.Valid {
				t.Errorf("%s: the drill is valid", name)
			}
		}
		for _, s := range r.Slots {
			sum.add(s.Check)
		}
		// In a storm nothing may have been due while all were away.
		if sum.Ignored == 0 || sum.Lost == 0 && o.Drill != DrillStorm {
			t.Errorf("%s: %+v", name, sum)
		}
	}
}
