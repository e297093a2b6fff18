package loadtest

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// readLocalPorts reads the state of this machine's ports. ok is false if it isn't readable.
func readLocalPorts() (p localPorts, ok bool) {
	const settings = "/proc/sys/net/ipv4/"
	text, err := os.ReadFile(settings + "ip_local_port_range")
	if err != nil {
		return p, false
	}
	bounds := strings.Fields(string(text))
	if len(bounds) != 2 {
		return p, false
	}
	first, err1 := strconv.Atoi(bounds[0])
	last, err2 := strconv.Atoi(bounds[1])
	if err1 != nil || err2 != nil || first > last || last > 65535 {
		return p, false
	}
	p = localPorts{first: first, last: last}
	if text, err := os.ReadFile(settings + "ip_local_reserved_ports"); err == nil {
		p.reserved = parsePortList(string(text))
	}
	if text, err := os.ReadFile(settings + "tcp_tw_reuse"); err == nil {
		p.reuse, _ = strconv.Atoi(strings.TrimSpace(string(text))) // 0, no reuse, if it isn't a number
	}
	for _, name := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		if text, err := os.ReadFile(name); err == nil { // without IPv6 there is no tcp6
			p.sockets = append(p.sockets, parseSockets(string(text))...)
		}
	}
	return p, true
}

// parsePortList parses text such as 8080,9148-9150.
func parsePortList(text string) map[int]bool {
	ports := make(map[int]bool)
	for part := range strings.SplitSeq(strings.TrimSpace(text), ",") {
		low, high, isRange := strings.Cut(part, "-")
		first, err := strconv.Atoi(low)
		last := first
		if isRange && err == nil {
			last, err = strconv.Atoi(high)
		}
		if err != nil {
			continue
		}
		for port := first; port <= min(last, 65535); port++ {
			ports[port] = true
		}
	}
	return ports
}

// parseSockets parses /proc/net/tcp or tcp6. Lines that it doesn't understand, such as the heading, are left out.
func parseSockets(text string) []socket {
	var all []socket
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 4 {
			continue
		}
		local, ok1 := parseAddress(fields[1])
		remote, ok2 := parseAddress(fields[2])
		state, err := strconv.ParseUint(fields[3], 16, 8)
		if ok1 && ok2 && err == nil {
			all = append(all, socket{local, remote, uint8(state)})
		}
	}
	return all
}

// parseAddress parses text such as 0100007F:0CEA: words of 32 bits in the byte order of this machine, and the port.
func parseAddress(text string) (netip.AddrPort, bool) {
	address, portText, _ := strings.Cut(text, ":")
	port, err := strconv.ParseUint(portText, 16, 16)
	b, hexErr := hex.DecodeString(address)
	if err != nil || hexErr != nil || len(b) != 4 && len(b) != 16 {
		return netip.AddrPort{}, false
	}
	for k := 0; k < len(b); k += 4 {
		binary.NativeEndian.PutUint32(b[k:], binary.BigEndian.Uint32(b[k:]))
	}
	a, _ := netip.AddrFromSlice(b)
	return netip.AddrPortFrom(a.Unmap(), uint16(port)), true
}
