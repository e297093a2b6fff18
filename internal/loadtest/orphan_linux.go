package loadtest

import (
	"os/exec"
	"syscall"
)

// endsWithUs has the kernel end a process when the thread that starts it ends, whatever ends that.
func endsWithUs(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
