//go:build !linux

package handlers

import (
	"errors"
	"net"
	"time"
)

func setUserTimeout(*net.TCPConn, time.Duration) {}

func duplicate(net.Conn) (int, error) { return -1, errors.ErrUnsupported }

func closeDescriptor(int) {}

func isUserTimeout(error) bool { return false }
