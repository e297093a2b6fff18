//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// process is a program that runs, or has ended, in the network namespace of a host.
type process struct {
	name  string
	argv  []string
	logTo string // its output is added to this file
	cmd   *exec.Cmd
	ended chan struct{}
}

// newProcess returns a process that isn't started yet. h is nil for the namespace of this process.
func newProcess(dir, name string, h *host, argv ...string) *process {
	if h != nil {
		argv = append([]string{"ip", "netns", "exec", h.name}, argv...) // becomes the program
	}
	return &process{name: name, argv: argv, logTo: filepath.Join(dir, name+".log")}
}

// start starts the program, again if it has ended.
func (p *process) start() error {
	log, err := os.OpenFile(p.logTo, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	p.cmd = exec.Command(p.argv[0], p.argv[1:]...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "TICKLANE_") }) // settings of another server
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}                                                       // ^C is for this process
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	ended, cmd := make(chan struct{}), p.cmd
	p.ended = ended
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	return nil
}

// kill ends the program by SIGKILL.
func (p *process) kill() error {
	if err := p.signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.ended
	return nil
}

// terminate ends the program by SIGTERM, and by SIGKILL if it goes on for longer than limit, which is an error.
func (p *process) terminate(ctx context.Context, limit time.Duration) error {
	if err := p.signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(limit):
		return errors.Join(fmt.Errorf("%s hasn't ended %v after SIGTERM", p.name, limit), p.kill())
	}
}

func (p *process) signal(s syscall.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("%v to %s: %w; its log is %s", s, p.name, err, p.logTo)
	}
	return nil
}

// running reports whether the program hasn't ended.
func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}
