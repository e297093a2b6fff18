package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
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
