package loadtest

import (
	"context"
	"errors"
	"time"

	"ticklane/internal/loadtest/client"
	"ticklane/internal/loadtest/report"
)

// disconnectTimeout is how long a server may take to notice that all connections are closed.
const disconnectTimeout = 5 * time.Second

// withTarget calls use with the server at --url, or with a fresh one that is stopped afterwards.
func withTarget(ctx context.Context, o *Options, v *Variant, progress progressFunc, use func(*target) error) (err error) {
	url := o.URL
	if url == "" {
		progress("starting a server")
		s, err := startServer(ctx, o, v)
		if err != nil {
			return err
		}
		url = s.url
		defer func() {
			if stopErr := s.stop(); stopErr != nil && err == nil {
				err = stopErr
			}
		}()
	}
	t, err := newTarget(ctx, url, o.Topics, o.token)
	if err != nil {
		return err
	}
	defer t.close()
	if err := t.needPorts(ctx, o); err != nil {
		return err
	}
	return use(t)
}

// awaitDisconnects waits until the server has noticed that the connections on a lane are closed, so that the next window
// starts without them. before is the server's state before they were opened.
func awaitDisconnects(ctx context.Context, t *target, lane string, before serverStats) error {
	var statsErr error
	err := waitFor(ctx, disconnectTimeout, func() bool {
		s, err := t.stats(ctx)
		statsErr = err
		return err != nil || s.Lanes[lane].Connections <= before.Lanes[lane].Connections
	})
	if errors.Is(err, errTimeout) {
		err = nil
	}
	return errors.Join(statsErr, err)
}

// describeTarget records what the server of a variant reported about itself.
func describeTarget(o *Options, r *report.Report, t *target, variant int, h client.Hello, s serverStats) {
	r.Variants[variant].Engine = h.Engine
	feed := s.Feed.Source
	if s.Feed.File != "" {
		feed += " " + s.Feed.File
	}
	r.Target = report.Target{
		URL: t.URL.String(), Own: o.URL == "", Loopback: t.Loopback(), Version: s.Version, Symbols: len(t.Symbols),
		Feed: feed, Seed: s.Feed.Seed, Heartbeat: h.Heartbeat, LogSize: h.Head - min(h.Head, h.Oldest-1), Clock: t.clock,
	}
	r.Setup.Addresses = max(r.Setup.Addresses, len(t.sources))
	if r.Target.Own {
		r.Target.URL = "own"
		r.Target.Settings = serverArgs(o, nil)[1:]
		r.Variants[variant].Settings = o.variants[variant].settings(o)
	}
}
