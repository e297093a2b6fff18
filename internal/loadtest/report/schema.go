package report

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Parse parses a report's JSON of this schema or an earlier one.
func Parse(text []byte) (*Report, error) {
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, err
	}
	switch head.Schema {
	case Schema:
	case schema1:
		var err error
		if text, err = convertSchema1(text); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("schema %q is unknown; want %s or %s", head.Schema, Schema, schema1)
	}
	var r Report
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, err
	}
	return &r, nil
}

const schema1 = "ticklane.load/1"

// renamed1 are the members of schema 1 that have another name now, wherever they occur.
var renamed1 = map[string]string{
	"sides": "variants", "side": "variant", "slots": "windows", "contrasts": "pairwise", "server_faults": "server_failures",
	"doubled": "duplicates", "disorder": "out_of_order", "told": "gap_ticks", "mislabeled": "wrong_ids", "ignored": "ignored_positions",
	"gap_told": "resumed_with_gap", "back": "reconnect", "caught": "catch_up",
}

// convertSchema1 returns a report of schema 1 as one of this schema: the members have other names. Figures, headline and
// findings are as they were.
func convertSchema1(text []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber() // seeds need all of their 64 bits
	var r map[string]any
	if err := d.Decode(&r); err != nil {
		return nil, err
	}
	rename(r, renamed1)
	r["schema"] = Schema
	return json.Marshal(r)
}

// rename renames the members of all objects in v.
func rename(v any, names map[string]string) {
	switch v := v.(type) {
	case map[string]any:
		for name, x := range v {
			rename(x, names)
			if to, ok := names[name]; ok {
				delete(v, name)
				v[to] = x
			}
		}
	case []any:
		for _, x := range v {
			rename(x, names)
		}
	}
}
