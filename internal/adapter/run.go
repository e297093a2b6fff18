package adapter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/sync/errgroup"
)

// Options are those of Run.
type Options struct {
	Feed    Feed
	Address string // of the feed's WebSocket, instead of the default
	Server  string // such as http://127.0.0.1:3000
	Source  string // the name of the sequence of lines; one process at a time may use it
	Token   string // feed.ingest.token; empty for none
	Log     *slog.Logger

	wait backoff       // for tests
	span time.Duration // defaultSpan if 0
}

const (
	messageLimit = 4 << 20          // bytes
	silence      = 30 * time.Second // without a message, after which the connection is tested
	dialTimeout  = 20 * time.Second
)

// Run sends a feed to a server until ctx is done, which is no error. It reconnects to both, and returns an error only if one of
// them refuses what is sent, or if lines are left at the end.
func Run(ctx context.Context, o Options) error {
	client := &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}
	defer client.CloseIdleConnections()
	f := &follower{Options: o, reconnect: o.wait, http: client}
	if f.Address == "" {
		f.Address = o.Feed.Address()
	}
	instruments, err := f.instruments(ctx)
	if err != nil || ctx.Err() != nil {
		return err
	}
	if o.span == 0 {
		o.span = defaultSpan
	}
	f.sender = &sender{
		http: client, target: strings.TrimSuffix(o.Server, "/"), source: o.Source, token: o.Token, instruments: instruments, log: o.Log,
		span: o.span, kept: defaultKept, wait: o.wait, notify: make(chan struct{}, 1),
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return f.sender.run(ctx) })
	g.Go(func() error { return f.run(ctx) })
	return g.Wait()
}

// follower reads a feed.
type follower struct {
	Options
	http      *http.Client
	sender    *sender
	reconnect backoff
	gaps      gapDetector
	out       Output
	unread    int // messages of this connection that couldn't be read
}

// instruments fetches the instruments, however often that takes.
func (f *follower) instruments(ctx context.Context) ([]Instrument, error) {
	wait := f.reconnect
	for {
		list, err := f.Feed.Instruments(ctx, f.http)
		if err == nil && len(list) == 0 {
			err = fmt.Errorf("%w: no instruments", ErrRefused)
		}
		if err == nil || errors.Is(err, ErrRefused) || ctx.Err() != nil {
			return list, err
		}
		delay := wait.next(0)
		f.Log.Warn("instruments not fetched", "err", err, "retry_in", delay.Round(time.Millisecond))
		if !sleep(ctx, delay) {
			return nil, nil
		}
	}
}

func (f *follower) run(ctx context.Context) error {
	for {
		err := f.follow(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, ErrRefused) {
			return err
		}
		wait := f.reconnect.next(0)
		f.Log.Warn("feed disconnected", "err", err, "retry_in", wait.Round(time.Millisecond))
		if !sleep(ctx, wait) {
			return nil
		}
	}
}

// follow reads one connection until it ends.
func (f *follower) follow(ctx context.Context) error {
	dialing, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	c, resp, err := websocket.Dial(dialing, f.Address, &websocket.DialOptions{HTTPClient: f.http})
	if err != nil {
		if resp != nil && resp.StatusCode >= 400 && resp.StatusCode < 500 && resp.StatusCode != http.StatusTooManyRequests {
			return fmt.Errorf("%w: %w", ErrRefused, err)
		}
		return err
	}
	defer c.CloseNow()
	c.SetReadLimit(messageLimit)
	f.gaps.begin()
	f.unread = 0
	for _, m := range f.Feed.Open() {
		if err := c.Write(ctx, websocket.MessageText, m); err != nil {
			return err
		}
	}
	f.Log.Info("feed connected", "source", f.Source)
	received := make(chan struct{}, 1)
	pinging, stop := context.WithCancel(ctx)
	defer stop()
	go f.ping(pinging, c, received)
	for {
		_, message, err := c.Read(ctx)
		if err != nil {
			_ = c.Close(websocket.StatusNormalClosure, "") // err says more
			return err
		}
		select {
		case received <- struct{}{}:
		default:
		}
		if err := f.message(ctx, c, message); err != nil {
			return err
		}
	}
}

// ping tests the connection when it has been silent, and closes it if there is no answer.
func (f *follower) ping(ctx context.Context, c *websocket.Conn, received <-chan struct{}) {
	t := time.NewTicker(silence)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		select {
		case <-received: // there was a message
			continue
		default:
		}
		waiting, cancel := context.WithTimeout(ctx, silence)
		if err := c.Ping(waiting); err != nil {
			c.CloseNow() // ends the read
		}
		cancel()
	}
}

func (f *follower) message(ctx context.Context, c *websocket.Conn, message []byte) error {
	f.out.reset()
	if err := f.Feed.Convert(message, &f.out); err != nil {
		if errors.Is(err, ErrRefused) {
			return err
		}
		if f.unread++; f.unread == 1 { // one log message for each connection
			f.Log.Warn("message not read", "err", err, "message", clip(message))
		}
	}
	for _, s := range f.out.seqs {
		if g, found := f.gaps.next(s); found {
			f.Log.Warn("gap in the feed", "symbol", g.symbol, "after", g.from, "before", g.to, "missed", g.missed)
		}
	}
	if len(f.out.lines) > 0 {
		f.sender.add(f.out.lines)
		f.reconnect.reset()
	}
	for _, m := range f.out.replies {
		if err := c.Write(ctx, websocket.MessageText, m); err != nil {
			return err
		}
	}
	return nil
}

func clip(message []byte) string {
	const most = 200
	if len(message) > most {
		return string(message[:most]) + "…"
	}
	return string(message)
}
