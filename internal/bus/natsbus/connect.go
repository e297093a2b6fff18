package natsbus

import (
	"context"
	"errors"
	"fmt"
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
				o.Logger.Warn("NATS disconnected, trying the addresses of bus.nats.url", "addresses", Addresses(o.URL), "err", err)
			}
		}),
		nats.ReconnectHandler(func(c *nats.Conn) {
			o.Logger.Info("NATS reconnected", "server", serverOf(c))
			notify(b.again) // another server may not know the consumer
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			if !errors.Is(err, nats.ErrConsumerNotActive) { // those who follow a bucket notice it themselves
				o.Logger.Warn("NATS error", "err", err)
			}
		}),
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
	var log logged
	for start := time.Now(); ; {
		c, err := nats.Connect(o.URL, options...)
		if err == nil {
			return c, nil
		}
		if advice := wrongSettings(err); advice != "" {
			return nil, fmt.Errorf("connect to NATS at %s: %w: %s", Addresses(o.URL), err, advice)
		}
		o.OnWait(err)
		if log.changed(err) {
			args := []any{"addresses", Addresses(o.URL), "err", err}
			if took := time.Since(start).Round(time.Second); took > 0 {
				args = append(args, "took", took)
			}
			o.Logger.Warn("NATS not connected: check bus.nats.url, and that its servers run; trying again every second", args...)
		}
		if !sleep(ctx, time.Second) {
			return nil, fmt.Errorf("connect to NATS at %s, which is bus.nats.url: %w", Addresses(o.URL), err)
		}
	}
}

// Addresses returns the addresses in a list of URLs, without users, passwords and tokens.
func Addresses(urls string) string {
	all := strings.Split(urls, ",")
	for i := range all {
		scheme, host, found := strings.Cut(strings.TrimSpace(all[i]), "://")
		if !found {
			scheme, host = "nats", scheme
		}
		all[i] = scheme + "://" + strings.TrimSuffix(host[strings.LastIndex(host, "@")+1:], "/")
	}
	return strings.Join(all, ",")
}

// serverOf returns the address of the server of a connection, empty without one.
func serverOf(c *nats.Conn) string {
	if url := c.ConnectedUrl(); url != "" {
		return Addresses(url)
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
