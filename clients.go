package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"ticklane/internal/auth"
	"ticklane/internal/wire"
)

// extraClientsLifetime bounds how long extra clients run after the last request for them.
const extraClientsLifetime = 10 * time.Minute

// extraClients are the lab's extra clients. They run in a separate process, so that their work isn't counted as the server's. They
// authenticate with a random token that is valid until their process ends. The methods are safe for concurrent use.
type extraClients struct {
	addr string // host:port of this server's listener
	base string // server.base_path

	token atomic.Value // string: the token of the process; "" while none runs

	mu      sync.Mutex
	process *exec.Cmd     // nil: none runs
	stdin   io.Closer     // the process ends when it is closed
	ended   chan struct{} // closed when the process has ended
	expiry  *time.Timer
	counts  [wire.Lanes]int
}

// set replaces the clients by so many on each lane. The error is that of starting their process.
func (c *extraClients) set(sse, ws int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopLocked()
	if sse+ws == 0 {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("extra clients: %w", err)
	}
	process := exec.Command(self, "clients", "--addr", c.addr, "--base", c.base, "--sse", strconv.Itoa(sse), "--ws", strconv.Itoa(ws))
	process.Stderr = os.Stderr
	stdin, err := process.StdinPipe()
	if err != nil {
		return fmt.Errorf("extra clients: %w", err)
	}
	if err := process.Start(); err != nil {
		return fmt.Errorf("extra clients: %w", err)
	}
	ended := make(chan struct{})
	c.process, c.stdin, c.ended, c.counts = process, stdin, ended, [wire.Lanes]int{wire.SSE: sse, wire.WS: ws}
	token := rand.Text()
	c.token.Store(token)
	_, _ = io.WriteString(stdin, token+"\n") // others could read arguments and environment; if it fails, the process has ended
	c.expiry = time.AfterFunc(extraClientsLifetime, func() { c.stopProcess(process) })
	go func() {
		_ = process.Wait() // its exit status has no meaning here
		close(ended)
		c.stopProcess(process) // it may have ended by itself
	}()
	return nil
}

// stop ends the clients and waits for their process.
func (c *extraClients) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopLocked()
}

// stopProcess ends this process unless another one has replaced it.
func (c *extraClients) stopProcess(process *exec.Cmd) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.process == process {
		c.stopLocked()
	}
}

// running returns how many clients run.
func (c *extraClients) running() (sse, ws int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts[wire.SSE], c.counts[wire.WS]
}

func (c *extraClients) stopLocked() {
	if c.process == nil {
		return
	}
	c.expiry.Stop()
	c.stdin.Close()
	<-c.ended
	c.token.Store("")
	c.process, c.counts = nil, [wire.Lanes]int{}
}

// extraClient is the principal of the clients' token.
var extraClient = &auth.Principal{Subject: "lab-clients", Rights: readsAll()}

// readsAll returns the right to read every topic.
func readsAll() auth.Rights {
	rights, err := auth.ParseRights([]byte(`[{"read":["*"]}]`))
	if err != nil {
		panic(err)
	}
	return rights
}

// authenticator returns an Authenticator that accepts the clients' token, too.
func (c *extraClients) authenticator(others auth.Authenticator) auth.Authenticator {
	return extraAuthenticator{others, c}
}

type extraAuthenticator struct {
	auth.Authenticator
	clients *extraClients
}

// Verify implements auth.Authenticator.
func (a extraAuthenticator) Verify(token string) (*auth.Principal, error) {
	own, _ := a.clients.token.Load().(string)
	if own != "" && subtle.ConstantTimeCompare([]byte(token), []byte(own)) == 1 {
		return extraClient, nil
	}
	return a.Authenticator.Verify(token)
}

// clientsCommand is the hidden command of that process.
func clientsCommand() *cobra.Command {
	var addr, base string
	var sse, ws int
	c := &cobra.Command{
		Use: "clients", Hidden: true, Args: noArgs, SilenceUsage: true, SilenceErrors: true,
		RunE: func(*cobra.Command, []string) error { return runExtraClients(addr, base, sse, ws, os.Stdin) },
	}
	c.Flags().StringVar(&addr, "addr", "", "host:port of the server")
	c.Flags().StringVar(&base, "base", "", "server.base_path of the server")
	c.Flags().IntVar(&sse, "sse", 0, "clients over SSE")
	c.Flags().IntVar(&ws, "ws", 0, "clients over WebSocket")
	return c
}

// runExtraClients opens streams with the token in the first line of stdin and discards what they send, until stdin ends. A stream that
// ends is opened again.
func runExtraClients(addr, base string, sse, ws int, stdin io.Reader) error {
	input := bufio.NewReader(stdin)
	token, err := input.ReadString('\n')
	if err != nil {
		return nil // the server has ended
	}
	token = strings.TrimSuffix(token, "\n")
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for i := range sse + ws {
		lane, upgrade := wire.SSE, ""
		if i >= sse {
			lane, upgrade = wire.WS, "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		}
		request := "GET " + base + "/" + lane.String() + "/subscribe?user=background HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token + "\r\n" + upgrade + "\r\n"
		all.Go(func() {
			for ctx.Err() == nil {
				discardStream(ctx, addr, request)
				select {
				case <-ctx.Done():
				case <-time.After(time.Second):
				}
			}
		})
	}
	_, _ = io.Copy(io.Discard, input)
	cancel()
	all.Wait()
	return nil
}

// discardStream reads one stream until it ends. It sends neither pongs nor heartbeats, which the server doesn't require.
func discardStream(ctx context.Context, addr, request string) {
	nc, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return
	}
	defer nc.Close()
	defer context.AfterFunc(ctx, func() { nc.Close() })()
	if _, err := io.WriteString(nc, request); err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, nc)
}
