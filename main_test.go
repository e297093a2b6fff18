package main

import (
	"errors"
	"strings"
	"testing"
)

func TestArguments(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"start", `unknown command "start": want serve, load, version`},
		{"serve now", `unknown command "now"`},
		{"--feed.loop false", "--feed.loop=false"},
		{"serve --lab.enabled true", "=true"},
		{"--nope", "--nope"},
	} {
		cmd := command()
		cmd.SetArgs(strings.Fields(c.args))
		err := cmd.Execute()
		var usage *codedError
		if !errors.As(err, &usage) || usage.code != exitUsage || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.args, err)
		}
	}
}

func TestVersion(t *testing.T) {
	for _, args := range []string{"version", "--version"} {
		var out strings.Builder
		cmd := command()
		cmd.SetArgs([]string{args})
		cmd.SetOut(&out)
		if err := cmd.Execute(); err != nil || out.String() != buildInfo() || !strings.HasPrefix(out.String(), "ticklane "+version+" go") {
			t.Errorf("%s: %v %q", args, err, out.String())
		}
	}
}
