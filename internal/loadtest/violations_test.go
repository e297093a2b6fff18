package loadtest

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ticklane/internal/loadtest/report"
)

// TestViolations: each violation of the protocol ends the test with ErrBroken, and without a latency.
func TestViolations(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		stream http.HandlerFunc
		found  func(report.Check) bool
	}{
		{"lost", cycleOf(5, 1, 2, 4, 5), func(c report.Check) bool { return c.Lost > 0 && c.Duplicates == 0 }},
		{"duplicate", cycleOf(3, 1, 2, 2, 3), func(c report.Check) bool { return c.Lost == 0 && c.Duplicates > 0 }},
		{"out of order", cycleOf(3, 1, 3, 2), func(c report.Check) bool { return c.OutOfOrder > 0 && c.Duplicates == 0 }},
	} {
		o := smallOptions(t, startFakeServer(t, c.stream))
		o.Lanes, o.Conns, o.Rounds = []string{"sse"}, 2, 1
		r, err := run(t, o)
		if !errors.Is(err, ErrBroken) || r == nil || r.Status != report.StatusBroken {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if w := r.Windows[0]; w.Valid || !c.found(w.Check) {
			t.Errorf("%s: %+v", c.name, w.Check)
		}
		if r.Metrics[0].A.Count != 0 {
			t.Errorf("%s: a latency is reported", c.name)
		}
	}
}

func TestSilentServer(t *testing.T) {
	o := smallOptions(t, startFakeServer(t, func(w http.ResponseWriter, r *http.Request) {
		s := newFakeStream(w, r, 1)
		defer s.close()
		s.hello(9, "none")
		<-r.Context().Done()
	}))
	o.Lanes, o.Conns, o.Rounds = []string{"sse"}, 1, 1
	r, err := run(t, o)
	if !errors.Is(err, ErrInvalid) || r == nil || !strings.Contains(r.Headline, "No tick arrived") {
		t.Errorf("%v, %+v", err, r)
	}
}

func TestUnknownEngine(t *testing.T) {
	o := smallOptions(t, startTestServer(t, 100, 10))
	o.Engines = []string{"warp"}
	if r, err := run(t, o); r != nil || err == nil || !strings.Contains(err.Error(), "engine: a parameter of the lab") {
		t.Errorf("%v", err)
	}
}

func TestNoServer(t *testing.T) {
	const unused = "http://127.0.0.1:1" // no server uses this port
	if r, err := run(t, smallOptions(t, unused)); r != nil || err == nil || !strings.Contains(err.Error(), "no server answers at "+unused) {
		t.Errorf("%v", err)
	}
}

func TestOtherServers(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"a page":     func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") },
		"other JSON": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") },
		"nothing":    http.NotFound,
		"a redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) },
		"an error":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
	} {
		s := httptest.NewServer(h)
		if r, err := run(t, smallOptions(t, s.URL)); r != nil || err == nil || !strings.Contains(err.Error(), "is not a Ticklane server") {
			t.Errorf("%s: %v", name, err)
		}
		s.Close()
	}
}

func TestTooFewFiles(t *testing.T) {
	err := needFiles(1 << 40)
	var files *FilesError
	if !errors.As(err, &files) || files.Needed != 1<<40+spareFiles || files.Allowed == 0 {
		t.Fatalf("%v", err)
	}
	for _, part := range []string{"--conns", fmt.Sprint(uint64(1<<40 + spareFiles)), fmt.Sprint(files.Allowed), "ulimit -Hn", "LimitNOFILE", "at most"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q doesn't contain %q", err, part)
		}
	}
	o := smallOptions(t, "http://127.0.0.1:1")
	if err := o.Check(); err != nil {
		t.Fatal(err)
	}
	o.Conns = 1 << 40
	if _, err := Run(t.Context(), o); !errors.As(err, &files) {
		t.Errorf("Run: %v", err)
	}
}
