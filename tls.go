package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"ticklane/internal/config"
)

// certificatePoll is the time between two checks whether the files of the certificate have changed.
const certificatePoll = 5 * time.Second

// certificate is the server's certificate, which watch reads again when its files change and on SIGHUP.
type certificate struct {
	certFile, keyFile string
	pair              atomic.Pointer[tls.Certificate]
	files             [2]fileState // when pair was read, or failed to be
}

// fileState identifies a version of a file: it changes when the file is written or replaced.
type fileState struct {
	modified time.Time
	size     int64
}

// loadCertificate reads the files of the settings. It returns nil if they name none.
func loadCertificate(s config.Server) (*certificate, error) {
	if s.TLSCert == "" {
		return nil, nil
	}
	c := &certificate{certFile: s.TLSCert, keyFile: s.TLSKey}
	if err := c.load(); err != nil {
		return nil, fmt.Errorf("server.tls_cert, server.tls_key: %w", err)
	}
	return c, nil
}

// load keeps the certificate in use if it returns an error.
func (c *certificate) load() error {
	c.files = c.state()
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err == nil {
		c.pair.Store(&pair)
	}
	return err
}

// config returns the TLS configuration of the listener. It is nil if c is nil.
func (c *certificate) config() *tls.Config {
	if c == nil {
		return nil
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.pair.Load(), nil }}
}

// reload reads the files again and logs the result. They are invalid, for instance, while only one of them is replaced.
func (c *certificate) reload(logger *slog.Logger) {
	if err := c.load(); err != nil {
		logger.Error("new certificate is invalid; the old one stays in use until server.tls_cert and server.tls_key are valid", "err", err)
		return
	}
	logger.Info("certificate reloaded", "file", c.certFile, "expires", c.pair.Load().Leaf.NotAfter)
}

// state returns the state of both files, the zero value for one that can't be read.
func (c *certificate) state() (all [2]fileState) {
	for i, name := range []string{c.certFile, c.keyFile} {
		if info, err := os.Stat(name); err == nil {
			all[i] = fileState{info.ModTime(), info.Size()}
		}
	}
	return all
}

// watch reloads the certificate when its files change and on hangup, until ctx is done. c may be nil.
func (c *certificate) watch(ctx context.Context, hangup <-chan os.Signal, logger *slog.Logger) {
	poll := time.NewTicker(certificatePoll)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			if c == nil {
				logger.Info("no certificate to reload on SIGHUP; restart the server to change settings")
				continue
			}
			c.reload(logger)
		case <-poll.C:
			if c != nil && c.state() != c.files {
				c.reload(logger)
			}
		}
	}
}

// hangups returns a channel of SIGHUP signals, which don't end the process until stop. The caller must call stop.
func hangups() (signals chan os.Signal, stop func()) {
	signals = make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	return signals, func() { signal.Stop(signals) }
}
