package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"
	yamlv3 "go.yaml.in/yaml/v3"
)

const (
	fileFlag    = "config"
	fileEnv     = EnvPrefix + "CONFIG"
	defaultFile = "config.yaml"
)

// filePath finds the file's name, where that name came from, and whether the file must exist.
func filePath(flags *pflag.FlagSet, environ []string, name string) (path, origin string, must bool) {
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

func (s *settings) readFile(path, origin string, must bool) error {
	k := koanf.New(".")
	err := k.Load(file.Provider(path), yaml.Parser())
	switch {
	case errors.Is(err, fs.ErrNotExist) && !must:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("config file %q%s does not exist", path, origin)
	case err != nil:
		return fmt.Errorf("config file %q%s: %w", path, origin, err)
	}
	lines := lineNumbers(path)
	s.take(k.All(), func(name string) string {
		if n := lines[name]; n > 0 {
			return fmt.Sprintf("file %s:%d", path, n)
		}
		return "file " + path
	})
	return nil
}

// lineNumbers maps each key of a YAML file to its line. What can't be read has none: the caller has told that already.
func lineNumbers(path string) map[string]int {
	lines := map[string]int{}
	var doc yamlv3.Node
	b, err := os.ReadFile(path)
	if err != nil || yamlv3.Unmarshal(b, &doc) != nil || len(doc.Content) == 0 {
		return lines
	}
	var walk func(prefix string, n *yamlv3.Node)
	walk = func(prefix string, n *yamlv3.Node) {
		if n.Kind != yamlv3.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			name := prefix + n.Content[i].Value
			lines[name] = n.Content[i].Line
			walk(name+".", n.Content[i+1])
		}
	}
	walk("", doc.Content[0])
	return lines
}

// serviceLink matches what Kubernetes and Docker links put into every container beside a service named "ticklane".
var serviceLink = regexp.MustCompile(`^TICKLANE_(SERVICE_(HOST|PORT)(_\w+)?=|PORT(_\d+_\w+)?=\w+://|PORT_\d+_(TCP|UDP|SCTP)_(ADDR|PORT|PROTO)=)`)

func (s *settings) readEnv(environ []string) {
	names := map[string]string{}
	for k := range everyKey() {
		names[k.env()] = k.name
	}
	values := map[string]any{}
	var strange []Problem
	for _, e := range environ {
		name, v, _ := strings.Cut(e, "=")
		if !strings.HasPrefix(name, EnvPrefix) || name == fileEnv || serviceLink.MatchString(e) {
			continue
		}
		if k, ok := names[name]; ok {
			values[k] = v
			continue
		}
		p := Problem{Key: name, Origin: "env", Want: "no such setting"}
		asKey := strings.ToLower(strings.Replace(strings.TrimPrefix(name, EnvPrefix), "_", ".", 1))
		if k, ok := nearest(asKey); ok {
			p.Want += "; did you mean " + k.env() + "?"
		}
		strange = append(strange, p)
	}
	s.take(values, func(name string) string { return "env " + byName[name].env() })
	slices.SortFunc(strange, func(a, b Problem) int { return strings.Compare(a.Key, b.Key) })
	s.problems = append(s.problems, strange...)
}

func (s *settings) readFlags(flags *pflag.FlagSet) error {
	if flags == nil {
		return nil
	}
	k := koanf.New(".")
	err := k.Load(posflag.ProviderWithFlag(flags, ".", nil, func(f *pflag.Flag) (string, any) {
		if _, known := lookup(f.Name); !known {
			return "", nil // --config, --help and what else the command has
		}
		return f.Name, f.Value.String()
	}), nil)
	if err != nil {
		return fmt.Errorf("config: flags: %w", err)
	}
	s.take(k.All(), func(name string) string { return "flag --" + name })
	return nil
}
