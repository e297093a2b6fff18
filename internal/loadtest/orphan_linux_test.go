package loadtest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
)

// TestServerEndsWithUs: a load tester that is killed has no time to stop its server.
func TestServerEndsWithUs(t *testing.T) {
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
		err = fmt.Errorf("the server, process %d, isn't there", pid)
	}
	cmd.Process.Kill()
	cmd.Wait()
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(patience); running(pid); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the server, process %d, was left behind", pid)
		}
	}
}

// running tells whether a process is there and no zombie.
func running(pid int) bool {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return len(b) > 0 && !bytes.Contains(b, []byte(") Z "))
}
