package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// systems are those for which binaries are built. Some modules are only in those of one system.
var systems = []string{"linux", "darwin", "windows"}

// goParts returns the Go distribution and the modules that are in the binary of any system, sorted by name.
func goParts() ([]part, error) {
	parts := []part{{name: "Go standard library", version: runtime.Version(), dir: runtimeRoot()}}
	seen := map[string]bool{}
	for _, system := range systems {
		list := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Version}}\t{{.Dir}}{{end}}{{end}}", ".")
		list.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
		list.Stderr = os.Stderr
		out, err := list.Output()
		if err != nil {
			return nil, fmt.Errorf("go list for %s: %w", system, err)
		}
		for line := range strings.Lines(string(out)) {
			f := strings.Split(strings.TrimSpace(line), "\t")
			if len(f) == 3 && !seen[f[0]] {
				seen[f[0]] = true
				parts = append(parts, part{name: f[0], version: f[1], dir: f[2]})
			}
		}
	}
	slices.SortFunc(parts[1:], func(a, b part) int { return strings.Compare(a.name, b.name) })
	return parts, nil
}

// runtimeRoot returns the directory of the Go distribution.
func runtimeRoot() string {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// npmParts returns the packages of root's package-lock.json that are in the bundle: those that aren't for development only.
func npmParts(root string) ([]part, error) {
	b, err := os.ReadFile(filepath.Join(root, "package-lock.json"))
	if err != nil {
		return nil, err
	}
	var lock struct {
		Packages map[string]struct {
			Version, License string
			Dev              bool
		}
	}
	if err := json.Unmarshal(b, &lock); err != nil {
		return nil, fmt.Errorf("package-lock.json: %w", err)
	}
	var parts []part
	for dir, p := range lock.Packages {
		if dir == "" || p.Dev { // "" is this repository
			continue
		}
		at := strings.LastIndex(dir, "node_modules/") + len("node_modules/")
		parts = append(parts, part{name: dir[at:], version: p.Version, declared: p.License, dir: filepath.Join(root, dir)})
	}
	if len(parts) == 0 {
		return nil, errors.New("package-lock.json: no package that isn't for development only")
	}
	slices.SortFunc(parts, func(a, b part) int { return strings.Compare(a.name, b.name) })
	return parts, nil
}

// licenceFile matches the files that a licence asks to keep with the binary.
var licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|unlicense|patents)([-.].*)?$`)

// read sets the texts and licences of p from the files in its directory.
func (p *part) read() error {
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		return fmt.Errorf("%s: %w; run go mod download and npm ci", p.name, err)
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !licenceFile.MatchString(e.Name()) || strings.HasSuffix(e.Name(), ".go") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(p.dir, e.Name()))
		if err != nil {
			return err
		}
		p.texts = append(p.texts, string(text))
		p.licences = append(p.licences, identify(string(text))...)
	}
	slices.Sort(p.licences)
	p.licences = slices.Compact(p.licences)
	switch {
	case len(p.licences) > 0:
	case len(p.texts) == 0 && p.declared != "":
		p.licences = []string{p.declared}
		p.texts = []string{"The package has no file with its licence. Its package.json names the licence " + p.declared + "."}
	default:
		p.licences = []string{"unknown licence"}
	}
	return nil
}

// phrases are those by which a licence is recognised, in lower case with single spaces. All of a licence's must occur, and
// none after "not:".
var phrases = []struct {
	id   string
	text []string
}{
	{"MIT", []string{"permission is hereby granted, free of charge, to any person obtaining a copy", "shall be included in all copies or substantial portions"}},
	{"MIT-0", []string{"permission is hereby granted, free of charge, to any person obtaining a copy", "not:shall be included in all copies or substantial portions"}},
	{"ISC", []string{"distribute this software for any purpose with or without fee is hereby granted", "provided that the above copyright notice"}},
	{"0BSD", []string{"distribute this software for any purpose with or without fee is hereby granted", "not:provided that the above copyright notice"}},
	{"BSD-3-Clause", []string{"redistribution and use in source and binary forms", "to endorse or promote products"}},
	{"BSD-2-Clause", []string{"redistribution and use in source and binary forms", "not:to endorse or promote products"}},
	{"Apache-2.0", []string{"apache license", "version 2.0"}},
	{"Unlicense", []string{"this is free and unencumbered software released into the public domain"}},
	{"MPL", []string{"mozilla public license"}},
	{"GPL", []string{"gnu general public license"}},
	{"LGPL", []string{"gnu lesser general public license"}},
	{"AGPL", []string{"gnu affero general public license"}},
	{"EPL", []string{"eclipse public license"}},
	{"CC", []string{"creative commons"}},
}

// identify returns the licences in a text, none for a mere notice.
func identify(text string) []string {
	text = strings.Join(strings.Fields(strings.ToLower(text)), " ")
	var ids []string
	for _, l := range phrases {
		if !slices.ContainsFunc(l.text, func(phrase string) bool {
			unwanted, not := strings.CutPrefix(phrase, "not:")
			return not == strings.Contains(text, cmp.Or(unwanted, phrase))
		}) {
			ids = append(ids, l.id)
		}
	}
	return ids
}
