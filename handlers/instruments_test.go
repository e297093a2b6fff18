package handlers_test

import (
	"strings"
	"testing"
	"time"

	"ticklane/handlers"
	"ticklane/internal/quote"
	"ticklane/internal/testkit/testserver"
)

// TestInstruments: every answer has the prices and sizes with exactly the decimals of their instrument.
func TestInstruments(t *testing.T) {
	session, err := quote.NewSession("America/New_York", "18:00", "17:00")
	if err != nil {
		t.Fatal(err)
	}
	srv := newTestServer(t, testserver.Options{
		Deps: func(d *handlers.Deps) { d.Files = builtFiles() },
		Instruments: []quote.Instrument{
			{Symbol: "EUR/USD", Sector: "fx", Decimals: 5, Currency: "USD"},
			{Symbol: "btc", Name: "Bitcoin", Sector: "crypto", Decimals: 1, SizeDecimals: 4, Venue: "X"},
			{Symbol: "CL=F", Sector: "oil", Decimals: 2, TickSize: 1, Negative: true, Session: session},
			{Symbol: "^N225", Sector: "index"},
		}})
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC).UnixMicro()
	ticks := func(v quote.Size) []quote.Tick {
		return []quote.Tick{
			{Symbol: 0, Bid: 108345, BidSize: 1_000_000, Ask: 108347, AskSize: 5, Last: 108346, Volume: v, Open: 1, High: 1, Low: 1, PrevClose: 108346, Due: at},
			{Symbol: 1, Bid: 671234, BidSize: 1, Ask: 671240, AskSize: 10_000, Last: 671234, Volume: 10*v + 1, PrevClose: 671234, Due: at, Received: at + 7},
			{Symbol: 2, Bid: -3764, Ask: -3762, Last: -3763, Volume: v, PrevClose: -4000, Due: at},
			{Symbol: 3, Bid: 38000, Ask: 38001, Last: 38000, Volume: v, PrevClose: 40000, Due: at},
		}
	}
	srv.Bus.Publish(ticks(1000))
	srv.Bus.Publish(ticks(3000))
	for path, want := range map[string][]string{
		"/api/symbols": {
			`{"symbol":"EUR/USD","name":"","sector":"fx","value":0,"decimals":5,"size_decimals":0,"currency":"USD"}`,
			`{"symbol":"btc","name":"Bitcoin","sector":"crypto","value":0,"decimals":1,"size_decimals":4,"venue":"X"}`,
			`{"symbol":"CL=F","name":"","sector":"oil","value":0,"decimals":2,"size_decimals":0,"tick_size":0.01,"negative":true,` +
				`"session":{"zone":"America/New_York","open":"18:00","close":"17:00"}}`,
			`{"symbol":"^N225","name":"","sector":"index","value":0,"decimals":0,"size_decimals":0}`,
		},
		"/api/quotes?topics=EUR%2FUSD,btc,CL%3DF,%5EN225": {
			`"S":"EUR/USD","bp":1.08345,"bs":1000000,"ap":1.08347,"as":5,"p":1.08346,"v":3000,`, `"o":0.00001,"h":0.00001,"l":0.00001,"c":1.08346`,
			`"S":"btc","bp":67123.4,"bs":0.0001,"ap":67124.0,"as":1.0000,"p":67123.4,"v":3.0001,"t":1772452800000000,"r":1772452800000007,`,
			`"S":"CL=F","bp":-37.64,"bs":0,"ap":-37.62,"as":0,"p":-37.63,"v":3000,`,
			`"S":"^N225","bp":38000,"bs":0,"ap":38001,"as":0,"p":38000,"v":3000,`,
		},
		"/api/history?symbol=btc":         {`{"t":1772452800000000,"o":67123.4,"h":67123.4,"l":67123.4,"c":67123.4,"v":2.0000}`, `"day":3.0001`},
		"/api/history?symbol=EUR%2FUSD":   {`"o":1.08346,"h":1.08346,"l":1.08346,"c":1.08346,"v":2000}`, `"symbol":"EUR/USD"`},
		"/api/history?symbol=CL%3DF":      {`"o":-37.63,"h":-37.63,"l":-37.63,"c":-37.63,"v":2000}`},
		"/api/closes?topics=CL%3DF,btc":   {`{"symbol":"CL=F","t":1772452800000000,"c":[-37.63]}`, `{"symbol":"btc","t":1772452800000000,"c":[67123.4]}`},
		"/api/closes?topics=%5EN225":      {`{"symbol":"^N225","t":1772452800000000,"c":[38000]}`},
		"/?sort=change":                   {`<td>1.08346</td>`, `<small>0.0001</small>`, `<td>-37.63</td>`, "<small>1\u202f000\u202f000</small>", "▲ 5.92", "▼ 5.00", "<td>3.0001</td>"},
		"/api/quotes?topics=Btc":          {`did you mean \"btc\"?`},
		"/api/quotes?topics=sector%3Afx,": {"unknown topic"},
	} {
		_, body := srv.Get(path)
		for _, w := range want {
			if !strings.Contains(body, w) {
				t.Errorf("%s: no %s in %.3000s", path, w, body)
			}
		}
	}
	// Sorted by the change in per cent, the highest first, whatever the decimals.
	_, body := srv.Get("/?sort=-change")
	if got := strings.Join(noscriptSymbols(body), " "); got != "CL=F EUR/USD btc ^N225" {
		t.Errorf("by change: %s", got)
	}
	_, body = srv.Get("/?sort=-last")
	if got := strings.Join(noscriptSymbols(body), " "); got != "btc ^N225 EUR/USD CL=F" {
		t.Errorf("by last price: %s", got)
	}
}
