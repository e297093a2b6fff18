// Command ticklane serves live quotes over Server-Sent Events and WebSocket, and compares the two under load.
package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // the zones of sessions, for systems without them

	"github.com/spf13/cobra"

	"ticklane/internal/config"
)

// files are the templates, the static files and the descriptions of the API. public/assets exists after `make assets`.
//
//go:embed views public docs/api
var files embed.FS

// version is set by the linker, or else by main.
var version = "dev"

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2 // invalid command line or settings
)

func main() {
	if info, ok := debug.ReadBuildInfo(); ok && version == "dev" {
		version = revision(info)
	}
	err := command().Execute()
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "ticklane:", err)
	var coded *codedError
	if errors.As(err, &coded) {
		os.Exit(coded.code)
	}
	os.Exit(exitFailed)
}

// revision returns the version that Go has recorded: that of the commit for a build in a repository, that of the module for
// one from a proxy, and "dev" for neither.
func revision(info *debug.BuildInfo) string {
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	commit := settings["vcs.revision"]
	switch {
	case commit != "" && settings["vcs.modified"] == "true":
		return shortCommit(commit) + "-dirty"
	case commit != "":
		return shortCommit(commit)
	case info.Main.Version != "" && info.Main.Version != "(devel)":
		return info.Main.Version
	}
	return "dev"
}

// shortCommit returns as much of a commit's hash as git describe does.
func shortCommit(commit string) string { return commit[:min(7, len(commit))] }

// codedError ends the process with its exit code.
type codedError struct {
	error
	code int
}

func (e *codedError) Unwrap() error { return e.error }

// usageError returns err as an error in the command line or the settings.
func usageError(err error) error { return &codedError{err, exitUsage} }

func command() *cobra.Command {
	root := serveCommand("ticklane")
	root.AddCommand(serveCommand("serve"), loadCommand(), feedCommand(), tokenCommand(), healthCommand(), versionCommand(), clientsCommand())
	root.CompletionOptions.HiddenDefaultCmd = true
	root.Version = version // adds the flag --version
	root.SetVersionTemplate(buildInfo())
	return root
}

// serveCommand returns the command `ticklane serve`, which is also the command without arguments.
func serveCommand(use string) *cobra.Command {
	c := &cobra.Command{
		Use:           use,
		Short:         "Serve the dashboard and both lanes",
		Args:          noArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := config.Load(c.Flags(), os.Environ(), "")
			if err != nil {
				return usageError(err)
			}
			ctx, stop := interruptible()
			defer stop()
			return serve(ctx, cfg, os.Stdout)
		},
	}
	config.Flags(c.Flags())
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError(config.FlagError(err)) })
	c.SetHelpFunc(func(c *cobra.Command, _ []string) { fmt.Fprint(c.OutOrStdout(), config.Usage()) })
	return c
}

func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		if args[0] == "true" || args[0] == "false" { // the value of a boolean flag that was given without =
			return usageError(fmt.Errorf("unexpected argument %s: give the value of a true/false flag with =, such as --feed.loop=%[1]s", args[0]))
		}
		if c.HasParent() {
			return usageError(fmt.Errorf("%s takes flags only, not %q (--help lists them)", c.Name(), args[0]))
		}
		return usageError(fmt.Errorf("unknown command %q: want serve, load, feed, token, health, version or flags (--help lists them)", args[0]))
	}
	return nil
}

func versionCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArgs,
		Run: func(c *cobra.Command, _ []string) {
			fmt.Fprint(c.OutOrStdout(), buildInfo())
		},
	}
	c.SetHelpFunc(func(c *cobra.Command, _ []string) {
		fmt.Fprintln(c.OutOrStdout(), "ticklane version prints the version and the Go toolchain it was built with.")
	})
	return c
}

// buildInfo returns the version and the Go toolchain and platform that it was built with.
func buildInfo() string {
	return fmt.Sprintf("ticklane %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// interruptible returns a context that the first SIGINT or SIGTERM cancels; the second exits the process. The caller must call
// the returned function.
func interruptible() (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-signals:
		case <-ctx.Done():
			return
		}
		cancel()
		<-signals
		fmt.Fprintln(os.Stderr, "ticklane: second signal, exiting immediately")
		os.Exit(exitFailed)
	}()
	return ctx, func() { signal.Stop(signals); cancel() }
}
