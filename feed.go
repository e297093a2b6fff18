package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"ticklane/internal/adapter"
)

const feedHelp = `ticklane feed sends a public feed to a server with feed.source ingest, as a separate process: the server needs no access
to the Internet. It reconnects to both, and logs gaps. docs/adapters.md has more, and a feed of your own in 50 lines.

  ticklane serve --feed.source ingest
  ticklane feed binance --symbols BTCUSDT,ETHUSDT        best bid and ask, and trades
  ticklane feed coinbase --symbols BTC-USD,ETH-USD       matches, with the best bid and ask after each
  ticklane feed alpaca --symbols AAPL,MSFT --key-file K  quotes and trades; with --bars bars of a minute. K has the key
                                                         and the secret, each in a line

Flags:
%s
Exit codes: 0 stopped by a signal, everything delivered; 1 the provider or the server refuses what is sent, or lines were
left at the end; 2 wrong flags.
`

// feedOptions are the flags of ticklane feed.
type feedOptions struct {
	symbols, to, tokenFile, source, url, rest, keyFile string
	bars                                               bool
}

func feedCommand() *cobra.Command {
	var o feedOptions
	c := &cobra.Command{
		Use:           "feed",
		Short:         "Send a public feed to a server",
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError(errors.New("ticklane feed: want one feed: binance, coinbase or alpaca (--help explains them)"))
			}
			options, err := o.check(args[0])
			if err != nil {
				return usageError(err)
			}
			ctx, stop := interruptible()
			defer stop()
			return feed(ctx, options)
		},
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&o.symbols, "symbols", "", "symbols, separated by commas, as the provider writes them")
	f.StringVar(&o.to, "to", "http://127.0.0.1:3000", "address of the server")
	f.StringVar(&o.tokenFile, "token-file", "", "file with the server's feed.ingest.token")
	f.StringVar(&o.source, "source", "", "name of the sequence of lines, of one process at a time (default: the feed's name)")
	f.StringVar(&o.url, "url", "", "address of the provider's WebSocket (default: the public one)")
	f.StringVar(&o.rest, "rest", "", "address of the provider's HTTP API (default: the public one)")
	f.StringVar(&o.keyFile, "key-file", "", "of alpaca: file with the key and the secret, each in a line")
	f.BoolVar(&o.bars, "bars", false, "of alpaca: bars of a minute instead of quotes and trades")
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return usageError(fmt.Errorf("%w (ticklane feed --help lists the flags)", err))
	})
	c.SetHelpFunc(func(c *cobra.Command, _ []string) {
		fmt.Fprintf(c.OutOrStdout(), feedHelp, c.Flags().FlagUsagesWrapped(118))
	})
	return c
}

func feed(ctx context.Context, o adapter.Options) error {
	if err := adapter.Run(ctx, o); err != nil {
		return fmt.Errorf("feed %s: %w", o.Source, err)
	}
	return nil
}

// check returns the options of a feed. The error names the flag.
func (o *feedOptions) check(name string) (adapter.Options, error) {
	out := adapter.Options{Address: o.url, Server: o.to, Source: o.source, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	if out.Source == "" {
		out.Source = name
	}
	symbols := adapter.Symbols(o.symbols)
	if len(symbols) == 0 {
		return out, errors.New("--symbols: missing; want the provider's symbols, separated by commas")
	}
	for _, f := range []struct{ flag, value, schemes string }{{"--to", o.to, "http https"}, {"--url", o.url, "ws wss"}, {"--rest", o.rest, "http https"}} {
		u, err := url.Parse(f.value)
		if f.value != "" && (err != nil || u.Host == "" || !strings.Contains(" "+f.schemes+" ", " "+u.Scheme+" ")) {
			return out, fmt.Errorf("%s: %q: want an address that begins with %s://", f.flag, f.value, strings.Fields(f.schemes)[0])
		}
	}
	if o.tokenFile != "" {
		token, err := os.ReadFile(o.tokenFile)
		if err != nil {
			return out, fmt.Errorf("--token-file: %w", err)
		}
		out.Token = strings.TrimSpace(string(token))
	}
	if name != "alpaca" && (o.keyFile != "" || o.bars) {
		return out, errors.New("--key-file and --bars: only for alpaca")
	}
	switch name {
	case "binance":
		out.Feed = &adapter.Binance{Names: symbols, REST: o.rest}
	case "coinbase":
		out.Feed = &adapter.Coinbase{Products: symbols, REST: o.rest}
	case "alpaca":
		text, err := os.ReadFile(o.keyFile)
		if err != nil {
			return out, fmt.Errorf("--key-file: %w", err)
		}
		key := strings.Fields(string(text))
		if len(key) != 2 {
			return out, fmt.Errorf("--key-file: %s: want the key and the secret, each in a line", o.keyFile)
		}
		out.Feed = &adapter.Alpaca{Names: symbols, Key: key[0], Secret: key[1], Bars: o.bars}
	default:
		return out, fmt.Errorf("unknown feed %q: want binance, coinbase or alpaca", name)
	}
	return out, nil
}
