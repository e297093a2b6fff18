package config

import (
	"fmt"
	"os"
	"strconv"
)

// cross checks what no key can tell alone. Keys that are wrong in themselves are left out: one mistake, one line.
func (s *settings) cross(c Config) {
	check := func(ok bool, key, value, want string, with ...string) {
		if ok || s.bad[key] {
			return
		}
		for _, k := range with {
			if s.bad[k] {
				return
			}
		}
		s.refuse(Problem{Key: key, Origin: s.origins[key], Value: value, Want: want})
	}

	check(c.Stream.MaxLag <= c.Stream.LogSize, "stream.max_lag", strconv.Quote(strconv.Itoa(c.Stream.MaxLag)),
		fmt.Sprintf("want at most stream.log_size, which is %d", c.Stream.LogSize), "stream.log_size")

	cert, private := c.Server.TLSCert, c.Server.TLSKey
	check(cert == "" || private != "", "server.tls_key", "", "missing: server.tls_cert is set and needs it", "server.tls_cert")
	check(private == "" || cert != "", "server.tls_cert", "", "missing: server.tls_key is set and needs it", "server.tls_key")
	if cert != "" && private != "" {
		check(readable(cert) == nil, "server.tls_cert", strconv.Quote(cert), fmt.Sprintf("can't be read: %v", readable(cert)))
		check(readable(private) == nil, "server.tls_key", strconv.Quote(private), fmt.Sprintf("can't be read: %v", readable(private)))
	}

	if c.Feed.Source == "replay" {
		name := c.Feed.File
		check(name != "", "feed.file", "", "missing: feed.source is replay and needs a CSV file", "feed.source")
		if name != "" {
			check(readable(name) == nil, "feed.file", strconv.Quote(name), fmt.Sprintf("can't be read: %v", readable(name)))
		}
	}
}

// readable tells why a file can't be read, or nil.
func readable(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	// Opening a folder succeeds: only reading it fails. An empty file's io.EOF must not count.
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		return fmt.Errorf("%s is a folder", name)
	}
	return err
}
