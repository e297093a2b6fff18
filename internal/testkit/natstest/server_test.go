package natstest

import (
	"testing"

	"github.com/nats-io/nats.go"
)

func TestCluster(t *testing.T) {
	c := NewCluster(t, 3)
	c[1].Stop()
	c.WaitReady(t)
	c[1].Start()
	c.WaitReady(t)
	conn, err := nats.Connect(c.URL())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}
