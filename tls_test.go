package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"ticklane/internal/config"
)

// writeCertificate writes a self-signed certificate with a serial number.
func writeCertificate(t *testing.T, s config.Server, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{s.TLSCert: {Type: "CERTIFICATE", Bytes: der}, s.TLSKey: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCertificateIsReloaded checks that a new certificate is used after its files changed or after SIGHUP, and that an
// invalid one isn't.
func TestCertificateIsReloaded(t *testing.T) {
	dir := t.TempDir()
	s := config.Server{TLSCert: filepath.Join(dir, "cert.pem"), TLSKey: filepath.Join(dir, "key.pem")}
	writeCertificate(t, s, 1)
	var out bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&out, nil))
	synctest.Test(t, func(t *testing.T) {
		c, err := loadCertificate(s)
		if err != nil {
			t.Fatal(err)
		}
		tls := c.config()
		want := func(serial int64, log string) {
			t.Helper()
			synctest.Wait()
			pair, err := tls.GetCertificate(nil)
			if err != nil || pair.Leaf.SerialNumber.Int64() != serial {
				t.Errorf("certificate %v, %v; want %d", pair.Leaf.SerialNumber, err, serial)
			}
			if got := out.String(); !strings.Contains(got, log) || log == "" && got != "" || strings.Count(got, "\n") > 1 {
				t.Errorf("log %q, want %q", got, log)
			}
			out.Reset()
		}
		ctx, cancel := context.WithCancel(t.Context())
		hangup := make(chan os.Signal)
		go c.watch(ctx, hangup, logger)
		time.Sleep(certificatePoll / 2) // the files change between two polls
		want(1, "")
		writeCertificate(t, s, 2)
		hangup <- syscall.SIGHUP
		want(2, "certificate reloaded")
		time.Sleep(3 * certificatePoll)
		want(2, "")
		if err := os.WriteFile(s.TLSCert, []byte("nonsense"), 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * certificatePoll)
		want(2, "the old one stays in use")
		writeCertificate(t, s, 3)
		time.Sleep(2 * certificatePoll)
		want(3, "certificate reloaded")
		cancel()
		synctest.Wait()
	})
}

// TestCertificateIsReplacedByALink: Kubernetes replaces both files at once, by a link to another directory. Sizes and times may be equal.
func TestCertificateIsReplacedByALink(t *testing.T) {
	dir := t.TempDir()
	at := time.Unix(1e9, 0)
	for serial, version := range []string{"a", "b"} {
		if err := os.Mkdir(filepath.Join(dir, version), 0o700); err != nil {
			t.Fatal(err)
		}
		of := config.Server{TLSCert: filepath.Join(dir, version, "cert.pem"), TLSKey: filepath.Join(dir, version, "key.pem")}
		writeCertificate(t, of, int64(serial)+1)
		for _, name := range []string{of.TLSCert, of.TLSKey} {
			text, err := os.ReadFile(name)
			if err == nil {
				text = append(text, bytes.Repeat([]byte("\n"), 2000-len(text))...)
				err = errors.Join(os.WriteFile(name, text, 0o600), os.Chtimes(name, at, at))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	link := func(version string) {
		t.Helper()
		if err := errors.Join(os.Symlink(version, filepath.Join(dir, "new")), os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, "now"))); err != nil {
			t.Fatal(err)
		}
	}
	link("a")
	c, err := loadCertificate(config.Server{TLSCert: filepath.Join(dir, "now", "cert.pem"), TLSKey: filepath.Join(dir, "now", "key.pem")})
	if err != nil {
		t.Fatal(err)
	}
	if c.changed() {
		t.Error("changed before the link was")
	}
	link("b")
	if !c.changed() {
		t.Fatal("the change isn't noticed")
	}
	if err := c.load(); err != nil || c.pair.Load().Leaf.SerialNumber.Int64() != 2 || c.changed() {
		t.Errorf("certificate %v, %v", c.pair.Load().Leaf.SerialNumber, err)
	}
}

// TestUnreadableCertificateIsReadAgain: too many open files at the time of a change must not keep an old certificate in use.
func TestUnreadableCertificateIsReadAgain(t *testing.T) {
	dir := t.TempDir()
	s := config.Server{TLSCert: filepath.Join(dir, "cert.pem"), TLSKey: filepath.Join(dir, "key.pem")}
	writeCertificate(t, s, 1)
	c, err := loadCertificate(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Remove(s.TLSKey), os.Mkdir(s.TLSKey, 0o700)); err != nil { // can be opened, but not read
		t.Fatal(err)
	}
	var out bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&out, nil))
	for range 3 {
		if !c.changed() {
			t.Error("isn't read again")
		}
		c.reload(logger)
	}
	if n := strings.Count(out.String(), "\n"); n != 1 || c.pair.Load().Leaf.SerialNumber.Int64() != 1 {
		t.Errorf("logged %d times: %s", n, out.String())
	}
	if err := os.Remove(s.TLSKey); err != nil {
		t.Fatal(err)
	}
	writeCertificate(t, s, 2)
	if c.reload(logger); c.pair.Load().Leaf.SerialNumber.Int64() != 2 {
		t.Error(out.String())
	}
}
