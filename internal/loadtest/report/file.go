package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Save writes the report as JSON and as a page, and returns both paths. out is a folder (it exists, or ends in a
// separator), in which the files are named by the time of the start and the lanes, or a path without extension.
func (r *Report) Save(out string) (jsonPath, htmlPath string, err error) {
	base := basePath(out, r.fileName())
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

// fileName returns a name such as 2026-03-01T142501Z-sse-ws, 2026-03-01T142501Z-4-variants or
// 2026-03-01T142501Z-storm-sse.
func (r *Report) fileName() string {
	parts := []string{r.Started.UTC().Format("2006-01-02T150405Z")}
	if r.isDrill() {
		parts = append(parts, r.drill())
	}
	if len(r.Variants) > 2 {
		return strings.Join(append(parts, fmt.Sprint(len(r.Variants)), "variants"), "-")
	}
	for _, v := range r.Variants {
		parts = append(parts, v.Lane)
	}
	return strings.Join(parts, "-")
}

// basePath returns the path of a report without extension. name is the file's if out is a folder.
func basePath(out, name string) string {
	info, err := os.Stat(out)
	if strings.HasSuffix(out, "/") || strings.HasSuffix(out, string(filepath.Separator)) || err == nil && info.IsDir() {
		return filepath.Join(out, name)
	}
	return strings.TrimSuffix(strings.TrimSuffix(out, ".json"), ".html")
}

// CheckWritable returns why no report could be saved at out. It leaves no file behind.
func CheckWritable(out string) error {
	base := basePath(out, "report")
	for _, path := range []string{base + ".json", base + ".html"} {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err == nil {
			f.Close()
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	// Save will make missing folders in the nearest one that exists.
	dir := filepath.Dir(base)
	for {
		_, err := os.Stat(dir)
		if err == nil {
			break
		}
		if parent := filepath.Dir(dir); errors.Is(err, fs.ErrNotExist) && parent != dir {
			dir = parent
			continue
		}
		return err
	}
	f, err := os.CreateTemp(dir, ".ticklane-*")
	if err != nil {
		return err
	}
	f.Close()
	return os.Remove(f.Name())
}
