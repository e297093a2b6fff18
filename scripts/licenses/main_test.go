package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestIdentify(t *testing.T) {
	const mit = "Permission is hereby granted, free of charge, to any\n person obtaining a copy of this software"
	const bsd = "Redistribution and use in source and binary forms, with or without modification, are permitted"
	const isc = "Permission to use, copy, modify, and distribute this software for any purpose with or without fee is hereby granted"
	for text, want := range map[string][]string{
		mit + "\nThis notice shall be included in all copies or\n  substantial portions of the Software.": {"MIT"},
		mit: {"MIT-0"},
		bsd: {"BSD-2-Clause"},
		bsd + "\nNeither the name of X may be used to endorse or promote products": {"BSD-3-Clause"},
		isc + ", provided that the above copyright notice appear in all copies.":   {"ISC"},
		isc + ".": {"0BSD"},
		"Apache License\n   Version 2.0, January 2004": {"Apache-2.0"},
		"Mozilla Public License Version 2.0":           {"MPL"},
		"GNU AFFERO GENERAL PUBLIC LICENSE":            {"AGPL"},
		"Copyright 2026. All rights reserved.":         nil,
	} {
		if got := identify(text); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestNPMParts checks which packages of a lock file are parts, and the licence of one that has no file with it.
func TestNPMParts(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("package-lock.json", `{"packages":{"":{"version":"0"},
		"node_modules/b":{"version":"2.0.0","license":"MIT"},
		"node_modules/tool":{"version":"9.0.0","license":"GPL-3.0","dev":true},
		"node_modules/b/node_modules/@x/a":{"version":"1.0.0","license":"MIT"}}}`)
	write("node_modules/b/index.js", "")
	write("node_modules/b/node_modules/@x/a/COPYING", "GNU General Public License")
	parts, err := npmParts(root)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range parts {
		if err := p.read(); err != nil {
			t.Fatal(err)
		}
		got = append(got, p.name+" "+p.version+" "+strings.Join(p.licences, ","))
	}
	if want := []string{"@x/a 1.0.0 GPL", "b 2.0.0 MIT"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	write("node_modules/b/LICENSE", "You may look at it.")
	b := parts[1]
	b.licences, b.texts = nil, nil
	if err := b.read(); err != nil || !slices.Equal(b.licences, []string{"unknown licence"}) {
		t.Errorf("with a text that isn't known: %q, %v", b.licences, err)
	}
	write("package-lock.json", `{"packages":{}}`)
	if _, err := npmParts(root); err == nil {
		t.Error("no error without packages")
	}
}

// TestDocumentPrintsATextOnce checks that the parts with the same text are listed above it.
func TestDocumentPrintsATextOnce(t *testing.T) {
	got := document([]part{
		{name: "a", version: "1", texts: []string{"one\n"}}, {name: "b", version: "2", texts: []string{"two"}}, {name: "c", version: "3", texts: []string{"one\n"}},
	})
	if strings.Count(got, "one") != 1 || !strings.Contains(got, "\na 1\nc 3\n") || !strings.Contains(got, "\nb 2\n") {
		t.Error(got)
	}
}
