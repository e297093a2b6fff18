//go:build proxies && linux

// Package proxies tests the proxies' configurations in this folder against the real server: make test-proxies.
//
// Each test starts a server and a proxy with the file as it is, apart from addresses, names of files and the certificate.
// The proxies must be installed, and the system be Linux, where all of 127.0.0.0/8 is loopback. Everything listens on free ports
// there and ends with the test.
package proxies

import (
	"context"
	"crypto/x509"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ticklane/internal/testkit/browsertest"

	"github.com/chromedp/chromedp"
)

const (
	root    = "../.." // the module's folder
	timeout = time.Minute
	host    = "quotes.example.com"
)

var (
	quiet = flag.Duration("quiet", 5*time.Minute, "how long a stream without ticks must survive")

	binary  string          // path of the server
	certs   string          // folder with fullchain.pem, privkey.pem, both.pem
	roots   *x509.CertPool  // with the certificate
	browser context.Context // Chromium; tabs are its children
)

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "proxies:", err)
		code = 1
	}
	os.Exit(code)
}

// run builds the server, starts the browser and runs the tests.
func run(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "ticklane-proxies")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if err := browsertest.CheckAssets(root); err != nil {
		return 0, err
	}
	binary, certs = filepath.Join(dir, "ticklane"), filepath.Join(dir, "certs")
	if roots, err = writeCertificate(certs); err != nil {
		return 0, err
	}
	if err := browsertest.Build(root, binary); err != nil {
		return 0, err
	}
	ctx, stop, err := browsertest.Start(filepath.Join(dir, "profile"), timeout,
		chromedp.Flag("host-resolver-rules", "MAP "+host+" 127.0.0.1"), chromedp.Flag("ignore-certificate-errors", true))
	if err != nil {
		return 0, err
	}
	defer stop()
	browser = ctx
	return m.Run(), nil
}

// until polls ok until it returns true. After the limit it fails the test.
func until(t testing.TB, what string, limit time.Duration, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not met after %s", what, limit)
		}
	}
}
