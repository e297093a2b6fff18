package handlers_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ticklane/handlers"
	"ticklane/internal/testkit/testserver"
)

// TestReportsAreDatedByTheirRun checks that a report has the time of its run, not that of a copy or a checkout of its file.
func TestReportsAreDatedByTheirRun(t *testing.T) {
	dir, written := t.TempDir(), time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chtimes(path, written, written)); err != nil {
			t.Fatal(err)
		}
	}
	srv := newTestServer(t, testserver.Options{Settings: func(s *handlers.Settings) { s.Reports = dir }})
	write("a.html", "<p>report")
	for figures, want := range map[string]time.Time{
		`{"schema":"x","target":{"started":1},"started":"2026-03-02T10:00:00Z","windows":[`: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC),
		`{"schema":"x"}`: written, `{"started":5}`: written, `{"started":`: written, `[]`: written, "": written,
	} {
		write("a.json", figures)
		var got struct{ Reports []struct{ When time.Time } }
		if _, text := srv.Get("/api/reports"); json.Unmarshal([]byte(text), &got) != nil || len(got.Reports) != 1 || !got.Reports[0].When.Equal(want) {
			t.Errorf("%s: %s, want %v", figures, text, want)
		}
	}
}
