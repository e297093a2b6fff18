package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"github.com/spf13/cobra"
)

// backgroundFor bounds how long extra clients live without being asked for again.
const backgroundFor = 10 * time.Minute

// background runs the lab's extra clients in a process of its own, so that their work isn't counted as the server's.
type background struct {
	addr string // host:port of our own listener

	mu    sync.Mutex
	child *exec.Cmd
	hold  io.Closer // the child's standard input: it ends when this closes
	ended chan struct{}
	until *time.Timer
	count [2]int // SSE, WebSocket
}

// set replaces the clients by so many of each lane. The error says why they can't run.
func (b *background) set(sse, ws int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stop()
	if sse+ws == 0 {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("background clients: %w", err)
	}
	child := exec.Command(self, "clients", "--addr", b.addr, "--sse", strconv.Itoa(sse), "--ws", strconv.Itoa(ws))
	child.Stderr = os.Stderr
	hold, err := child.StdinPipe()
	if err != nil {
		return fmt.Errorf("background clients: %w", err)
	}
	if err := child.Start(); err != nil {
		return fmt.Errorf("background clients: %w", err)
	}
	ended := make(chan struct{})
	b.child, b.hold, b.ended, b.count = child, hold, ended, [2]int{sse, ws}
	b.until = time.AfterFunc(backgroundFor, func() { b.over(child) })
	go func() {
		child.Wait()
		close(ended)
		b.over(child) // whatever ended it
	}()
	return nil
}

// over ends this child, if it is still the one that runs.
func (b *background) over(child *exec.Cmd) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.child == child {
		b.stop()
	}
}

// clients tells how many run now.
func (b *background) clients() (sse, ws int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.count[0], b.count[1]
}

func (b *background) stop() {
	if b.child == nil {
		return
	}
	b.until.Stop()
	b.hold.Close()
	<-b.ended
	b.child, b.count = nil, [2]int{}
}

// clientsCommand is the child: it isn't for people, so help doesn't list it.
func clientsCommand() *cobra.Command {
	var addr string
	var count [2]int
	c := &cobra.Command{
		Use: "clients", Hidden: true, Args: noArgs, SilenceUsage: true, SilenceErrors: true,
		RunE: func(*cobra.Command, []string) error { return backgroundClients(addr, count[0], count[1], os.Stdin) },
	}
	c.Flags().StringVar(&addr, "addr", "", "host:port of the server")
	c.Flags().IntVar(&count[0], "sse", 0, "clients over SSE")
	c.Flags().IntVar(&count[1], "ws", 0, "clients over WebSocket")
	return c
}

// backgroundClients opens streams and reads them away until hold ends. One that ends is opened again.
func backgroundClients(addr string, sse, ws int, hold io.Reader) error {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for i := range sse + ws {
		lane, upgrade := "sse", ""
		if i >= sse {
			lane, upgrade = "ws", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		}
		request := "GET /" + lane + "/subscribe?user=background HTTP/1.1\r\nHost: localhost\r\n" + upgrade + "\r\n"
		all.Go(func() {
			for ctx.Err() == nil {
				readAway(ctx, addr, request)
				select {
				case <-ctx.Done():
				case <-time.After(time.Second):
				}
			}
		})
	}
	io.Copy(io.Discard, hold)
	cancel()
	all.Wait()
	return nil
}

// readAway answers no ping and sends no heartbeat; the server asks for neither.
func readAway(ctx context.Context, addr, request string) {
	nc, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return
	}
	defer nc.Close()
	defer context.AfterFunc(ctx, func() { nc.Close() })()
	if _, err := io.WriteString(nc, request); err != nil {
		return
	}
	buf := make([]byte, 8<<10)
	for {
		if _, err := nc.Read(buf); err != nil {
			return
		}
	}
}
