//go:build !unix

package loadtest

import "net"

// readAll gives take what comes, read by read, until the end of the connection (io.EOF) or the first error.
// take must not keep the slice.
func readAll(nc net.Conn, take func([]byte) error) error { return readCopied(nc, take) }
