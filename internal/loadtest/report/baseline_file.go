package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
)

// ReadBaseline reads an earlier report of a kind from its JSON file.
func ReadBaseline(path, kind string) (*Report, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		var pathErr *os.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		return nil, err
	}
	var r Report
	var head struct {
		Schema string `json:"schema"`
	}
	switch err := json.Unmarshal(text, &head); {
	case strings.HasSuffix(path, ".html"):
		return nil, fmt.Errorf("is a page; want the JSON beside it, %s.json", strings.TrimSuffix(path, ".html"))
	case err != nil:
		return nil, fmt.Errorf("is not JSON: %w; want the .json of a report", err)
	case head.Schema == "":
		return nil, errors.New("is no report of ticklane load: it has no schema")
	case head.Schema != Schema:
		return nil, fmt.Errorf("has schema %s; want %s: measure it again", head.Schema, Schema)
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("is damaged: %w", err)
	}
	if r.Kind != kind {
		return nil, fmt.Errorf("is a %s, but this test is a %s", r.Kind, kind)
	}
	if err := r.checkLetters(); err != nil {
		return nil, fmt.Errorf("is damaged: %w", err)
	}
	if len(r.Windows)+len(r.Drills) == 0 {
		return nil, fmt.Errorf("has nothing to compare with: it is %s, and nothing was measured", r.Status)
	}
	return &r, nil
}

// checkLetters returns an error if a window or a drill refers to no variant.
func (r *Report) checkLetters() error {
	known := func(letter string) bool {
		return len(letter) == 1 && letter[0] >= 'A' && int(letter[0]-'A') < len(r.Variants)
	}
	for k, v := range r.Variants {
		if v.Variant != Letter(k) {
			return fmt.Errorf("variants[%d].variant is %q, want %q", k, v.Variant, Letter(k))
		}
	}
	for k, w := range r.Windows {
		if w == nil || !known(w.Variant) {
			return fmt.Errorf("windows[%d] has no variant", k)
		}
	}
	for k, d := range r.Drills {
		if d == nil || !known(d.Variant) {
			return fmt.Errorf("drills[%d] has no variant", k)
		}
	}
	return nil
}
