package natsbus

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// connect connects to Options.URL, or to the embedded server. It tries again until ctx is done, unless the settings are wrong.
func (b *Bus) connect(ctx context.Context) (*nats.Conn, error) {
	o := &b.o
	options := []nats.Option{
		nats.Name("ticklane " + o.Name),
		nats.MaxReconnects(-1), nats.IgnoreAuthErrorAbort(),
		nats.ReconnectWait(200 * time.Millisecond), nats.ReconnectJitter(100*time.Millisecond, 100*time.Millisecond),
		// What is published without a connection fails: sent later, it might no longer be wanted.
		nats.ReconnectBufSize(-1),
		// A partition is noticed within 4 s; the default is 4 min.
		nats.PingInterval(2 * time.Second), nats.MaxPingsOutstanding(2),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				o.Logger.Warn("NATS disconnected", "err", err)
			}
		}),
		nats.ReconnectHandler(func(c *nats.Conn) {
			o.Logger.Info("NATS reconnected", "server", c.ConnectedUrlRedacted())
			send(b.again) // another server may not know the consumer
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { o.Logger.Warn("NATS error", "err", err) }),
	}
	if e := b.embedded; e != nil {
		c, err := nats.Connect("", append(options, nats.InProcessServer(e))...)
		if err != nil {
			return nil, fmt.Errorf("embedded NATS server: %w", err)
		}
		return c, nil
	}
	if o.CA != "" {
		options = append(options, nats.RootCAs(o.CA))
	}
	if o.Cert != "" {
		options = append(options, nats.ClientCert(o.Cert, o.Key))
	}
	if o.Credentials != "" {
		options = append(options, nats.UserCredentials(o.Credentials))
	}
	for start := time.Now(); ; {
		c, err := nats.Connect(o.URL, options...)
		if err == nil {
			return c, nil
		}
		if advice := wrongSettings(err); advice != "" {
			return nil, fmt.Errorf("connect to NATS: %w: %s", err, advice)
		}
		o.Logger.Warn("NATS not connected, trying again", "err", err, "took", time.Since(start).Round(time.Second))
		if !sleep(ctx, time.Second) {
			return nil, fmt.Errorf("connect to NATS: %w", err)
		}
	}
}

// wrongSettings returns what to do about an error that would come again, empty for any other.
func wrongSettings(err error) string {
	var (
		authority   x509.UnknownAuthorityError
		host        x509.HostnameError
		certificate x509.CertificateInvalidError
		file        *fs.PathError
	)
	switch {
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired), errors.Is(err, nats.ErrAuthRevoked):
		return "check bus.nats.credentials, and the permissions of that user"
	case errors.As(err, &authority), errors.As(err, &host), errors.As(err, &certificate):
		return "check bus.nats.ca, and the names in the certificate of the server"
	case strings.Contains(err.Error(), "remote error: tls: "), strings.Contains(err.Error(), "after TLS handshake"): // both have no type
		return "check bus.nats.cert: the server requires a certificate that it knows"
	case errors.As(err, &file):
		return "check the files of bus.nats.credentials, bus.nats.ca, bus.nats.cert and bus.nats.key"
	}
	return ""
}

// sleep waits for a duration. It reports whether ctx is still valid.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
