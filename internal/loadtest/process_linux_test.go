package loadtest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"ticklane/internal/testkit"
)

// TestServerIsKilledWithParent: a load tester that is killed can't stop its server.
func TestServerIsKilledWithParent(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "orphan")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	_, err = fmt.Fscan(out, &pid)
	if err == nil && !running(pid) {
		err = fmt.Errorf("the server, process %d, doesn't run", pid)
	}
	cmd.Process.Kill()
	cmd.Wait()
	if err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, func() bool { return !running(pid) }, "the end of the server, process ", pid)
}

// running reports whether a process exists and is no zombie.
func running(pid int) bool {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return len(b) > 0 && !bytes.Contains(b, []byte(") Z "))
}
