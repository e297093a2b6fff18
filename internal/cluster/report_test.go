package cluster

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

// sample is a report with every member.
var sample = message{Format: format, ID: "0a1b", Report: Report{
	Name: "host:3000", Version: "v1.2.0", Address: "10.0.0.1:3000", Role: RoleWriter, Ready: true, Started: 1793021400000000, Epoch: "18c3f2a", Term: 3, Head: 4802, Lag: 1, Behind: 2,
	SSE: 4, WS: 5, Ticks: 100.5, Bytes: 9000, Read: Latency{300, 1200}, Ack: Latency{400, 1500}, Server: "nats://10.0.0.9:4222", Connected: true, Stale: 0, Error: "",
}, Settings: map[string]string{"stream.log_size": "65536"}}

// golden is what other versions send: a change that isn't compatible needs another format.
const golden = `{"v":1,"id":"0a1b","name":"host:3000","version":"v1.2.0","address":"10.0.0.1:3000","role":"writer","ready":true,"reason":"","started":1793021400000000,"epoch":"18c3f2a",` +
	`"term":3,"head":4802,"lag":1,"behind":2,"sse":4,"ws":5,"ticks":100.5,"bytes":9000,"read":{"p50":300,"p99":1200},"ack":{"p50":400,"p99":1500},"server":"nats://10.0.0.9:4222","connected":true,"stale":0,"error":"","settings":{"stream.log_size":"65536"}}`

func TestReportIsAsPublished(t *testing.T) {
	if got := string(sample.encode()); got != golden {
		t.Errorf("got  %s\nwant %s", got, golden)
	}
	m, err := parse([]byte(strings.Replace(golden, `"v":1`, `"v":1,"new":{"a":[1]}`, 1)))
	if err != nil || !reflect.DeepEqual(*m, sample) {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestReportsThatAreRefused(t *testing.T) {
	for what, data := range map[string]string{
		"not JSON":          `{"v":1`,
		"no object":         `[1]`,
		"too long":          strings.Replace(golden, "{", "{"+strings.Repeat(" ", maxMessage), 1),
		"no id":             strings.Replace(golden, `"0a1b"`, `""`, 1),
		"no name":           strings.Replace(golden, `"host:3000"`, `""`, 1),
		"a long text":       strings.Replace(golden, `"host:3000"`, `"`+strings.Repeat("x", maxText+1)+`"`, 1),
		"a control":         strings.Replace(golden, `"host:3000"`, `"a\u001b[2Jb"`, 1),
		"an unknown role":   strings.Replace(golden, `"role":"writer"`, `"role":"king"`, 1),
		"a negative number": strings.Replace(golden, `"sse":4`, `"sse":-4`, 1),
		"a large head":      strings.Replace(golden, `"head":4802`, `"head":18446744073709551615`, 1),
		"a long value":      strings.Replace(golden, `"65536"`, `"`+strings.Repeat("6", maxText+1)+`"`, 1),
		"a negative rate":   strings.Replace(golden, `"ticks":100.5`, `"ticks":-1`, 1),
	} {
		if m, err := parse([]byte(data)); err == nil {
			t.Errorf("%s: %+v", what, m)
		}
	}
	if _, err := parse([]byte(strings.Replace(golden, `"v":1`, `"v":2`, 1))); !errors.Is(err, errFormat) {
		t.Errorf("another version: %v", err)
	}
}

func TestTextsAreCut(t *testing.T) {
	m := sample
	m.Error, m.Name = strings.Repeat("é", 300), "a\nb"
	back, err := parse(m.encode())
	if err != nil || back.Error != strings.Repeat("é", maxText/2) || back.Name != "a b" {
		t.Errorf("%+v, %v", back, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(golden))
	f.Add([]byte(`{"v":1,"id":"\ud800","name":"x","role":"reader"}`))
	f.Add([]byte(`{"V":1,"ID":"a","name":"x","role":"reader","ticks":1e308}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parse(data)
		if err != nil {
			return
		}
		again, err := parse(m.encode())
		if err != nil || !reflect.DeepEqual(m, again) {
			t.Errorf("%+v\n%+v, %v", m, again, err)
		}
	})
}
