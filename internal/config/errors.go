package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"ticklane/internal/nearest"
)

// Problem is one invalid setting.
type Problem struct {
	Key    string // "market.rate"; for an unknown variable its name
	Origin string // "file config.yaml:12", "env TICKLANE_MARKET_RATE", "flag --market.rate"; empty if no source has set it
	Value  string // as given; empty if the value is not the problem
	Want   string // what is allowed instead
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

// Error lists all invalid settings, in the order of the sources.
type Error struct{ Problems []Problem }

// Error returns a text with one line for each problem.
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

// FlagError adds the name of the most similar flag to pflag's error for an unknown flag. It returns other errors unchanged.
func FlagError(err error) error {
	var missing *pflag.NotExistError
	if !errors.As(err, &missing) {
		return err
	}
	if k, ok := nearestKey(missing.GetSpecifiedName()); ok {
		return fmt.Errorf("%w; did you mean --%s?", err, k.name)
	}
	return err
}

// unknownKey returns the problem of a name that is no key.
func unknownKey(name string, raw any, from string) Problem {
	if isSection(name) {
		return Problem{Key: name, Origin: from, Value: show(raw), Want: "this is a section: indent its keys below it"}
	}
	p := Problem{Key: name, Origin: from, Want: "no such key"}
	if k, ok := nearestKey(name); ok {
		p.Want += "; did you mean " + k.name + "?"
	}
	return p
}

// read parses a raw value of YAML, the environment or a flag.
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
		if _, isDuration := k.kind.(duration); isDuration && isNumber(s) {
			return nil, fmt.Errorf("%w, with a unit, such as %sms or %[2]ss", want(), s)
		}
		if _, isDays := k.kind.(days); isDays && isNumber(s) {
			return nil, fmt.Errorf("%w, with a unit, such as %sh or %[2]sd", want(), s)
		}
		return nil, want()
	}
	return v, nil
}

func isNumber(s string) bool {
	_, err := strconv.ParseFloat(s, 64)
	return err == nil
}

// show returns a raw value for an error, quoted and truncated.
func show(raw any) string {
	const limit = 80
	var s string
	switch raw := raw.(type) {
	case nil:
		return ""
	case map[string]any:
		return "a section"
	case []any:
		items := make([]string, len(raw))
		for i, item := range raw {
			items[i] = fmt.Sprint(item)
		}
		s = fmt.Sprintf("%q", items)
	default:
		s = fmt.Sprintf("%q", fmt.Sprint(raw))
	}
	if r := []rune(s); len(r) > limit {
		s = string(r[:limit]) + "…"
	}
	return s
}

// isEmpty reports whether a raw value is missing or a section without keys.
func isEmpty(raw any) bool {
	m, ok := raw.(map[string]any)
	return raw == nil || ok && len(m) == 0
}

// inOrder returns the names in the order of the table, followed by the unknown ones in alphabetical order, so that the order of
// problems is stable.
func inOrder(values map[string]any) []string {
	var names, unknown []string
	for k := range everyKey() {
		if _, ok := values[k.name]; ok {
			names = append(names, k.name)
		}
	}
	for name := range values {
		if _, ok := byName[name]; !ok {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return append(names, unknown...)
}

// nearestKey returns the key that a misspelled name most likely means: one that differs in a few letters, or whose last part does
// while the section is wrong or missing.
func nearestKey(name string) (key, bool) {
	var best key
	least := nearest.TooFar
	for k := range everyKey() {
		d := min(nearest.Distance(name, k.name, max(2, len(name)/3)), 1+nearest.Distance(last(name), last(k.name), len(last(name))/3))
		if d < least {
			best, least = k, d
		}
	}
	return best, least < nearest.TooFar
}

func last(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }
