package e2e

import (
	"context"
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	fenced = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")
	// A printed quote: symbol, price, seq; of curl: an event's data.
	printed = regexp.MustCompile(`(?m)^(data: \{"T":"q".*|[A-Z]+ \d+(\.\d+)? \d+)$`)
)

// TestDocumentedClients runs the clients of docs/clients.md as they are printed there, except for the port. Not run: the
// browser's (the home pages' tests cover it), the WebSocket clients in Go, a fragment, and in Python, which needs a package.
func TestDocumentedClients(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "docs/clients.md"))
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, "--market.rate", "30") // slow enough for a command before the tenth tick
	ran := map[string]int{}
	for _, block := range fenced.FindAllStringSubmatch(string(text), -1) {
		language, code := block[1], strings.ReplaceAll(block[2], "localhost:3000", s.addr)
		var name string
		var command []string
		switch {
		case language == "sh" && strings.HasPrefix(code, "curl "):
			name, command = "curl.sh", []string{"sh"}
		case language == "js" && strings.Contains(code, "from 'ws'"):
			name, command = "ws.mjs", []string{"node"}
		case language == "js":
			name, command = "sse.mjs", []string{"node"}
		case language == "python" && !strings.Contains(code, "websockets"):
			name, command = "sse.py", []string{"python3"}
		case language == "go" && strings.HasPrefix(code, "package main"):
			name, command = "main.go", []string{"go", "run"}
		default:
			continue
		}
		ran[name]++
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := runClient(t, name, code, command)
			if n := len(printed.FindAllString(out, -1)); n != 10 {
				t.Errorf("printed %d quotes, want 10:\n%s", n, out)
			}
			if name == "ws.mjs" && (!strings.Contains(out, "closed: 1000") || !strings.Contains(out, "topics now: AAPL,MSFT")) {
				t.Errorf("want the topics and the close code in the output:\n%s", out)
			}
		})
	}
	for _, name := range []string{"curl.sh", "sse.mjs", "ws.mjs", "sse.py", "main.go"} {
		if ran[name] != 1 {
			t.Errorf("%s: found %d times in docs/clients.md, want once", name, ran[name])
		}
	}
}

// runClient writes a client into a temporary folder and returns what it prints. curl's progress is elsewhere: on stderr.
func runClient(t *testing.T, name, code string, command []string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	modules, err := filepath.Abs(filepath.Join(root, "node_modules"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil { // where Node looks for packages
		t.Fatal(err)
	}
	if _, err := exec.LookPath(command[0]); err != nil {
		t.Fatalf("%s is missing, which this client needs: scripts/need.sh clients", command[0])
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), 2*timeout, fmt.Errorf("%s not ended in time", name))
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], append(command[1:], name)...)
	cmd.Dir = dir
	cmd.WaitDelay = timeout
	var errors strings.Builder
	cmd.Stderr = &errors
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v %v\n%s%s", err, context.Cause(ctx), out, errors.String())
	}
	return string(out)
}

// TestReadmePictures checks that the README's pictures exist and stay small.
func TestReadmePictures(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	links := regexp.MustCompile(`!\[[^\]]+\]\(([^)]+\.png)\)`).FindAllSubmatch(text, -1)
	if len(links) == 0 {
		t.Error("the README shows no picture")
	}
	for _, link := range links {
		picture, err := os.ReadFile(filepath.Join(root, string(link[1])))
		if err != nil {
			t.Fatal(err)
		}
		checkScreenshot(t, picture, image.Pt(1440, 900))
		if len(picture) > 400_000 {
			t.Errorf("%s has %d bytes, want at most 400,000", link[1], len(picture))
		}
	}
}
