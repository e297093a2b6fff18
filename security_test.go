package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestSecurityTableNamesTests checks that each row of docs/security.md has three cells, and that each test in its last one exists.
func TestSecurityTableNamesTests(t *testing.T) {
	functions := map[string]bool{} // package.Test
	declaration := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	for _, pattern := range []string{"*_test.go", "handlers/*_test.go", "e2e/*_test.go", "internal/*/*_test.go", "internal/*/*/*_test.go", "deploy/check/*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, name := range files {
			dir := filepath.ToSlash(filepath.Dir(name))
			if strings.HasPrefix(dir, "internal/") {
				dir = filepath.Base(dir)
			}
			if dir == "." {
				dir = "main"
			}
			for _, m := range declaration.FindAllStringSubmatch(readText(t, name), -1) {
				functions[dir+"."+m[1]] = true
			}
		}
	}
	quoted := regexp.MustCompile("`([^`]+)`")
	rows := 0
	for line := range strings.Lines(readText(t, "docs/security.md")) {
		line = strings.TrimSpace(line)
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") || strings.TrimSpace(cells[0]) == "threat" {
			continue
		}
		rows++
		names := quoted.FindAllStringSubmatch(cells[len(cells)-1], -1)
		if len(cells) != 3 || len(names) == 0 {
			t.Errorf("want a threat, a defence and tests: %s", line)
		}
		for _, n := range names {
			if _, err := os.Stat(n[1]); !functions[n[1]] && err != nil {
				t.Errorf("there is no test %s", n[1])
			}
		}
	}
	if rows < 30 {
		t.Errorf("%d rows", rows)
	}
}
