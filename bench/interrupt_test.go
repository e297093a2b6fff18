package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ticklane/internal/testkit"
)

// children returns the running processes that pid has started.
func children(pid int) (all []string) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		b, _ := os.ReadFile(name)
		var state string
		var parent int
		if at := bytes.LastIndexByte(b, ')'); at > 0 {
			fmt.Sscan(string(b[at+1:]), &state, &parent)
		}
		if parent == pid && state != "Z" {
			all = append(all, filepath.Base(filepath.Dir(name)))
		}
	}
	return all
}

// runs reports whether a process exists and is no zombie.
func runs(pid string) bool {
	b, _ := os.ReadFile("/proc/" + pid + "/stat")
	return len(b) > 0 && !bytes.Contains(b, []byte(") Z "))
}

// TestInterrupted: an interrupted run reports its measurements and leaves nothing behind. Even a killed run leaves no server
// running.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	noTicklane, err := exec.LookPath("true") // only the baseline is measured
	if err != nil {
		t.Fatal(err)
	}
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGKILL} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			dir, result := t.TempDir(), filepath.Join(t.TempDir(), "field.json")
			cmd := exec.Command(self, "run", "-ticklane", noTicklane, "-servers", "baseline-sse", "-rounds", "100", "-subs", "2", "-warm", "0s", "-window", "300ms", "-out", result, "paced")
			cmd.Env = append(os.Environ(), "TMPDIR="+dir)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = cmd.Process.Kill() }()
			lines := bufio.NewScanner(out)
			for lines.Scan() && !strings.Contains(lines.Text(), "round 2") {
			}
			var servers []string
			testkit.Eventually(t, func() bool {
				servers = children(cmd.Process.Pid)
				return len(servers) > 0
			}, "a server")
			if err := cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			rest := ""
			for lines.Scan() {
				rest += lines.Text() + "\n"
			}
			_ = cmd.Wait()
			testkit.Eventually(t, func() bool { return !runs(servers[0]) }, "the end of the server")
			if signal == syscall.SIGKILL {
				return
			}
			if code := cmd.ProcessState.ExitCode(); code != 130 || !strings.Contains(rest, "CPU µs per tick") {
				t.Errorf("exit code %d\n%s", code, rest)
			}
			if left, _ := os.ReadDir(dir); len(left) > 0 {
				t.Errorf("%v was left behind", left)
			}
			r, err := read(result)
			if err != nil || len(r.Measurements) < 2 || len(r.Measurements) > 100 {
				t.Errorf("%v", err)
			}
		})
	}
}
