package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ticklane/internal/auth"
	"ticklane/internal/bus"
	"ticklane/internal/config"
	"ticklane/internal/delayed"
	"ticklane/internal/history"
	"ticklane/internal/market"
	"ticklane/internal/quote"
	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// TestDelaysOf: the delays are those of the setting, of the tokens and of people without rights of their own, none without authentication.
func TestDelaysOf(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tokens.yaml")
	for name, delay := range map[string]string{"a": "15m", "b": "5m", "c": "15m", "d": "7m", "e": "0s"} {
		if _, _, err := runToken("new", name, "--file", file, "--read", "*", "--delay", delay); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := runToken("revoke", "d", "--file", file); err != nil {
		t.Fatal(err)
	}
	service, err := auth.New(auth.Options{Mode: auth.ModeToken, TokenFile: file, OIDC: auth.OIDCOptions{
		Issuer: "https://id.example", ClientID: "x", RedirectURL: "https://quotes.example/sign-in/callback", Rights: `[{"read":["*"],"delay":"25m"}]`,
	}})
	if err != nil {
		t.Fatal(err)
	}
	a, m := access{service}, time.Minute
	all, err := delaysOf(config.Auth{Mode: "token", Delays: []time.Duration{20 * m, 5 * m}}, a)
	if want := []time.Duration{5 * m, 15 * m, 20 * m, 25 * m}; err != nil || !slices.Equal(all, want) {
		t.Errorf("%v, %v; want %v", all, err, want)
	}
	if all, err = delaysOf(config.Auth{Mode: "none", Delays: []time.Duration{m}}, access{}); err != nil || len(all) > 0 {
		t.Errorf("mode none: %v, %v", all, err)
	}
	many := []time.Duration{1, 2, 3, 4, 6, 7}
	if _, err = delaysOf(config.Auth{Mode: "token", Delays: many}, a); err == nil || !strings.Contains(err.Error(), "auth.delays") {
		t.Errorf("%d delays: %v", len(many)+3, err)
	}
}

// TestDelayedFeed: each view has the bars of the simulated past and then those of the ticks as they were its delay ago, reports a stale
// feed after its delay and new symbols at once.
func TestDelayedFeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(100*24*time.Hour + 20*time.Minute) // days ago, so that there are bars of a day
		logger := slog.New(slog.DiscardHandler)
		sim, err := market.NewSimulator(market.Options{Seed: 7, Rate: 20, Symbols: 2, Arrivals: "hawkes", Warmup: time.Hour, Logger: logger})
		if err != nil {
			t.Fatal(err)
		}
		u := sim.Universe()
		past, err := newHistory(config.Config{}, u, logger)
		if err != nil {
			t.Fatal(err)
		}
		b := bus.NewLocal(u.Limit())
		live := stream.Config{Universe: u, Epoch: b.Epoch(), Size: 4096, Events: quote.NewEvents(4096)}
		log, err := stream.New(live)
		if err != nil {
			t.Fatal(err)
		}
		defer log.Close()
		delays := []time.Duration{time.Minute, 15 * time.Minute}
		delayed, err := newDelayedFeed(delays, live, past)
		if err != nil {
			t.Fatal(err)
		}
		defer delayed.close()
		b.Attach(past.AddPaced)
		b.Attach(log.Append)
		b.Attach(delayed.line.Add)
		simulatePast(sim, time.Now(), past, delayed, logger)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{}, 2)
		go func() { delayed.run(ctx); done <- struct{}{} }()
		go func() {
			if err := sim.Run(ctx, b.Publish); err != nil {
				t.Error(err)
			}
			done <- struct{}{}
		}()
		for minute := range 20 {
			synctest.Wait()
			for _, v := range delayed.views {
				checkBars(t, fmt.Sprintf("after %d min, %v behind", minute, v.Delay), v, past)
			}
			time.Sleep(time.Minute)
		}

		every, err := u.Topics([]string{"*"}, 0)
		if err != nil {
			t.Fatal(err)
		}
		var streams []*stream.Subscriber
		for _, l := range delayed.logs(log) {
			sub := l.Subscribe(stream.Options{Format: wire.WSJSON, Topics: every, NoSnapshot: true})
			defer sub.Close()
			streams = append(streams, sub)
		}
		start, reported := time.Now(), make([]time.Duration, len(streams))
		delayed.observer(log).FeedStale(start)
		for time.Since(start) < 16*time.Minute {
			synctest.Wait()
			for i, sub := range streams {
				for b := sub.Next(time.Now()); len(b) > 0; b = sub.Next(time.Now()) {
					if strings.Contains(string(b), `"stale"`) {
						reported[i] = time.Since(start)
					}
				}
			}
			time.Sleep(time.Second)
		}
		cancel()
		<-done
		<-done
		synctest.Wait()
		for i, want := range append([]time.Duration{0}, delays...) {
			if got := reported[i]; got < want || got > want+2*time.Second {
				t.Errorf("stale was reported after %v, want %v", got, want)
			}
		}
		for _, v := range delayed.views {
			if h, n := v.Log.Head().Seq, log.Head().Seq; v.Log.Head().Epoch != b.Epoch() || h == 0 || h >= n || n-h != v.Outlet.Held() {
				t.Errorf("%v behind: the head is %d of %d, %d are held", v.Delay, h, n, v.Outlet.Held())
			}
		}
	})
}

// checkBars compares the bars of a view with those that the live store has of the time before the delay.
func checkBars(t *testing.T, when string, v *delayed.View, past *history.Store) {
	t.Helper()
	limit := time.Now().Add(-v.Delay).UnixMicro()
	for _, interval := range history.Intervals() {
		got, err := v.History.Bars(0, interval, history.Latest, 1000)
		if err != nil {
			t.Fatal(err)
		}
		want, err := past.Bars(0, interval, limit, 1000) // the newest of them may have later ticks, too
		if err != nil {
			t.Fatal(err)
		}
		n := len(want.Bars) - 1
		if len(got.Bars) < n || n < 1 || len(got.Bars) > n+1 || !slices.Equal(got.Bars[:n], want.Bars[:n]) {
			t.Fatalf("%s: %d bars of %s, want %d", when, len(got.Bars), interval, n)
		}
	}
}
