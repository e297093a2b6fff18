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

// dependencies lists the packages of this module that each package may import, without the prefix internal/. A new package
// needs an entry here and in docs/architecture.md.
var dependencies = map[string][]string{
	"internal/excerpt":       {},
	"internal/quote":         {"excerpt"},
	"internal/quote/batch":   {"quote"},
	"internal/nearest":       {},
	"internal/strictjson":    {"excerpt", "nearest"},
	"internal/auth":          {"excerpt", "strictjson", "quote"},
	"internal/wire":          {"excerpt", "strictjson", "quote"},
	"internal/wire/wiretest": {}, // for tests: an independent decoder
	"internal/testkit":       {}, // for tests
	// For tests: the built server and a browser.
	"internal/testkit/browsertest": {},
	"internal/testkit/oidctest":    {}, // for tests: an OpenID Connect provider
	"internal/testkit/natstest":    {}, // for tests: NATS servers
	"internal/config":              {"nearest"},
	"internal/apidoc":              {},
	"internal/i18n":                {},
	"internal/market":              {"quote"},
	"internal/market/replay":       {"excerpt", "market", "quote"},
	"internal/market/ingest":       {"excerpt", "market", "quote", "quote/batch"},
	"internal/audit":               {},
	"internal/bus":                 {"wire", "quote"},
	"internal/delay":               {"quote", "quote/batch"},
	"internal/bus/natserr":         {},
	"internal/bus/natsbus":         {"bus", "bus/natserr", "quote", "quote/batch"},
	"internal/cluster":             {},
	"internal/bus/bustest":         {"bus", "quote", "testkit"}, // for tests
	"internal/cluster/relay":       {"auth", "bus/natserr", "market/ingest"},
	"internal/cluster/share":       {"auth", "bus/natserr"},
	"internal/history":             {"wire", "quote"},
	"internal/delayed":             {"delay", "history", "stream", "quote"},
	"internal/cluster/bars":        {"history", "quote"},
	"internal/stream":              {"auth", "wire", "quote"},
	"internal/shard":               {"stream", "wire", "quote"},
	"internal/netconn":             {},
	"internal/websocket":           {"wire"},
	"internal/fault":               {"stream", "wire"},
	"internal/metrics":             {"stream", "shard", "history", "market", "wire", "quote"},
	// The adapters are clients, too.
	"internal/adapter": {},
	// The load tester is a client: it imports nothing of the server.
	"internal/loadtest":        {"loadtest/client", "loadtest/stats", "loadtest/report", "wire"},
	"internal/loadtest/client": {"wire", "quote"},
	"internal/loadtest/stats":  {},
	"internal/loadtest/report": {"loadtest/stats", "nearest"},
	"handlers":                 {"audit", "auth", "cluster", "delayed", "nearest", "strictjson", "netconn", "websocket", "fault", "stream", "shard", "history", "market", "market/ingest", "metrics", "apidoc", "i18n", "wire", "quote"},
	".":                        {"adapter", "audit", "auth", "config", "market", "market/replay", "market/ingest", "bus", "bus/natsbus", "cluster", "cluster/bars", "cluster/relay", "cluster/share", "delay", "delayed", "stream", "shard", "history", "metrics", "loadtest", "wire", "quote", "handlers"},

	"scripts/licenses": {},                                         // for make licenses
	"cluster":          {"loadtest/report", "testkit/browsertest"}, // for make cluster

	// For tests: a whole server with its clients.
	"internal/testkit/testserver": {"auth", "handlers", "bus", "delay", "delayed", "history", "metrics", "quote", "shard", "stream", "wire", "wire/wiretest"},
}

// networkPackages may import the networkLibraries.
var networkPackages = []string{"cluster", "handlers", "internal/adapter", "internal/websocket", "internal/shard", "internal/loadtest", "internal/loadtest/client", "internal/wire/wiretest", "internal/testkit/testserver", "internal/testkit/oidctest", "internal/testkit/natstest"}

var networkLibraries = []string{
	"github.com/gofiber/", "github.com/valyala/fasthttp", "github.com/fasthttp/", "github.com/gobwas/", "github.com/coder/websocket", "golang.org/x/net",
}

// imports returns what the files of each package import, except test files, which may import any package.
func imports(t *testing.T) map[string]map[string]string {
	t.Helper()
	of := map[string]map[string]string{} // package → import → a file with it
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			base := d.Name()
			_, err := os.Stat(path.Join(name, "go.mod"))
			if name != "." && (err == nil || strings.HasPrefix(base, ".") || base == "node_modules" || base == "testdata") {
				return fs.SkipDir // with a go.mod it is another module
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
		dir := path.Dir(name)
		if of[dir] == nil {
			of[dir] = map[string]string{}
		}
		for _, spec := range f.Imports {
			p, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			of[dir][p] = name
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return of
}

func TestImportsFollowTheDependencies(t *testing.T) {
	found := imports(t)
	for _, pkg := range []string{".", "handlers", "internal/quote", "internal/stream", "internal/wire"} {
		if len(found[pkg]) == 0 {
			t.Fatalf("package %s not found: the test looks in the wrong directory", pkg)
		}
	}
	for pkg, all := range found {
		allowed, known := dependencies[pkg]
		if !known {
			t.Errorf("package %s is new: add its dependencies here and to docs/architecture.md", pkg)
			continue
		}
		for p, file := range all {
			ours, ok := strings.CutPrefix(p, "ticklane/")
			if ok && !slices.Contains(allowed, strings.TrimPrefix(ours, "internal/")) {
				t.Errorf("%s imports %s, which is no dependency of its package", file, p)
			}
		}
	}
	for pkg := range dependencies {
		if len(found[pkg]) == 0 {
			t.Errorf("package %s has dependencies here but no files", pkg)
		}
	}
}

func TestOnlyNetworkPackagesImportNetworkLibraries(t *testing.T) {
	for pkg, all := range imports(t) {
		for p, file := range all {
			if strings.HasPrefix(p, "github.com/gofiber/") && pkg != "handlers" {
				t.Errorf("%s imports %s: only handlers may import Fiber", file, p)
			}
			if slices.Contains(networkPackages, pkg) {
				continue
			}
			if slices.ContainsFunc(networkLibraries, func(l string) bool { return strings.HasPrefix(p, l) }) {
				t.Errorf("%s imports %s: only %s may import network libraries", file, p, strings.Join(networkPackages, ", "))
			}
			// main listens, auth fetches keys, config parses addresses, metrics returns an http.Handler, natserr reads errors of connections.
			if (p == "net" || p == "net/http") && !slices.Contains([]string{".", "internal/auth", "internal/bus/natserr", "internal/config", "internal/metrics", "internal/netconn"}, pkg) {
				t.Errorf("%s imports %s: only packages that listen or dial may", file, p)
			}
		}
	}
}

func TestDependenciesHaveNoCycle(t *testing.T) {
	var visit func(pkg string, path []string)
	visit = func(pkg string, path []string) {
		if slices.Contains(path, pkg) {
			t.Fatalf("cycle: %s → %s", strings.Join(path, " → "), pkg)
		}
		for _, next := range dependencies[pkg] {
			if _, ok := dependencies[next]; !ok {
				next = "internal/" + next
			}
			if _, ok := dependencies[next]; !ok {
				t.Fatalf("%s → %s, which is no package", pkg, next)
			}
			visit(next, append(path[:len(path):len(path)], pkg))
		}
	}
	for pkg := range dependencies {
		visit(pkg, nil)
	}
}
