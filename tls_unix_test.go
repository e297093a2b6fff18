//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"ticklane/internal/config"
	"ticklane/internal/shard"
	"ticklane/internal/testkit"
)

// insecure accepts the tests' certificates.
var insecure = &tls.Config{InsecureSkipVerify: true}

// TestCertificateIsReloadedUnderStreams replaces the certificate while streams of both lanes are open: they go on, commands
// included, new connections get the new certificate, and an invalid one changes nothing.
func TestCertificateIsReloadedUnderStreams(t *testing.T) {
	for _, engine := range []string{"stream", "shard"} { // shard is replaced by stream, with a warning
		t.Run(engine, func(t *testing.T) {
			dir := t.TempDir()
			files := config.Server{TLSCert: filepath.Join(dir, "cert.pem"), TLSKey: filepath.Join(dir, "key.pem")}
			writeCertificate(t, files, 1)
			var log testkit.Log
			p := startServerLogging(t, &log, "--stream.engine="+engine, "--server.tls_cert="+files.TLSCert, "--server.tls_key="+files.TLSKey)
			serial := func() int64 {
				c, err := tls.Dial("tcp", p.addr, insecure)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
			}
			streams := []tlsStream{openTLSEvents(t, p.addr), openTLSSocket(t, p.addr)}
			for _, s := range streams {
				s.until(t, "q")
			}

			writeCertificate(t, files, 2)
			p.signal(t, syscall.SIGHUP)
			testkit.Eventually(t, func() bool { return serial() == 2 }, "the new certificate")
			if err := os.WriteFile(files.TLSKey, []byte("nonsense"), 0o600); err != nil {
				t.Fatal(err)
			}
			p.signal(t, syscall.SIGHUP)
			testkit.Eventually(t, func() bool { return strings.Contains(log.String(), "the old one stays in use") }, "a message about the invalid key")
			if n := serial(); n != 2 {
				t.Errorf("certificate %d after an invalid one", n)
			}
			for _, s := range streams {
				s.command(t, `{"action":"subscribe","topics":["MSFT"],"id":1}`)
				s.until(t, "subscription")
				s.until(t, "q")
			}
			warned := strings.Contains(log.String(), "stream.engine shard unavailable")
			if want := engine == "shard"; warned != want {
				t.Errorf("warned of engine shard: %v, want %v; it is available: %v", warned, want, shard.Available)
			}
		})
	}
}

// TestTLSRefuses checks that old versions, plain HTTP and handshakes that don't end get no answer and free their connection, and that
// none of them writes to the log.
func TestTLSRefuses(t *testing.T) {
	dir := t.TempDir()
	files := config.Server{TLSCert: filepath.Join(dir, "cert.pem"), TLSKey: filepath.Join(dir, "key.pem")}
	writeCertificate(t, files, 1)
	var log testkit.Log
	p := startServerLogging(t, &log, "--server.read_timeout=300ms", "--server.tls_cert="+files.TLSCert, "--server.tls_key="+files.TLSKey)
	before := log.String()
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
		if c, err := tls.Dial("tcp", p.addr, &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version}); err == nil {
			c.Close()
			t.Errorf("%s was accepted", tls.VersionName(version))
		}
	}
	for name, first := range map[string]string{
		"plain HTTP": "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", "nothing": "", "the begin of a handshake": "\x16\x03\x01\x02\x00\x01\x00", "a record of another type": "\x17\x03\x03\x00\x01x",
	} {
		c, err := net.Dial("tcp", p.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(time.Minute))
		if _, err := c.Write([]byte(first)); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(c)
		if errors.Is(err, os.ErrDeadlineExceeded) || bytes.Contains(answer, []byte("HTTP/")) {
			t.Errorf("%s: answer %q, %v", name, answer, err)
		}
	}
	if after := log.String(); after != before {
		t.Errorf("log %q", after[len(before):])
	}
}

// tlsStream is an open stream.
type tlsStream struct {
	read    func() ([]byte, error)
	command func(t *testing.T, text string)
}

// until reads up to the next message of a type.
func (s *tlsStream) until(t *testing.T, kind string) {
	t.Helper()
	for {
		data, err := s.read()
		if err != nil {
			t.Fatalf("before a %s: %v", kind, err)
		}
		if bytes.Contains(data, []byte(`"T":"`+kind+`"`)) {
			return
		}
	}
}

func openTLSEvents(t *testing.T, addr string) tlsStream {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: insecure}, Timeout: time.Minute}
	t.Cleanup(client.CloseIdleConnections)
	res, err := client.Get("https://" + addr + "/sse/subscribe?topics=AAPL")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	lines := bufio.NewReader(res.Body)
	var conn string
	return tlsStream{
		read: func() ([]byte, error) {
			line, err := lines.ReadBytes('\n')
			if data, ok := bytes.CutPrefix(line, []byte("data: ")); ok && conn == "" {
				var hello struct{ Conn string }
				err = json.Unmarshal(data, &hello)
				conn = hello.Conn
			}
			return line, err
		},
		command: func(t *testing.T, text string) {
			t.Helper()
			res, err := client.Post("https://"+addr+"/sse/connections/"+conn, "application/json", strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != http.StatusOK {
				t.Errorf("POST of a command: %s", res.Status)
			}
		},
	}
}

func openTLSSocket(t *testing.T, addr string) tlsStream {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, early, _, err := ws.Dialer{TLSConfig: insecure}.Dial(ctx, "wss://"+addr+"/ws/subscribe?topics=AAPL")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(time.Minute))
	in := bufio.NewReader(c)
	if early != nil {
		in = early
	}
	return tlsStream{
		read: func() ([]byte, error) {
			return wsutil.ReadServerText(struct {
				io.Reader
				io.Writer
			}{in, c})
		},
		command: func(t *testing.T, text string) {
			t.Helper()
			if err := wsutil.WriteClientText(c, []byte(text)); err != nil {
				t.Fatal(err)
			}
		},
	}
}
