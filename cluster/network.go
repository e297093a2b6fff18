//go:build linux

package main

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
)

// Networks. Each is a bridge, to which hosts are connected by a pair of virtual Ethernet interfaces.
const (
	front  = "front"  // HAProxy and clients ↔ Ticklane
	back   = "back"   // Ticklane ↔ NATS
	routes = "routes" // NATS ↔ NATS
)

var networks = []string{front, back, routes}

// addressOn returns the address of the host with a number on a network. This process has number 1 on all of them.
func addressOn(network string, number int) string {
	return fmt.Sprintf("10.77.%d.%d", slices.Index(networks, network)+1, number)
}

// createNetworks creates the bridges, in the network namespace of this process.
func createNetworks(ctx context.Context) error {
	for _, n := range networks {
		for _, args := range [][]string{
			{"link", "add", n, "type", "bridge"},
			{"address", "add", addressOn(n, 1) + "/24", "dev", n},
			{"link", "set", n, "up"},
		} {
			if err := command(ctx, "ip", args...); err != nil {
				return err
			}
		}
	}
	return nil
}

// host is a network namespace with a name and an address on some networks.
type host struct {
	name     string
	number   int // last byte of its addresses
	networks []string
}

func (h *host) address(network string) string { return addressOn(network, h.number) }

// port returns the name of the bridge's end of the connection to a network.
func (h *host) port(network string) string { return fmt.Sprintf("%s-%d", network, h.number) }

// create creates the namespace and connects it.
func (h *host) create(ctx context.Context) error {
	all := [][]string{{"netns", "add", h.name}, {"-n", h.name, "link", "set", "lo", "up"}}
	for _, n := range h.networks {
		all = append(all,
			[]string{"link", "add", h.port(n), "type", "veth", "peer", "name", n, "netns", h.name},
			[]string{"link", "set", h.port(n), "master", n},
			[]string{"link", "set", h.port(n), "up"},
			[]string{"-n", h.name, "address", "add", h.address(n) + "/24", "dev", n},
			[]string{"-n", h.name, "link", "set", n, "up"})
	}
	for _, args := range all {
		if err := command(ctx, "ip", args...); err != nil {
			return err
		}
	}
	return nil
}

// cut makes the bridges drop every packet from and to the host on some of its networks. The host doesn't notice: its interfaces stay
// up, as when a switch fails. rejoin ends that.
func (h *host) cut(ctx context.Context, networks ...string) error {
	return h.setPorts(ctx, "0", networks) // disabled
}

func (h *host) rejoin(ctx context.Context, networks ...string) error {
	return h.setPorts(ctx, "3", networks) // forwarding
}

func (h *host) setPorts(ctx context.Context, state string, networks []string) error {
	for _, n := range networks {
		if err := command(ctx, "bridge", "link", "set", "dev", h.port(n), "state", state); err != nil {
			return err
		}
	}
	return nil
}

// command runs a program. Its error contains what it printed.
func command(ctx context.Context, name string, args ...string) error {
	if out, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
