package main

import (
	"bufio"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"ticklane/internal/config"
)

// startResponder begins to answer as a start does. The test's end stops it.
func startResponder(t *testing.T) (r *responder, ln net.Listener) {
	t.Helper()
	ln, err := listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	at := new(stage)
	at.enter("being tested")
	r = answerWhileStarting(config.Default(), nil, ln, nil, at, slog.New(slog.DiscardHandler))
	t.Cleanup(r.close)
	return r, ln
}

// takeOver serves on the listener as the server does after its start.
func takeOver(t *testing.T, ln net.Listener) {
	t.Helper()
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "served") })}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}()
	t.Cleanup(func() {
		s.Close()
		<-done
	})
}

func dial(t *testing.T, ln net.Listener) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(time.Minute))
	return c
}

// get requests /readyz on a connection.
func get(t *testing.T, c net.Conn) string {
	t.Helper()
	if _, err := io.WriteString(c, "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if !answer.Close {
		t.Error("the connection stays open")
	}
	return string(text)
}

// TestQuickStart: a client that connects before the server is ready gets its answer from that.
func TestQuickStart(t *testing.T) {
	r, ln := startResponder(t)
	c := dial(t, ln)
	r.handOver()
	takeOver(t, ln)
	if text := get(t, c); text != "served" {
		t.Errorf("%q", text)
	}
}

// TestHandOver: the connections that were accepted during the start are answered, also those whose requests come later; all after them are
// the server's.
func TestHandOver(t *testing.T) {
	r, ln := startResponder(t)
	if text := get(t, dial(t, ln)); text != "starting: being tested\n" {
		t.Errorf("%q", text)
	}
	idle := dial(t, ln)
	get(t, dial(t, ln)) // which was accepted after it
	r.handOver()
	waiting := dial(t, ln)
	takeOver(t, ln)
	if text := get(t, idle); text != "starting: being tested\n" {
		t.Errorf("accepted during the start: %q", text)
	}
	if text := get(t, waiting); text != "served" {
		t.Errorf("after the start: %q", text)
	}
}

// TestHandOverFromFullResponder: connections over the limit wait, and become the server's.
func TestHandOverFromFullResponder(t *testing.T) {
	r, ln := startResponder(t)
	for range startConns - 1 {
		dial(t, ln)
	}
	get(t, dial(t, ln)) // which was accepted after them
	dial(t, ln)
	c := dial(t, ln)
	r.handOver()
	takeOver(t, ln)
	if text := get(t, c); text != "served" {
		t.Errorf("%q", text)
	}
}

func TestStage(t *testing.T) {
	at := new(stage)
	if text := at.current().String(); text != "loading" {
		t.Errorf("%q", text)
	}
	failed := at.awaitNATS("nats://user:p%40ss@10.0.0.1:4222, token@10.0.0.2, tls://c.example")
	if text := at.current().String(); text != "waiting for NATS (nats://10.0.0.1:4222,nats://10.0.0.2,tls://c.example)" {
		t.Errorf("%q", text)
	}
	failed(errors.New("refused"))
	if now := at.current(); now.Doing != "waiting for NATS" || !strings.HasSuffix(now.Detail, "c.example: refused") {
		t.Errorf("%+v", now)
	}
	at = &stage{anew: true}
	at.awaitNATS("")
	if text := at.current().String(); text != "the log couldn't be continued, serving anew: waiting for NATS (the embedded server)" {
		t.Errorf("%q", text)
	}
}
