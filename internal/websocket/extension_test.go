package websocket

import (
	"fmt"
	"strings"
	"testing"
)

const accepted = "permessage-deflate; client_no_context_takeover"

func TestNegotiateDeflate(t *testing.T) {
	for _, c := range []struct {
		offer      string // values of the header, separated by |
		response   string
		perMessage bool
	}{
		{"permessage-deflate", accepted, false},
		{"permessage-deflate; client_max_window_bits", accepted, false},
		{"permessage-deflate; client_no_context_takeover", accepted, false},
		{"permessage-deflate; client_max_window_bits=9; client_no_context_takeover", accepted, false},
		{"permessage-deflate; client_max_window_bits=8", accepted, false},
		{"permessage-deflate; client_max_window_bits=15", accepted, false},
		{`permessage-deflate; client_max_window_bits="10"`, accepted, false},
		{`permessage-deflate; client_max_window_bits="1\0"`, accepted, false},
		{"permessage-deflate; server_no_context_takeover", accepted + "; server_no_context_takeover", true},
		{"permessage-deflate; server_max_window_bits=15", accepted + "; server_max_window_bits=15", false},
		{"permessage-deflate ;\tserver_no_context_takeover ; server_max_window_bits = 15 ", accepted + "; server_no_context_takeover; server_max_window_bits=15", true},
		// The first acceptable offer counts.
		{"permessage-deflate; server_max_window_bits=12, permessage-deflate", accepted, false},
		{"permessage-deflate, permessage-deflate; server_no_context_takeover", accepted, false},
		{"permessage-deflate; server_no_context_takeover, permessage-deflate", accepted + "; server_no_context_takeover", true},
		{"x-webkit-deflate-frame, permessage-deflate", accepted, false},
		{"x-webkit-deflate-frame|permessage-deflate", accepted, false},
		{",, permessage-deflate,", accepted, false},
		// Declined.
		{"permessage-deflate; server_max_window_bits=14", "", false},
		{"permessage-deflate; server_max_window_bits=8", "", false},
		{"permessage-deflate; server_max_window_bits=16", "", false},
		{"permessage-deflate; server_max_window_bits", "", false},
		{"permessage-deflate; server_max_window_bits=15; server_max_window_bits=15", "", false},
		{"permessage-deflate; server_no_context_takeover=1", "", false},
		{"permessage-deflate; client_no_context_takeover=1", "", false},
		{"permessage-deflate; client_max_window_bits=7", "", false},
		{"permessage-deflate; client_max_window_bits=16", "", false},
		{"permessage-deflate; client_max_window_bits=08", "", false},
		{"permessage-deflate; mystery", "", false},
		{"permessage-deflate; client_no_context_takeover; client_no_context_takeover", "", false},
		{"PERMESSAGE-DEFLATE", "", false},
		{"permessage-bzip2", "", false},
	} {
		d, err := NegotiateDeflate(strings.Split(c.offer, "|"))
		if err != nil || d.Response != c.response || d.PerMessage != c.perMessage {
			t.Errorf("%s: %+v, %v; want %q, %v", c.offer, d, err, c.response, c.perMessage)
		}
	}
	if d, err := NegotiateDeflate(nil); err != nil || d != (Deflate{}) {
		t.Errorf("without the header: %+v, %v", d, err)
	}
}

func TestMalformedExtensions(t *testing.T) {
	for _, offer := range []string{
		"", ",", ";", " ", "permessage-deflate;", "permessage-deflate; =", "permessage-deflate; a=", "a b", "a; b c", "a/b", "a, ;", "a; b=\"c",
		`permessage-deflate; client_max_window_bits="1`, `a; b=""`, `a; b="c d"`, `a; b="c\ d"`, `a; b="c\`, `a; b="c\"d"`, `a; b="c\",e="d"`, `a; b="c\\d"`,
		`a; b="c"d`, "a\x7f", "a; b=é",
	} {
		if d, err := NegotiateDeflate([]string{offer}); err != ErrExtensions || d != (Deflate{}) {
			t.Errorf("%q: %+v, %v", offer, d, err)
		}
	}
}

// TestTokenBytes lists the characters of a token (RFC 9110 §5.6.2).
func TestTokenBytes(t *testing.T) {
	const tokens = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	for c := range 256 {
		want := strings.IndexByte(tokens, byte(c)) >= 0
		if got := isTokenByte(byte(c)); got != want {
			t.Errorf("%q: %v", byte(c), got)
		}
		name := string([]byte{'a', byte(c), 'b'})
		if all, ok := parseExtensions(name); ok && len(all) == 1 && all[0].name == name != want {
			t.Errorf("%q: %v", name, all)
		}
	}
}

// FuzzExtensions checks that what was parsed, written again, is parsed as the same.
func FuzzExtensions(f *testing.F) {
	f.Add("permessage-deflate; client_max_window_bits, permessage-deflate")
	f.Add(`a;b="c\d";e=f,,g`)
	f.Fuzz(func(t *testing.T, list string) {
		all, ok := parseExtensions(list)
		if !ok {
			return
		}
		var again []string
		for _, e := range all {
			s := e.name
			for _, p := range e.params {
				s += "; " + p.name
				if p.hasValue {
					s += "=" + p.value
				}
			}
			again = append(again, s)
			if d, ok := e.accept(); ok != (d.Response != "") || !ok && d != (Deflate{}) {
				t.Errorf("%v: %+v, %v", e, d, ok)
			}
		}
		text := strings.Join(again, ", ")
		same, ok := parseExtensions(text)
		if !ok || fmt.Sprint(same) != fmt.Sprint(all) {
			t.Errorf("%q is %v, and as %q %v", list, all, text, same)
		}
	})
}
