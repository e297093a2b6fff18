package main

import (
	"errors"
	"runtime/debug"
	"strings"
	"testing"
)

func TestArguments(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"start", `unknown command "start": want serve, load, feed, token, health, version`},
		{"serve extra", `serve takes flags only, not "extra"`},
		{"version extra", `version takes flags only, not "extra"`},
		{"load extra", `load takes flags only, not "extra"`},
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

// TestRevision checks the version of a binary that was built without make, for instance by go install.
func TestRevision(t *testing.T) {
	const commit = "1a2b3c4d5e6f708192a3b4c5d6e7f80910203040"
	for _, c := range []struct {
		commit, modified, module, want string
	}{
		{commit, "false", "v0.0.0-20261129120000-1a2b3c4d5e6f", "1a2b3c4"},
		{commit, "true", "(devel)", "1a2b3c4-dirty"},
		{"", "", "v1.2.3", "v1.2.3"},
		{"", "", "(devel)", "dev"},
		{"", "", "", "dev"},
		{"1a2", "", "", "1a2"},
	} {
		info := &debug.BuildInfo{Main: debug.Module{Version: c.module}}
		info.Settings = []debug.BuildSetting{{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: c.commit}, {Key: "vcs.modified", Value: c.modified}}
		if got := revision(info); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}
