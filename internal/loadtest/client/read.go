package client

import "net"

// readCopied reads connections that readAll cannot read into a pooled buffer: TLS, and systems without read(2).
func readCopied(nc net.Conn, take func([]byte) error) error {
	buf := make([]byte, 16<<10)
	for {
		n, err := nc.Read(buf)
		if n > 0 {
			if err := take(buf[:n]); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
	}
}
