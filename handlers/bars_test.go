package handlers_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"ticklane/internal/quote"
	"ticklane/internal/testkit/testserver"
)

// TestBarsByRangeAsJSONAndCSV checks the bytes of both forms, with the decimals of the instrument.
func TestBarsByRangeAsJSONAndCSV(t *testing.T) {
	srv := testserver.New(t, testserver.Options{Instruments: []quote.Instrument{
		{Symbol: "EUR/USD", Sector: "fx", Decimals: 5, SizeDecimals: 1}, {Symbol: "OIL", Sector: "energy", Decimals: 2, Negative: true},
	}})
	const minute, start = 60_000_000, 1_772_409_600_000_000 // 2026-03-02T00:00:00Z
	for i := range 5 {
		srv.History.Add([]quote.Tick{
			{Symbol: 0, Due: start + int64(i)*minute, Last: quote.Price(108_345 + i), Volume: quote.Size(15 * i), Seq: uint64(2*i + 1)},
			{Symbol: 1, Due: start + int64(i)*minute, Last: quote.Price(-3763 + i), Volume: quote.Size(i), Seq: uint64(2*i + 2)},
		})
	}
	get := func(query string, headers ...string) (string, string) {
		answer, body := srv.Get("/api/history?"+query, headers...)
		if answer.Status != 200 || !strings.Contains(answer.Header.Get("Vary"), "Accept") {
			t.Fatalf("%s: %d %s", query, answer.Status, body)
		}
		return answer.Header.Get("Content-Type") + "|" + answer.Header.Get("Ticklane-More"), body
	}
	times := "&from=2026-03-02T01:01:00%2B01:00&to=2026-03-02T00:03:00Z"
	if _, body := get("symbol=EUR/USD" + times); strings.Count(body, `"t":`) != 2 {
		t.Errorf("%s: %s", times, body)
	}
	if _, body := get("symbol=EUR/USD&from=2026-03-02&to=2026-03-03"); strings.Count(body, `"t":`) != 5 {
		t.Errorf("a day: %s", body)
	}
	between := fmt.Sprintf("&from=%d&to=%d", start+minute, start+3*minute)
	epoch := fmt.Sprintf("%x", srv.TickLog.Head().Epoch)

	kind, body := get("symbol=EUR/USD" + between)
	want := fmt.Sprintf(`{"bars":[{"t":%d,"o":1.08346,"h":1.08346,"l":1.08346,"c":1.08346,"v":1.5},{"t":%d,"o":1.08347,"h":1.08347,"l":1.08347,"c":1.08347,"v":1.5}],`+
		`"day":6.0,"epoch":"%s","i":10,"interval":"1m","more":false,"symbol":"EUR/USD"}`, start+minute, start+2*minute, epoch)
	if kind != "application/json|" || body != want || !json.Valid([]byte(body)) {
		t.Errorf("%s\n%s, want\n%s", kind, body, want)
	}

	csv := "time,open,high,low,close,volume\r\n2026-03-02T00:01:00Z,-37.62,-37.62,-37.62,-37.62,1\r\n2026-03-02T00:02:00Z,-37.61,-37.61,-37.61,-37.61,1\r\n"
	for _, c := range []struct {
		format  string
		headers []string
	}{{"&format=csv", nil}, {"", []string{"Accept: text/csv"}}, {"&format=csv", []string{"Accept: application/json"}}} {
		if kind, body := get("symbol=OIL"+between+c.format, c.headers...); kind != "text/csv; charset=utf-8; header=present|false" || body != csv {
			t.Errorf("%+v: %s %q, want %q", c, kind, body, csv)
		}
	}
	if kind, _ := get("symbol=OIL&format=json", "Accept: text/csv"); kind != "application/json|" {
		t.Errorf("format=json is answered with %s", kind)
	}
	if kind, body := get("symbol=OIL&format=csv&limit=1" + between); kind != "text/csv; charset=utf-8; header=present|true" || strings.Count(body, "\n") != 2 {
		t.Errorf("a page of one: %s %q", kind, body)
	}
	answer, _ := srv.Get("/api/history?symbol=EUR/USD&format=csv")
	if at := answer.Header.Get("Ticklane-Position"); at != epoch+"-10" {
		t.Errorf("position %s, want %s-10", at, epoch)
	}
	if name := answer.Header.Get("Content-Disposition"); name != `attachment; filename="EUR_USD-1m.csv"` {
		t.Errorf("file name %s", name)
	}
}
