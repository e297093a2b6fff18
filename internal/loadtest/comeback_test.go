package loadtest

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"
)

// forgetful is a proxy that loses the positions of those who come back.
func forgetful(t testing.TB, to string) string {
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
func TestFindsIgnoredPositions(t *testing.T) { patiently(t, testFindsIgnoredPositions) }

func testFindsIgnoredPositions(t testing.TB) {
	for name, set := range map[string]func(*Options){
		"drill resume": func(o *Options) { o.Drill, o.Cuts = DrillResume, 40 },
		"drill storm":  func(o *Options) { o.Drill = DrillStorm },
		"churn":        func(o *Options) { o.Churn, o.Rounds, o.Duration = 100, 1, 300*stretched(t) },
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

// TestAResetVoidsADrill: whoever comes back to another log was told so, but shows nothing about resuming.
func TestAResetVoidsADrill(t *testing.T) {
	stream := func(w http.ResponseWriter, r *http.Request) {
		epoch, resume := "ab", "none"
		if r.Header.Get("Last-Event-ID") != "" {
			epoch, resume = "cd", "reset"
		}
		w.Header().Set("Content-Type", "text/event-stream")
		say := func(id int, text string) {
			fmt.Fprintf(w, "id: %s-%d\ndata: %s\n\n", epoch, id, text)
			w.(http.Flusher).Flush()
		}
		say(9, strings.Replace(helloAt(9, resume), `"ab"`, `"`+epoch+`"`, 1))
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for i := 10; ; i++ {
			select {
			case <-tick.C:
			case <-r.Context().Done():
				return
			}
			say(i, fmt.Sprintf(`{"T":"q","S":"A","t":%d,"n":%d,"i":%d}`, time.Now().UnixMicro(), i, i))
		}
	}
	o := small(t, liar(t, stream, http.NotFound))
	o.Lanes, o.Conns, o.Drill, o.Cuts = []string{"sse"}, 1, DrillResume, 1
	r, err := start(t, t.Context(), o)
	if !errors.Is(err, ErrInvalid) || r == nil || r.Drills[0].Valid || r.Drills[0].Check != (counts{Resets: 1}) ||
		!strings.Contains(err.Error(), "1 of 1 came back to something else than where they were: 1 to another log (reset)") {
		t.Errorf("%v", err)
	}
}
