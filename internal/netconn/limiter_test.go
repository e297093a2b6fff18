package netconn

import "testing"

func TestLimiterBoundaries(t *testing.T) {
	for _, c := range []struct {
		name            string
		max, perAddress int
		exempt          bool
		addresses       []string
		want            []Admission
	}{
		{"total", 2, 2, false, []string{"192.0.2.1", "192.0.2.2", "192.0.2.3"}, []Admission{Admitted, Admitted, TotalReached}},
		{"total of none", 0, 1, false, []string{"192.0.2.1"}, []Admission{TotalReached}},
		{"address", 9, 2, false, []string{"192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2"}, []Admission{Admitted, Admitted, AddressReached, Admitted}},
		{"IPv6 networks", 9, 1, false, []string{"2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"}, []Admission{Admitted, AddressReached, Admitted}},
		{"IPv4-mapped", 9, 1, false, []string{"192.0.2.1", "::ffff:192.0.2.1"}, []Admission{Admitted, AddressReached}},
		{"loopback exempt", 4, 1, true, []string{"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "127.0.0.1"},
			[]Admission{Admitted, Admitted, Admitted, Admitted, TotalReached}},
		{"loopback not exempt", 9, 1, false, []string{"127.0.0.1", "127.0.0.1", "::1"}, []Admission{Admitted, AddressReached, Admitted}},
		{"others are not exempt", 9, 1, true, []string{"192.0.2.1", "192.0.2.1"}, []Admission{Admitted, AddressReached}},
		{"not an address", 9, 1, true, []string{"", ""}, []Admission{Admitted, AddressReached}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := NewLimiter(c.max, c.perAddress, c.exempt)
			admitted := 0
			for i, a := range c.addresses {
				check, got := l.Check(a), l.Acquire(a)
				if check != c.want[i] || got != c.want[i] {
					t.Errorf("%d: Check(%q) = %d, Acquire = %d, want %d", i, a, check, got, c.want[i])
				}
				if got == Admitted {
					admitted++
				}
				if l.Open() != admitted {
					t.Errorf("%d: %d open, want %d", i, l.Open(), admitted)
				}
			}
			for i, a := range c.addresses {
				if c.want[i] == Admitted {
					l.Release(a)
				}
			}
			if l.Open() != 0 || len(l.byAddress) != 0 {
				t.Errorf("after all releases: %d open, %v", l.Open(), l.byAddress)
			}
		})
	}
}

func TestReleaseFreesOnePlace(t *testing.T) {
	l := NewLimiter(3, 2, false)
	for _, want := range []Admission{Admitted, Admitted, AddressReached} {
		if got := l.Acquire("192.0.2.1"); got != want {
			t.Fatalf("%d, want %d", got, want)
		}
	}
	l.Release("192.0.2.1")
	for _, want := range []Admission{Admitted, AddressReached} {
		if got := l.Acquire("192.0.2.1"); got != want {
			t.Errorf("after a release: %d, want %d", got, want)
		}
	}
}

func TestCloseDrains(t *testing.T) {
	isClosed := func(c <-chan struct{}) bool {
		select {
		case <-c:
			return true
		default:
			return false
		}
	}
	l := NewLimiter(9, 9, false)
	l.Acquire("192.0.2.1")
	l.Acquire("192.0.2.2")
	if l.Closed() {
		t.Error("closed before Close")
	}
	drained := l.Close()
	if got := l.Acquire("192.0.2.3"); got != ShuttingDown || !l.Closed() {
		t.Errorf("after Close: %d, closed %v", got, l.Closed())
	}
	l.Release("192.0.2.1")
	if isClosed(drained) {
		t.Error("drained with a slot taken")
	}
	l.Release("192.0.2.2")
	if !isClosed(drained) || !isClosed(l.Close()) {
		t.Error("not drained")
	}
	empty := NewLimiter(1, 1, false)
	if first, second := isClosed(empty.Close()), isClosed(empty.Close()); !first || !second {
		t.Error("an empty limiter is drained at once, and may be closed twice")
	}
	open := NewLimiter(9, 9, false)
	open.Acquire("192.0.2.1")
	open.Release("192.0.2.1")
	if isClosed(open.drained) {
		t.Error("drained without Close")
	}
}

func TestClientOf(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
		"2001:db8:1:2:ffff::": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64", "": "", "nonsense": "nonsense",
	} {
		if got, counted := clientOf(address, false); got != want || !counted {
			t.Errorf("%q: %q, %v; want %q", address, got, counted, want)
		}
	}
}
