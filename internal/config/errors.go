package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// Problem is one mistake.
type Problem struct {
	Key    string // "market.rate"; an unknown variable's own name
	Origin string // "file config.yaml:12", "env TICKLANE_MARKET_RATE", "flag --market.rate"; empty: no source gave it
	Value  string // as it was given; empty when it isn't the value that is wrong
	Want   string // what is allowed
}

func (p Problem) String() string {
	s := p.Key
	if p.Value != "" {
		s += " = " + p.Value
	}
	if p.Origin != "" {
		s += " (" + p.Origin + ")"
	}
	return s + ": " + p.Want
}

// Error holds every mistake in the settings, in the order of the sources.
type Error struct{ Problems []Problem }

// Error has a line for each mistake.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("1 mistake in the settings:")
	if n := len(e.Problems); n != 1 {
		b.Reset()
		fmt.Fprintf(&b, "%d mistakes in the settings:", n)
	}
	for _, p := range e.Problems {
		b.WriteString("\n  " + p.String())
	}
	return b.String()
}

// FlagError adds the nearest flag's name to pflag's error about an unknown one. Other errors it returns as they are.
func FlagError(err error) error {
	var missing *pflag.NotExistError
	if !errors.As(err, &missing) {
		return err
	}
	if k, ok := nearest(missing.GetSpecifiedName()); ok {
		return fmt.Errorf("%w; did you mean --%s?", err, k.name)
	}
	return err
}

func unknown(name string, raw any, from string) Problem {
	if section(name) {
		return Problem{Key: name, Origin: from, Value: show(raw), Want: "this is a section: its keys stand below it, indented"}
	}
	p := Problem{Key: name, Origin: from, Want: "no such key"}
	if k, ok := nearest(name); ok {
		p.Want += "; did you mean " + k.name + "?"
	}
	return p
}

// read checks a raw value, as YAML, the environment or a flag gave it.
func (k key) read(raw any) (any, error) {
	want := func() error { return fmt.Errorf("want %s", k.kind.allowed()) }
	var s string
	switch raw := raw.(type) {
	case nil:
		return nil, fmt.Errorf("has no value: leave the line out for the default, or give %s", k.kind.allowed())
	case map[string]any:
		return nil, want()
	case []any:
		if _, ok := k.kind.(list); !ok {
			return nil, want()
		}
		items := make([]string, len(raw))
		for i, item := range raw {
			items[i] = fmt.Sprint(item)
			if item == nil || strings.Contains(items[i], ",") {
				return nil, want()
			}
		}
		s = strings.Join(items, ",")
	default:
		s = fmt.Sprint(raw)
	}
	v, ok := k.kind.parse(s)
	if !ok {
		return nil, want()
	}
	return v, nil
}

// show is a raw value for an error: quoted, short.
func show(raw any) string {
	const most = 80
	var s string
	switch raw := raw.(type) {
	case nil:
		return ""
	case map[string]any:
		return "a section"
	case []any:
		s = fmt.Sprintf("%q", raw)
	default:
		s = fmt.Sprintf("%q", fmt.Sprint(raw))
	}
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return s
}

func empty(raw any) bool {
	m, ok := raw.(map[string]any)
	return raw == nil || ok && len(m) == 0
}

// inOrder gives the names in the table's order, unknown ones after them by the alphabet, so that errors don't move.
func inOrder(values map[string]any) []string {
	var names, strange []string
	for k := range everyKey() {
		if _, ok := values[k.name]; ok {
			names = append(names, k.name)
		}
	}
	for name := range values {
		if _, ok := lookup(name); !ok {
			strange = append(strange, name)
		}
	}
	slices.Sort(strange)
	return append(names, strange...)
}

// nearest finds the key that a mistyped name most likely meant: a few letters off as a whole, or in its last part
// under a wrong or missing section.
func nearest(name string) (key, bool) {
	var best key
	least := -1
	for k := range everyKey() {
		for _, d := range []int{
			distance(name, k.name, max(2, len(name)/3)),
			1 + distance(last(name), last(k.name), len(last(name))/3),
		} {
			if d > 0 && (least < 0 || d < least) {
				best, least = k, d
			}
		}
	}
	return best, least >= 0
}

func last(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// far stands for more than the limit; adding one to it must not make it a distance.
const far = -2

// distance is Levenshtein's, in bytes; far when it is more than limit.
func distance(a, b string, limit int) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := corner
			if a[i] != b[j] {
				change++
			}
			corner = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	if row[len(b)] > limit {
		return far
	}
	return row[len(b)]
}
