package ingest

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestLines: each line after the instruments, and the tick or the error that it results in.
func TestLines(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		name, lines, want string
	}{
		{"quote", `{"T":"q","S":"EURUSD","bp":1.08345,"bs":1000000,"ap":1.08347,"as":500000,"p":1.08346,"v":123,"t":1793021400000000}`,
			"EURUSD 1.08345×1000000 1.08347×500000 last 1.08346 day 1.08346 1.08346 1.08346 prev 1.08346 vol 123"},
		{"fewer decimals", `{"T":"q","S":"EURUSD","bp":1,"ap":1.1}`, "EURUSD 1.00000×0 1.10000×0 last 1.05000 day 1.05000 1.05000 1.05000 prev 1.05000 vol 0"},
		{"exponent, spaces and zeros", " { \"T\" : \"q\" , \"S\":\"ACME\", \"bp\" : 1.5e1,\t\"ap\":0.160000000000000000000000e2 }\r",
			"ACME 15.00×0 16.00×0 last 15.50 day 15.50 15.50 15.50 prev 15.50 vol 0"},
		{"escapes", `{"\u0054":"\u0071","S":"AC\u004dE","p":2}`, "ACME 2.00×0 2.00×0 last 2.00 day 2.00 2.00 2.00 prev 2.00 vol 0"},
		{"null is left out, and so are names with _", `{"T":"q","S":"ACME","bp":null,"p":2,"_x":[{"a":"}"}]}`, "ACME 2.00×0 2.00×0 last 2.00 day 2.00 2.00 2.00 prev 2.00 vol 0"},
		{"trade", `{"T":"trade","S":"BTC/USD","p":64150.25,"s":0.0132,"id":"7","c":["@","T"],"x":"V"}`,
			"BTC/USD 64150.25×0.0000 64150.25×0.0000 last 64150.25 day 64150.25 64150.25 64150.25 prev 64150.25 vol 0.0132"},
		{"negative price", `{"T":"q","S":"CL=F","bp":-40.32,"ap":-37.63}`, "CL=F -40.32×0 -37.63×0 last -38.98 day -38.98 -38.98 -38.98 prev -38.98 vol 0"},
		{"status", `{"T":"status","S":"ACME","status":"halted","reason":"news","t":1793021400000000}`, "none"},

		{"not JSON", `{"T":"q"`, "!: not a JSON object (RFC 8259)"},
		{"a list", `["q"]`, "!: not a JSON object (RFC 8259)"},
		{"two objects", `{} {}`, "!: not a JSON object (RFC 8259)"},
		{"trailing comma", `{"T":"q",}`, "!: not a JSON object (RFC 8259)"},
		{"leading zero", `{"T":"q","S":"ACME","p":01}`, "!: not a JSON object (RFC 8259)"},
		{"control character", "{\"T\":\"q\x01\"}", "!: not a JSON object (RFC 8259)"},
		{"empty", `{}`, `!T: missing; want "q", "trade", "status" or "instrument"`},
		{"unknown type", `{"T":"tick"}`, `!T: "tick": want "q", "trade", "status" or "instrument"`},
		{"number as type", `{"T":1}`, `!T: missing; want "q", "trade", "status" or "instrument"`},
		{"twice", `{"T":"q","S":"ACME","p":1,"p":2}`, "!p: given twice"},
		{"other case", `{"t":"q"}`, `!T: missing; want "q", "trade", "status" or "instrument"`},
		{"unknown member", `{"T":"q","S":"ACME","bid":1}`, `!bid: unknown member; docs/ingest.md has those of each T, and names that begin with _ are ignored`},
		{"crossed", `{"T":"q","S":"ACME","bp":2.01,"ap":2}`, "!bp: 2.01 is above the ask of 2.00"},
		{"member of another type", `{"T":"q","S":"ACME","p":1,"s":3}`, `!s: not a member of T "q"`},
		{"no symbol", `{"T":"q","p":1}`, "!S: missing; want the symbol of an instrument"},
		{"unknown symbol", `{"T":"q","S":"ACM","p":1}`, `!S: "ACM": unknown; its line of T "instrument" must come first`},
		{"symbol is no text", `{"T":"q","S":7,"p":1}`, "!S: want a text"},
		{"decimals lost", `{"T":"q","S":"ACME","bp":1.005,"ap":2}`, "!bp: 1.005: too many decimals: 3, want at most 2"},
		{"size decimals lost", `{"T":"trade","S":"ACME","p":1,"s":0.5}`, "!s: 0.5: too many decimals: 1, want at most 0"},
		{"price 0", `{"T":"q","S":"ACME","p":0}`, "!p: 0: want a price above 0: ACME has no negative prices"},
		{"negative", `{"T":"q","S":"ACME","p":-1.5}`, "!p: -1.5: want a price above 0: ACME has no negative prices"},
		{"negative size", `{"T":"q","S":"ACME","p":1,"bs":-1}`, "!bs: -1: want 0 or more"},
		{"too large", `{"T":"q","S":"ACME","p":90071992547409.92}`, "!p: 90071992547409.92: too large: want at most 90071992547409.91"},
		{"price as text", `{"T":"q","S":"ACME","p":"1"}`, "!p: want a number"},
		{"nothing", `{"T":"q","S":"ACME"}`, "!bp: missing; want at least one of bp, bs, ap, as, p and v"},
		{"no price of a trade", `{"T":"trade","S":"ACME","s":1}`, "!p: missing; want the price of the trade"},
		{"conditions", `{"T":"trade","S":"ACME","p":1,"c":"@"}`, "!c: want a list of texts"},
		{"condition", `{"T":"trade","S":"ACME","p":1,"c":[1]}`, "!c: want a list of texts"},
		{"null as condition", `{"T":"trade","S":"ACME","p":1,"c":["@",null]}`, "!c: want a list of texts"},
		{"condition in Latin-1", "{\"T\":\"trade\",\"S\":\"ACME\",\"p\":1,\"c\":[\"\xe4\"]}", "!c: want a list of texts"},
		{"correction and cancel", `{"T":"trade","S":"ACME","p":1,"corrects":"6","cancels":"7"}`, "!cancels: not together with corrects"},
		{"long id", `{"T":"trade","S":"ACME","p":1,"id":"` + strings.Repeat("x", 65) + `"}`, `!id: "` + strings.Repeat("x", 40) + `…": want at most 64 bytes of printable text`},
		{"status in words", `{"T":"status","S":"ACME","status":"Halted!"}`, `!status: "Halted!": want a word such as halted or trading, 1 to 32 of a-z, 0-9 and '-'`},
		{"id of a trade", `{"T":"trade","S":"ACME","p":1,"id":7}`, "!id: want a text"},
		{"no status", `{"T":"status","S":"ACME"}`, "!status: missing; want a text such as halted"},
		{"time in ms", `{"T":"q","S":"ACME","p":1,"t":1793021400000}`, "!t: 1793021400000: want µs since 1970, from 1980 to 10 minutes ahead of this server's clock"},
		{"time as text", `{"T":"q","S":"ACME","p":1,"t":"2026-03-02"}`, "!t: want a whole number from 0 to 9007199254740991"},
		{"time with decimals", `{"T":"q","S":"ACME","p":1,"t":1793021400000000.5}`, `!t: "1793021400000000.5": want a whole number from 0 to 9007199254740991`},
		{"n of 0", `{"T":"q","S":"ACME","p":1,"n":0}`, "!n: want a whole number from 1"},
		{"n without a source", `{"T":"q","S":"ACME","p":1,"n":1}`, "!n: needs the parameter source, which names the client's sequence"},
		{"first quote without ask", `{"T":"q","S":"ACME","bp":1}`, "!ap: missing; the first quote of ACME needs bp and ap"},
		{"first quote without bid", `{"T":"q","S":"ACME","ap":1}`, "!bp: missing; the first quote of ACME needs bp and ap"},
		{"first line without price", `{"T":"q","S":"ACME","v":1}`, "!bp: missing; the first line of ACME needs bp and ap, or p"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFeed(t, Options{})
			if r := f.send("", instruments); summary(r) != "+4 -0 =0" {
				t.Fatalf("instruments: %+v", r)
			}
			r := f.send("", c.lines)
			got := f.last()
			if len(r.Errors) > 0 {
				got = "!" + r.Errors[0].Field + ": " + r.Errors[0].Reason
			}
			if got != c.want || r.Accepted+r.Rejected != 1 || len(r.Errors) != int(r.Rejected) {
				t.Errorf("%s:\ngot  %s, %s\nwant %s", c.lines, got, summary(r), c.want)
			}
			if strings.Contains(c.lines, "T\":\"status") || len(f.ticks) == 0 {
				return
			}
			tick := &f.ticks[0]
			if due := strings.Contains(c.lines, `"t":1793021400000000`); due && tick.Due != 1793021400000000 || !due && tick.Due != tick.Received ||
				tick.Received < now.UnixMicro() || tick.Received > time.Now().UnixMicro() {
				t.Errorf("due %d, received %d", tick.Due, tick.Received)
			}
		})
	}
}

// TestFutureTime: a time may be ahead of the server's clock by some minutes only.
func TestFutureTime(t *testing.T) {
	p := parser{}
	var l line
	for _, c := range []struct {
		ahead time.Duration
		valid bool
	}{{9 * time.Minute, true}, {11 * time.Minute, false}} {
		now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC).UnixMicro()
		text := strconv.FormatInt(now+c.ahead.Microseconds(), 10)
		l.has = setOf(memberTime)
		p.object.values[memberTime] = value{raw: []byte(text), kind: kindNumber}
		if f := p.due(now, &l); (f == nil) != c.valid {
			t.Errorf("%v ahead: %v", c.ahead, f)
		}
	}
}

// TestInstrumentLines: what is wrong with an instrument is named.
func TestInstrumentLines(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{`{"T":"instrument","S":"ACME"}`, ""},
		{`{"T":"instrument","S":"^IDX","name":"Index – Ä","sector":"indices","decimals":9,"size_decimals":9,"currency":"EUR","venue":"X","tick_size":0.5,"negative":false,"session":null}`, ""},
		{`{"T":"instrument"}`, `S: "": want 1 to 32`},
		{`{"T":"instrument","S":"a,b"}`, `S: "a,b": want 1 to 32`},
		{`{"T":"instrument","S":7}`, "S: want a text"},
		{`{"T":"instrument","S":"A","sector":"Big"}`, `sector: "Big": want`},
		{`{"T":"instrument","S":"A","decimals":10}`, "decimals: want 0 to 9"},
		{`{"T":"instrument","S":"A","decimals":"2"}`, "decimals: want 0 to 9"},
		{`{"T":"instrument","S":"A","negative":1}`, "negative: want true or false"},
		{`{"T":"instrument","S":"A","tick_size":0.001}`, "tick_size: 0.001: too many decimals"},
		{`{"T":"instrument","S":"A","tick_size":"1"}`, "tick_size: want a number"},
		{`{"T":"instrument","S":"A","session":"nyse"}`, "session: want an object"},
		{`{"T":"instrument","S":"A","session":{"zone":"Mars","open":"09:30","close":"16:00"}}`, `session.zone: "Mars": want`},
		{`{"T":"instrument","S":"A","session":{"zone":"UTC","open":"9","close":"16:00"}}`, `session.open: "9": want`},
		{`{"T":"instrument","S":"A","session":{"zone":"UTC","open":"09:30","close":"16:00","x":1}}`, "session: want an object"},
		{`{"T":"instrument","S":"A","session":{"Zone":"UTC","open":"09:30","close":"16:00"}}`, "session: want an object"},
		{`{"T":"instrument","S":"A","session":{"zone":"UTC","open":"09:30","close":"16:00","open":"10:30"}}`, "session: want an object"},
		{`{"T":"instrument","S":"A","p":1}`, `p: not a member of T "instrument"`},
	} {
		f := newFeed(t, Options{})
		r := f.send("", c.line)
		got := ""
		if len(r.Errors) > 0 {
			got = r.Errors[0].Field + ": " + r.Errors[0].Reason
		}
		if !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: got %s, want %s", c.line, got, c.want)
		}
	}
}
