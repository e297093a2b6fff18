//go:build !linux

package handlers

import (
	"net"
	"time"
)

func setUserTimeout(*net.TCPConn, time.Duration) {}

func isUserTimeout(error) bool { return false }
