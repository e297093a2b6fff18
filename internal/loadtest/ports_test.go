package loadtest

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func addrPort(text string) netip.AddrPort { return netip.MustParseAddrPort(text) }

func TestFreePorts(t *testing.T) {
	to, one, two := addrPort("127.0.0.1:3000"), netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2")
	for _, c := range []struct {
		name          string
		sockets       []socket
		reuse         int
		free, waiting int
	}{
		{"none used", nil, 0, 100, 0},
		{"a connection to the server", []socket{{addrPort("127.0.0.1:40000"), to, 1}}, 0, 99, 0},
		{"its other end", []socket{{to, addrPort("127.0.0.1:40000"), 1}}, 0, 100, 0},
		{"from another address", []socket{{addrPort("127.0.0.2:40000"), to, 1}}, 0, 100, 0},
		{"to another server", []socket{{addrPort("127.0.0.1:40000"), addrPort("127.0.0.1:3001"), 1}}, 0, 100, 0},
		{"outside of the range", []socket{{addrPort("127.0.0.1:39999"), to, 1}, {addrPort("127.0.0.1:40100"), to, 1}}, 0, 100, 0},
		{"a listener", []socket{{addrPort("0.0.0.0:40001"), addrPort("0.0.0.0:0"), stateListen}}, 0, 99, 0},
		{"TIME_WAIT", []socket{{addrPort("127.0.0.1:40000"), to, stateTimeWait}}, 0, 99, 1},
		{"TIME_WAIT, reused on loopback", []socket{{addrPort("127.0.0.1:40000"), to, stateTimeWait}}, 2, 100, 0},
	} {
		p := localPorts{first: 40000, last: 40099, sockets: c.sockets, reuse: c.reuse}
		if free, waiting := p.free(one, to); free != c.free || waiting != c.waiting {
			t.Errorf("%s: %d free, %d waiting; want %d, %d", c.name, free, waiting, c.free, c.waiting)
		}
	}
	p := localPorts{first: 40000, last: 40099, reserved: map[int]bool{40005: true, 50000: true}}
	if free, _ := p.free(two, to); free != 99 {
		t.Errorf("%d free with a reserved port, want 99", free)
	}
	remote := addrPort("192.0.2.1:80")
	p = localPorts{first: 40000, last: 40099, reuse: 2, sockets: []socket{{addrPort("192.0.2.9:40000"), remote, stateTimeWait}}}
	if free, waiting := p.free(netip.MustParseAddr("192.0.2.9"), remote); free != 99 || waiting != 1 {
		t.Errorf("TIME_WAIT to another machine: %d free, %d waiting", free, waiting)
	}
}

func TestSources(t *testing.T) {
	p := localPorts{first: 40000, last: 40115} // 100 and the spare ones
	to, one := addrPort("127.0.0.1:3000"), netip.MustParseAddr("127.0.0.1")
	if all, err := p.sources(one, to, 100); all != nil || err != nil {
		t.Errorf("one address suffices: %v, %v", all, err)
	}
	for port := range uint16(60) {
		p.sockets = append(p.sockets, socket{netip.AddrPortFrom(one, 40000+port), to, 1})
	}
	all, err := p.sources(one, to, 200)
	if err != nil || len(all) != 3 || all[0].free != 40 || all[2] != (source{netip.MustParseAddr("127.0.0.3"), 100}) {
		t.Fatalf("%v, %v", all, err)
	}
	uses := make(map[string]int)
	for k := range 200 {
		uses[sourceOf(all, k, 200).String()]++
	}
	if uses["127.0.0.1"] > 40 || uses["127.0.0.2"] > 100 || uses["127.0.0.3"] > 100 || len(uses) != 3 {
		t.Errorf("%v", uses)
	}
	if a := sourceOf(nil, 3, 10); a.IsValid() {
		t.Errorf("without sources: %v", a)
	}
	for _, c := range []struct {
		from, to string
		n        int
		want     []string
	}{
		{"127.0.0.1", "127.0.0.1:3000", 100_000, []string{"100000 local ports are needed", "only 25340 of 40000–40115"}},
		{"::1", "[::1]:3000", 101, []string{"101 local ports are needed for connections to [::1]:3000", "only 100 of", "ip_local_port_range", "127.0.0.1 in --url", "fewer connections"}},
		{"192.0.2.9", "192.0.2.1:80", 101, []string{"Widen the range"}},
	} {
		_, err := p.sources(netip.MustParseAddr(c.from), addrPort(c.to), c.n)
		var ports *PortsError
		if !errors.As(err, &ports) {
			t.Errorf("%s: %v", c.to, err)
			continue
		}
		for _, part := range c.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q lacks %q", err, part)
			}
		}
	}
	waiting := &PortsError{Needed: 9, Free: 1, Waiting: 8, First: 1, Last: 9, To: to}
	if text := waiting.Error(); !strings.Contains(text, "8 are in TIME_WAIT") || !strings.Contains(text, "Wait a minute, widen the range") {
		t.Errorf("%s", text)
	}
}

// startSourceServer starts a fake server that records the addresses of its streams.
func startSourceServer(t *testing.T) (url string, sources func() []string) {
	t.Helper()
	var mu sync.Mutex
	seen := make(map[string]bool)
	url = startFakeServer(t, func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		mu.Lock()
		seen[host] = true
		mu.Unlock()
		s := newFakeStream(w, r, 5*time.Millisecond)
		defer s.close()
		s.hello(9, "none")
		for seq := 10; s.tick(seq); seq++ {
		}
	})
	return url, func() []string {
		mu.Lock()
		defer mu.Unlock()
		var all []string
		for host := range seen {
			all = append(all, host)
		}
		slices.Sort(all)
		return all
	}
}

// TestTooFewPorts: it is an error before anything is measured.
func TestTooFewPorts(t *testing.T) {
	url, sources := startSourceServer(t)
	o := smallOptions(t, url)
	o.localPorts = func() (localPorts, bool) { return localPorts{first: 40000, last: 40000 + sparePorts - 1}, true }
	r, err := run(t, o)
	var ports *PortsError
	if r != nil || !errors.As(err, &ports) || ports.Needed != 8 || strings.Count(err.Error(), "local ports are needed") != 1 {
		t.Errorf("%v, %v", r, err)
	}
	if got := sources(); len(got) > 0 {
		t.Errorf("connections were opened from %v", got)
	}
}
