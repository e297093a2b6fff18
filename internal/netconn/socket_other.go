//go:build !linux

package netconn

import (
	"errors"
	"net"
	"time"
)

func setOptions(*net.TCPConn, time.Duration) {}

func unread(net.Conn) int { return 0 }

func duplicate(net.Conn) (int, error) { return -1, errors.ErrUnsupported }

// CloseDescriptor is never called.
func CloseDescriptor(int) {}

func isUserTimeout(error) bool { return false }
