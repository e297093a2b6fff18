package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"ticklane/internal/auth"
)

const tokenHelp = `ticklane token makes, lists and revokes the tokens of a server with auth.mode token. A running server reads the file
again when it changes. docs/access.md describes the rights.

  ticklane token new desk --read '*'                                    may read everything
  ticklane token new screen --read AAPL,sector:energy --delay 15m       may read two topics, 15 minutes late
  ticklane token new binance --write sector:crypto --expires never      may send ticks of a sector
  ticklane token new ops --may metrics,admin --file /etc/ticklane/tokens.yaml
  ticklane token list
  ticklane token revoke screen

Flags:
%s
Exit codes: 0 done; 1 the file can't be read or written, or the name is taken or unknown; 2 wrong flags.
`

// tokenFileEnv is the variable of the setting auth.tokens, which is the default of --file.
const tokenFileEnv = "TICKLANE_AUTH_TOKENS"

// tokenOptions are the flags of ticklane token new.
type tokenOptions struct {
	subject, delay, expires string
	read, write, may        []string
	streams                 int
	requests                float64
}

func tokenCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use: "token", Short: "Make, list and revoke tokens", SilenceUsage: true, SilenceErrors: true,
		RunE: func(*cobra.Command, []string) error {
			return usageError(errors.New("ticklane token: want new NAME, list or revoke NAME (--help explains them)"))
		},
	}
	c.PersistentFlags().StringVar(&file, "file", cmp.Or(os.Getenv(tokenFileEnv), "tokens.yaml"), "the file, auth.tokens of the server's settings; its default is $"+tokenFileEnv)
	var o tokenOptions
	create := &cobra.Command{Use: "new NAME", RunE: func(c *cobra.Command, args []string) error {
		name, err := tokenName(args)
		if err != nil {
			return err
		}
		return newToken(c.OutOrStdout(), c.ErrOrStderr(), file, name, o)
	}}
	f := create.Flags()
	f.SortFlags = false
	f.StringVar(&o.subject, "subject", "", "who it is for, if several tokens are for the same client or person (default NAME)")
	f.StringSliceVar(&o.read, "read", nil, `topics that may be read: symbols, sector:NAME, or "*"`)
	f.StringVar(&o.delay, "delay", "", "how far behind, such as 15m")
	f.StringSliceVar(&o.write, "write", nil, "topics that may be sent to /api/ingest")
	f.StringSliceVar(&o.may, "may", nil, "other rights: lab, metrics, connections, reports, admin (all of them, and revoking)")
	f.IntVar(&o.streams, "streams", 0, "most open streams (default: the server's limits only)")
	f.Float64Var(&o.requests, "requests", 0, "most requests per second (default: the server's limits only)")
	f.StringVar(&o.expires, "expires", "90d", "time until it expires, such as 12h or 90d, or never")
	list := &cobra.Command{Use: "list", Args: noArgs, RunE: func(c *cobra.Command, _ []string) error { return listTokens(c.OutOrStdout(), file) }}
	revoke := &cobra.Command{Use: "revoke NAME", RunE: func(c *cobra.Command, args []string) error {
		name, err := tokenName(args)
		if err != nil {
			return err
		}
		return revokeToken(c.ErrOrStderr(), file, name)
	}}
	shared := c.PersistentFlags()
	help := func(c *cobra.Command, _ []string) {
		fmt.Fprintf(c.OutOrStdout(), tokenHelp, shared.FlagUsagesWrapped(118)+"\nFlags of new:\n"+f.FlagUsagesWrapped(118))
	}
	for _, sub := range []*cobra.Command{c, create, list, revoke} {
		sub.SilenceUsage, sub.SilenceErrors = true, true
		sub.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
			return usageError(fmt.Errorf("%w (ticklane token --help lists the flags)", err))
		})
		sub.SetHelpFunc(help)
	}
	c.AddCommand(create, list, revoke)
	return c
}

func tokenName(args []string) (string, error) {
	if len(args) != 1 || args[0] == "" {
		return "", usageError(errors.New("want one name of a token (--help explains it)"))
	}
	return args[0], nil
}

// rights returns the rights of the flags. The error names the flag, which has the name of the member.
func (o *tokenOptions) rights() (auth.Rights, error) {
	if len(o.read)+len(o.write)+len(o.may) == 0 {
		return auth.Rights{}, errors.New("want at least one of --read, --write and --may: without rights a token is useless")
	}
	entry := map[string]any{"read": o.read, "write": o.write, "may": o.may, "delay": o.delay, "streams": o.streams, "requests": o.requests}
	text, err := json.Marshal([]any{entry})
	if err != nil {
		return auth.Rights{}, err
	}
	rights, err := auth.ParseRights(text)
	if err != nil {
		return rights, fmt.Errorf("--%s", strings.TrimPrefix(err.Error(), "rights: entry 1: "))
	}
	return rights, nil
}

// expiry returns the time of --expires, zero for never.
func (o *tokenOptions) expiry(now time.Time) (time.Time, error) {
	if o.expires == "never" {
		return time.Time{}, nil
	}
	var d time.Duration
	days, isDays := strings.CutSuffix(o.expires, "d")
	if n, err := strconv.Atoi(days); isDays && err == nil && n <= 36500 {
		d = time.Duration(n) * 24 * time.Hour
	} else if d, err = time.ParseDuration(o.expires); err != nil {
		d = 0
	}
	if d <= 0 {
		return time.Time{}, fmt.Errorf("--expires: %q: want a time such as 12h or 90d, or never", o.expires)
	}
	return now.Add(d).UTC().Truncate(time.Second), nil
}

// newToken adds a token to the file and prints its secret, which can't be read again. A revoked token of the same name is replaced.
func newToken(out, notes io.Writer, file, name string, o tokenOptions) error {
	rights, err := o.rights()
	if err != nil {
		return usageError(err)
	}
	expires, err := o.expiry(time.Now())
	if err != nil {
		return usageError(err)
	}
	token, secret := auth.NewToken(name, rights, expires)
	token.Subject = o.subject
	err = auth.ChangeTokens(file, func(tokens []auth.Token) ([]auth.Token, error) {
		if i := indexOf(tokens, name); i >= 0 {
			if tokens[i].Revoked.IsZero() {
				return nil, fmt.Errorf("%s: a token %q exists: revoke it first, or choose another name", file, name)
			}
			tokens = slices.Delete(tokens, i, i+1)
		}
		return append(tokens, token), nil
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(notes, "Token %s is in %s, %s. This is its secret, which is shown only now:\n", name, file, until(expires))
	if _, err = fmt.Fprintln(out, secret); err == nil && o.delay != "" {
		_, err = fmt.Fprintf(notes, "A running server that has no delay of %s yet must be restarted: until then it refuses this token.\n", o.delay)
	}
	return err
}

func until(expires time.Time) string {
	if expires.IsZero() {
		return "without expiry"
	}
	return "valid until " + expires.Format(time.RFC3339)
}

// listTokens prints the tokens of the file.
func listTokens(out io.Writer, file string) error {
	tokens, err := auth.ReadTokens(file)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tSUBJECT\tSTATE\tRIGHTS")
	for _, t := range tokens {
		state := until(t.Expires)
		switch {
		case !t.Revoked.IsZero():
			state = "revoked " + t.Revoked.Format(time.RFC3339)
		case !t.Expires.IsZero() && !time.Now().Before(t.Expires):
			state = "expired " + t.Expires.Format(time.RFC3339)
		}
		rights, err := json.Marshal(t.Rights)
		if err != nil {
			return err
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", t.Name, cmp.Or(t.Subject, t.Name), state, rights)
	}
	return table.Flush()
}

// revokeToken marks a token of the file as revoked. Its open streams end within a second.
func revokeToken(notes io.Writer, file, name string) error {
	err := auth.ChangeTokens(file, func(tokens []auth.Token) ([]auth.Token, error) {
		i := indexOf(tokens, name)
		if i < 0 {
			return nil, fmt.Errorf("%s: no token %q (ticklane token list shows them)", file, name)
		}
		if !tokens[i].Revoked.IsZero() {
			return nil, fmt.Errorf("%s: token %q was revoked already", file, name)
		}
		tokens[i].Revoked = time.Now().UTC().Truncate(time.Second)
		return tokens, nil
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(notes, "Token %s is revoked. A running server ends its streams within a second.\n", name)
	return nil
}

func indexOf(tokens []auth.Token, name string) int {
	return slices.IndexFunc(tokens, func(t auth.Token) bool { return t.Name == name })
}
