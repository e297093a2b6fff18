package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
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
	files             [2]os.FileInfo // when pair was read, or failed to be; nil for a file to be read again
	unreadable        bool           // the last failure was that a file couldn't be read
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
	if _, c.unreadable = errors.AsType[*fs.PathError](err); c.unreadable { // it may be readable later without a change
		c.files = [2]os.FileInfo{}
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

// reload reads the files again and logs the result. They are invalid, for instance, while only one of them is replaced. Files that
// can't be read are tried at each poll, and logged once.
func (c *certificate) reload(logger *slog.Logger) {
	before := c.unreadable
	if err := c.load(); err != nil {
		if before && c.unreadable {
			return
		}
		logger.Error("new certificate is invalid; the old one stays in use until server.tls_cert and server.tls_key are valid", "err", err)
		return
	}
	logger.Info("certificate reloaded", "file", c.certFile, "expires", c.pair.Load().Leaf.NotAfter)
}

// state returns the state of both files, nil for one that is missing.
func (c *certificate) state() (all [2]os.FileInfo) {
	for i, name := range []string{c.certFile, c.keyFile} {
		if info, err := os.Stat(name); err == nil {
			all[i] = info
		}
	}
	return all
}

// changed reports whether a file was written or replaced since load. Another file may have the same size and time, as those of
// images and packages do.
func (c *certificate) changed() bool {
	for i, now := range c.state() {
		was := c.files[i]
		if now == nil || was == nil {
			if now != was {
				return true
			}
		} else if now.Size() != was.Size() || !now.ModTime().Equal(was.ModTime()) || !os.SameFile(now, was) {
			return true
		}
	}
	return false
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
			if c != nil && c.changed() {
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
