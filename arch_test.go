package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// arrows are the imports that each room may have of ours. They run one way; a room that isn't named here is new, and
// its place must be thought of.
var arrows = map[string][]string{
	"internal/quote":         {},
	"internal/wire":          {"quote"},
	"internal/wire/wiretest": {}, // for tests: an independent reader
	"internal/testkit":       {}, // for tests
	"internal/config":        {},
	"internal/apidoc":        {},
	"internal/i18n":          {},
	"internal/market":        {"quote"},
	"internal/market/replay": {"market", "quote"},
	"internal/bus":           {"wire", "quote"},
	"internal/history":       {"wire", "quote"},
	"internal/stream":        {"wire", "quote"},
	"internal/shard":         {"stream", "wire", "quote"},
	"internal/metrics":       {"stream", "shard", "history", "market", "wire", "quote"},
	"internal/loadtest":      {"wire", "quote"}, // a client: nothing of the server
	"handlers":               {"stream", "shard", "history", "market", "metrics", "apidoc", "i18n", "wire", "quote"},
	".":                      {"config", "market", "market/replay", "bus", "stream", "shard", "history", "metrics", "loadtest", "wire", "quote", "handlers"},
}

// networkRooms are those that may use a network library.
var networkRooms = []string{"handlers", "internal/shard", "internal/loadtest"}

var networkLibraries = []string{
	"github.com/gofiber/", "github.com/valyala/fasthttp", "github.com/fasthttp/", "github.com/gobwas/", "github.com/coder/websocket", "golang.org/x/net",
}

// imports returns what the files of each room import, tests of their own left out: those may ask anybody.
func imports(t *testing.T) map[string]map[string]string {
	t.Helper()
	of := map[string]map[string]string{} // room → import → a file that has it
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if base := d.Name(); name != "." && (strings.HasPrefix(base, ".") || base == "node_modules" || base == "testdata" || base == "bench") {
				return fs.SkipDir // bench is a module of its own
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		room := path.Dir(name)
		if of[room] == nil {
			of[room] = map[string]string{}
		}
		for _, spec := range f.Imports {
			p, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			of[room][p] = name
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return of
}

func TestImportsRunOneWay(t *testing.T) {
	found := imports(t)
	for _, room := range []string{".", "handlers", "internal/quote", "internal/stream", "internal/wire"} {
		if len(found[room]) == 0 {
			t.Fatalf("%s was not found: the test looks in the wrong place", room)
		}
	}
	for room, all := range found {
		allowed, known := arrows[room]
		if !known {
			t.Errorf("%s is a new room: give it its arrows here and in docs/architecture.md", room)
			continue
		}
		for p, file := range all {
			ours, ok := strings.CutPrefix(p, "ticklane/")
			if ok && !slices.Contains(allowed, strings.TrimPrefix(ours, "internal/")) {
				t.Errorf("%s imports %s, against the arrows", file, p)
			}
		}
	}
}

func TestNetworkLibrariesStayInTheirRooms(t *testing.T) {
	for room, all := range imports(t) {
		for p, file := range all {
			if strings.HasPrefix(p, "github.com/gofiber/") && room != "handlers" {
				t.Errorf("%s imports %s: only handlers knows Fiber", file, p)
			}
			if slices.Contains(networkRooms, room) {
				continue
			}
			if slices.ContainsFunc(networkLibraries, func(l string) bool { return strings.HasPrefix(p, l) }) {
				t.Errorf("%s imports %s: network libraries live in %s alone", file, p, strings.Join(networkRooms, ", "))
			}
			// main listens, config reads addresses, metrics is mounted as an http.Handler.
			if (p == "net" || p == "net/http") && !slices.Contains([]string{".", "internal/config", "internal/metrics"}, room) {
				t.Errorf("%s imports %s: only rooms that listen or dial do", file, p)
			}
		}
	}
}

// TestArrowsHaveNoCycle keeps the table itself honest.
func TestArrowsHaveNoCycle(t *testing.T) {
	var visit func(room string, seen []string)
	visit = func(room string, seen []string) {
		if slices.Contains(seen, room) {
			t.Fatalf("cycle: %s → %s", strings.Join(seen, " → "), room)
		}
		for _, next := range arrows[room] {
			if _, ok := arrows[next]; !ok {
				next = "internal/" + next
			}
			if _, ok := arrows[next]; !ok {
				t.Fatalf("%s → %s, which is no room", room, next)
			}
			visit(next, append(seen[:len(seen):len(seen)], room))
		}
	}
	for room := range arrows {
		visit(room, nil)
	}
}
