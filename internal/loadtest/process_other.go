//go:build !linux

package loadtest

import "os/exec"

// killWithParent does nothing, since this system can't: a load tester that is killed leaves its server running.
func killWithParent(*exec.Cmd) {}
