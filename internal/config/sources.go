package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

const (
	fileFlag    = "config"
	fileEnv     = envPrefix + "CONFIG"
	defaultFile = "config.yaml"
)

// filePath returns the path of the YAML file, the source of that path, and whether the file must exist.
func filePath(flags *pflag.FlagSet, environ []string, name string) (path, origin string, required bool) {
	if name != "" {
		return name, "", true
	}
	if flags != nil && flags.Changed(fileFlag) {
		return flags.Lookup(fileFlag).Value.String(), " (flag --" + fileFlag + ")", true
	}
	for _, e := range environ {
		if v, ok := strings.CutPrefix(e, fileEnv+"="); ok {
			return v, " (env " + fileEnv + ")", true
		}
	}
	return defaultFile, "", false
}

func (s *settings) readFile(path, origin string, required bool) error {
	b, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !required:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("config file %q%s does not exist", path, origin)
	}
	var doc map[string]any // decoding reports keys that occur twice, which decoding to a Node does not
	var node yaml.Node
	if err == nil {
		err = checkText(b)
	}
	if err == nil {
		err = yaml.Unmarshal(b, &doc)
	}
	if err == nil {
		err = decodeOnly(b, &node)
	}
	if err != nil {
		return fmt.Errorf("config file %q%s: %w", path, origin, err)
	}
	values, lines := map[string]any{}, map[string]int{}
	flatten(values, "", doc)
	if len(node.Content) > 0 {
		lineNumbers(lines, "", node.Content[0])
	}
	s.take(values, func(name string) string {
		if n := lines[name]; n > 0 {
			return fmt.Sprintf("file %s:%d", path, n)
		}
		return "file " + path
	})
	return nil
}

// checkText returns an error unless b is UTF-8. The YAML library also reads UTF-16, but only with a byte order mark, and
// otherwise reports a control character.
func checkText(b []byte) error {
	switch {
	case bytes.IndexByte(b, 0) >= 0:
		return errors.New("it looks like UTF-16: save it as UTF-8")
	case !utf8.Valid(b):
		return errors.New("it isn't UTF-8: save it as UTF-8")
	}
	return nil
}

// decodeOnly decodes the YAML document of b. More than one is an error.
func decodeOnly(b []byte, node *yaml.Node) error {
	d := yaml.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(node); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	var second yaml.Node
	err := d.Decode(&second)
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	return fmt.Errorf("line %d: a second YAML document begins after ---, and its settings would be ignored: use one document", second.Line)
}

// flatten adds the values of a YAML mapping to values, with the names of nested keys joined by dots. An empty mapping is a
// value.
func flatten(values map[string]any, name string, v any) {
	each := func(key, v any) {
		flatten(values, strings.TrimPrefix(fmt.Sprint(name, ".", key), "."), v)
	}
	switch m := v.(type) {
	case map[string]any:
		for k, v := range m {
			each(k, v)
		}
		if len(m) > 0 || name == "" {
			return
		}
	case map[any]any: // a mapping with keys that are not text
		for k, v := range m {
			each(k, v)
		}
		return
	}
	values[name] = v
}

// lineNumbers adds the line of each key of a YAML mapping to lines, with names as in flatten.
func lineNumbers(lines map[string]int, prefix string, n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := prefix + n.Content[i].Value
		lines[name] = n.Content[i].Line
		lineNumbers(lines, name+".", n.Content[i+1])
	}
}

// serviceLink matches the variables that Kubernetes and Docker set in every container near a service named "ticklane".
var serviceLink = regexp.MustCompile(`^TICKLANE_(SERVICE_(HOST|PORT)(_\w+)?=|PORT(_\d+_\w+)?=\w+://|PORT_\d+_(TCP|UDP|SCTP)_(ADDR|PORT|PROTO)=)`)

func (s *settings) readEnv(environ []string) {
	names := map[string]string{}
	for k := range everyKey() {
		names[k.env()] = k.name
	}
	values := map[string]any{}
	var unknown []Problem
	for _, e := range environ {
		name, v, _ := strings.Cut(e, "=")
		if !strings.HasPrefix(name, envPrefix) || name == fileEnv || serviceLink.MatchString(e) {
			continue
		}
		if k, ok := names[name]; ok {
			values[k] = v
			continue
		}
		p := Problem{Key: name, Origin: "env", Want: "no such setting"}
		asKey := strings.ToLower(strings.Replace(strings.TrimPrefix(name, envPrefix), "_", ".", 1))
		if k, ok := nearestKey(asKey); ok {
			p.Want += "; did you mean " + k.env() + "?"
		}
		unknown = append(unknown, p)
	}
	s.take(values, func(name string) string { return "env " + byName[name].env() })
	slices.SortFunc(unknown, func(a, b Problem) int { return strings.Compare(a.Key, b.Key) })
	s.problems = append(s.problems, unknown...)
}

func (s *settings) readFlags(flags *pflag.FlagSet) {
	if flags == nil {
		return
	}
	values := map[string]any{}
	flags.Visit(func(f *pflag.Flag) {
		if _, known := byName[f.Name]; known { // not --config or --help
			values[f.Name] = f.Value.String()
		}
	})
	s.take(values, func(name string) string { return "flag --" + name })
}
