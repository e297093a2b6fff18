package client

import (
	"strings"
	"testing"

	"ticklane/internal/wire"
)

func TestExtension(t *testing.T) {
	on, off := &Request{Lane: wire.WS, Compress: true}, &Request{Lane: wire.WS}
	for _, c := range []struct {
		request                 *Request
		accepted                string
		compressed, independent bool
		want                    string
	}{
		{off, "", false, false, ""},
		{on, "permessage-deflate", true, false, ""},
		{on, "permessage-deflate; client_no_context_takeover", true, false, ""},
		{on, "permessage-deflate;server_no_context_takeover; server_max_window_bits=12", true, true, ""},
		{on, "", false, false, "stream.compress"},
		{off, "permessage-deflate", false, false, "not offered"},
		{on, "x-webkit-deflate-frame", false, false, "not offered"},
		{on, "permessage-deflate; client_max_window_bits=9", false, false, `"client_max_window_bits"`},
		{on, "permessage-deflate, permessage-deflate", false, false, "not offered"},
	} {
		compressed, independent, err := c.request.checkExtension(c.accepted)
		if compressed != c.compressed || independent != c.independent || (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, %v, %v", c.accepted, compressed, independent, err)
		}
	}
}
