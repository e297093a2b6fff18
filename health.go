package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ticklane/internal/config"
)

// healthTimeout bounds the request of the health command.
const healthTimeout = 3 * time.Second

const healthHelp = `ticklane health requests /readyz of the server with the same settings on this machine. The exit code is 0 if that server
is ready and 1 if it isn't or doesn't respond. It is the health check of containers, which have no curl.

It takes the settings of ticklane serve, also from the environment and the file; it needs those of the section server.
`

// healthCommand returns the command `ticklane health`.
func healthCommand() *cobra.Command {
	c := &cobra.Command{
		Use:           "health",
		Short:         "Report whether the server on this machine is ready",
		Args:          noArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := config.Load(c.Flags(), os.Environ(), "")
			if err != nil {
				return usageError(err)
			}
			ctx, cancel := context.WithTimeout(context.Background(), healthTimeout)
			defer cancel()
			if err := checkHealth(ctx, cfg.Server, c.OutOrStdout()); err != nil {
				return fmt.Errorf("health: %w", err)
			}
			return nil
		},
	}
	config.Flags(c.Flags())
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError(config.FlagError(err)) })
	c.SetHelpFunc(func(c *cobra.Command, _ []string) { fmt.Fprint(c.OutOrStdout(), healthHelp) })
	return c
}

// checkHealth requests /readyz of the server with these settings and copies its text to out. The error says why the server
// isn't ready.
func checkHealth(ctx context.Context, s config.Server, out io.Writer) error {
	target, err := healthAddr(s.Addr)
	if err != nil {
		return err
	}
	scheme := "http"
	if s.TLSCert != "" {
		scheme = "https"
	}
	client := &http.Client{
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, target)
			},
			// The certificate is for the server's public name. An expired one is no reason to restart the server.
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
			DisableKeepAlives: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://localhost/readyz", nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("server.addr %s: %w", target, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 300))
	if err != nil {
		return fmt.Errorf("server.addr %s: %w", target, err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("server.addr %s: /readyz: status %d: %s", target, resp.StatusCode, strings.TrimSpace(string(text)))
	}
	_, err = out.Write(text)
	return err
}

// healthAddr returns the address at which this machine reaches a server that listens on addr.
func healthAddr(addr string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", fmt.Errorf("server.addr: %w", err)
	}
	if port == "0" {
		return "", errors.New("server.addr: port 0 is chosen by the system at the start: want the port on which the server listens")
	}
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), nil
}
