//go:build !unix

package client

import "net"

// readAll passes what each read returns to take, until the end of the connection (io.EOF) or the first error. take must
// not keep the slice.
func readAll(nc net.Conn, take func([]byte) error) error { return readCopied(nc, take) }
