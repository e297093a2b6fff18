// Package e2e drives real browsers, and the clients of the documentation, against the real server.
//
// All tests share one server binary, and all but TestFirefox share one Chromium process. A test opens tabs in a separate
// browser context, so storage, cache, cookies and workers are separate, and starts the servers that it needs on free ports
// of loopback.
package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"ticklane/internal/testkit/browsertest"

	"github.com/chromedp/chromedp"
)

const (
	// root is the module's folder, relative to this one.
	root = ".."

	// parallelTests is the default of -parallel. Tests wait for reconnects, heartbeats and backoffs much of their time, so
	// two cores have room for more than two of them.
	parallelTests = "5"
)

var (
	pictures = flag.String("pictures", "", "folder in which TestScenes and TestFirefox keep a screenshot of every scene and page")

	binary     string          // path of the server
	browserCtx context.Context // the browser; tabs are its children
)

func TestMain(m *testing.M) {
	flag.Parse()
	explicit := false
	flag.Visit(func(f *flag.Flag) { explicit = explicit || f.Name == "test.parallel" })
	if !explicit {
		if err := flag.Set("test.parallel", parallelTests); err != nil {
			panic(err)
		}
	}
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

// run builds the server, starts the browser and runs the tests. It stops the browser and deletes both before it returns.
func run(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "ticklane-e2e")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if err := browsertest.CheckAssets(root); err != nil {
		return 0, err
	}
	binary = filepath.Join(dir, "ticklane")
	built := make(chan error, 1)
	go func() { built <- browsertest.Build(root, binary) }()

	ctx, stop, err := browsertest.Start(filepath.Join(dir, "profile"), timeout, chromedp.Flag("disable-component-update", true),
		chromedp.Flag("hide-scrollbars", true), chromedp.WindowSize(1440, 900))
	if err != nil {
		return 0, err
	}
	defer stop()
	browserCtx = ctx
	if err := <-built; err != nil {
		return 0, err
	}
	return m.Run(), nil
}
