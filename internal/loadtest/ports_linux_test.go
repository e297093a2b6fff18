package loadtest

import (
	"net"
	"net/netip"
	"slices"
	"testing"
)

func TestParseSockets(t *testing.T) {
	const text = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0CEA 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0000000000000000 100 0 0 10 0
   1: 0100007F:9C40 0200007F:0CEA 06 00000000:00000000 03:00000F5E 00000000     0        0 0 3 0000000000000000
   2: 00000000000000000000000001000000:9C41 0000000000000000FFFF00000100007F:0CEA 01 00000000:00000000 00:00000000 00000000 0 0 2
   3: zz:9C41 00000000:0000 01
`
	got := parseSockets(text)
	want := []socket{
		{addrPort("127.0.0.1:3306"), addrPort("0.0.0.0:0"), stateListen},
		{addrPort("127.0.0.1:40000"), addrPort("127.0.0.2:3306"), stateTimeWait},
		{addrPort("[::1]:40001"), addrPort("127.0.0.1:3306"), 1},
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v\nwant\n%v", got, want)
	}
	if got := parsePortList("8080,9148-9150\n"); len(got) != 4 || !got[8080] || !got[9150] {
		t.Errorf("%v", got)
	}
	if got := parsePortList("\n"); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

// TestReadLocalPorts: a listener of this process is among the sockets of the system.
func TestReadLocalPorts(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	p, ok := readLocalPorts()
	if !ok || p.first < 1 || p.last > 65535 {
		t.Fatalf("%d–%d, %v", p.first, p.last, ok)
	}
	want := socket{local: ln.Addr().(*net.TCPAddr).AddrPort(), remote: netip.MustParseAddrPort("0.0.0.0:0"), state: stateListen}
	if !slices.Contains(p.sockets, want) {
		t.Errorf("%v is not among the sockets", want)
	}
}

// TestMoreLoopbackAddresses: with too few ports the connections come from several loopback addresses.
func TestMoreLoopbackAddresses(t *testing.T) {
	t.Parallel()
	url, sources := startSourceServer(t)
	o := smallOptions(t, url)
	o.Lanes, o.Conns, o.Rounds = []string{"sse"}, 9, 1
	o.localPorts = func() (localPorts, bool) { return localPorts{first: 40000, last: 40000 + sparePorts + 2}, true }
	r, err := run(t, o)
	if r == nil {
		t.Fatal(err)
	}
	if got := sources(); !slices.Equal(got, []string{"127.0.0.1", "127.0.0.2", "127.0.0.3"}) {
		t.Errorf("%v", got)
	}
	if r.Setup.Addresses != 3 {
		t.Errorf("the report says %d addresses", r.Setup.Addresses)
	}
}
