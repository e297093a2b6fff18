//go:build !linux

package client

import "syscall"

// bindWithoutPort does nothing, since this system has no such option.
func bindWithoutPort(_, _ string, _ syscall.RawConn) error { return nil }
