package loadtest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Save writes the report as JSON and as a page. out is a folder (it exists, or ends in a separator), where the files are
// named by the start's time and the sides, or a path without extension. It returns both paths.
func (r *Report) Save(out string) (jsonPath, htmlPath string, err error) {
	base := reportBase(out, r.fileName())
	if err := os.MkdirAll(filepath.Dir(base), 0o755); err != nil {
		return "", "", fmt.Errorf("--out: %w", err)
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return "", "", fmt.Errorf("report: %w", err)
	}
	page, err := r.HTML()
	if err != nil {
		return "", "", fmt.Errorf("report: %w", err)
	}
	jsonPath, htmlPath = base+".json", base+".html"
	if err := os.WriteFile(jsonPath, append(text, '\n'), 0o644); err != nil {
		return "", "", fmt.Errorf("--out: %w", err)
	}
	if err := os.WriteFile(htmlPath, page, 0o644); err != nil {
		return "", "", fmt.Errorf("--out: %w", err)
	}
	return jsonPath, htmlPath, nil
}

// fileName is such as 2026-03-01T142501Z-sse-ws, 2026-03-01T142501Z-5-sides or 2026-03-01T142501Z-storm-sse.
func (r *Report) fileName() string {
	parts := []string{r.Started.UTC().Format("2006-01-02T150405Z")}
	if kind, ok := strings.CutPrefix(r.Kind, "drill "); ok {
		parts = append(parts, kind)
	}
	if len(r.Sides) > 2 {
		return strings.Join(append(parts, fmt.Sprint(len(r.Sides)), "sides"), "-")
	}
	for _, s := range r.Sides {
		parts = append(parts, s.Lane)
	}
	return strings.Join(parts, "-")
}

// ReadReport reads a saved report back; the error tells what isn't one.
func ReadReport(path string) (*Report, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var r Report
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if r.Schema != Schema {
		return nil, fmt.Errorf("%s: schema %q; want %s", path, r.Schema, Schema)
	}
	return &r, nil
}
