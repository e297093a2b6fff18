package wire

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"testing"
	"time"

	"ticklane/internal/quote"
)

var update = flag.Bool("update", false, "write the fixture of the browser's tests")

// TestBrowserFixture compares web/test/testdata/protobuf.json, the fixture of the browser's decoder, with this encoder.
func TestBrowserFixture(t *testing.T) {
	const file = "../../web/test/testdata/protobuf.json"
	type pair struct {
		JSON  string `json:"json"`
		Proto string `json:"protobuf"` // hex
	}
	var pairs []pair
	ticks := []quote.Tick{plain, {}, {Bid: 1, Ask: 3, Last: -7, BidSize: -1, AskSize: 1<<31 - 1, Volume: 1 << 52, Due: 1<<53 - 1, N: 1<<53 - 1, Seq: 1 << 40, High: 1 << 40}}
	for _, bid := range []quote.Price{9, 10, 1999, 58, 110, 123456789, 1<<45 + 1} { // sums that floating point rounds
		ticks = append(ticks, quote.Tick{Bid: bid, Ask: bid + 1, Last: bid - 1, Open: bid + 7, High: bid + 19, Low: bid - 13, PrevClose: bid, N: 1, Seq: 2})
	}
	snap := Snapshot{At: quote.Position{Epoch: 1, Seq: 482913}}
	for i := range ticks {
		pairs = append(pairs, pair{string(AppendQuote(nil, instrument("BRK.B"), &ticks[i])), hex.EncodeToString(appendProtoTick(nil, instrument("BRK.B"), &ticks[i]))})
		snap.Quotes = append(snap.Quotes, DayQuote{instrument("AAPL"), &ticks[i]})
	}
	scaled := scaledTicks()
	for i := range scaled {
		snap.Quotes = append(snap.Quotes, DayQuote{scaled[i].in, &scaled[i].tick})
	}
	all := append(messages("Zoë – \"quoted\"", 1753100000123456), messages("", 1)...)
	all = append(all, snap.Message(), Subscription{At: snap.At}.Message(), Time(time.UnixMicro(1), time.UnixMicro(2), nil), Bye(ByeLimit, 0),
		(&CommandError{Code: CodeRate, Msg: "slow down"}).Message(), Heartbeat(quote.Position{Epoch: 1}, time.UnixMicro(0)),
		statusMessage(instrument("AAPL"), &plain, &quote.Status{State: quote.StateHalted, Reason: "news"}),
		tradeMessage(instrument("AAPL"), &plain, &quote.Trade{Price: 18427, Size: 100}))
	for _, m := range all {
		pairs = append(pairs, pair{string(m.JSON()), hex.EncodeToString(m.body.appendProto(nil))})
	}
	first := scaledTicks()[0]
	first.in.Symbol, first.tick.N = "NEW", 1 // no snapshot had its decimals
	trade := tradeMessage(first.in, &first.tick, &quote.Trade{Price: first.tick.Last, Size: 12345, ID: "a1", Conditions: []string{"@", "T"}, Venue: "V", Corrects: "a0", Cancels: "x"})
	pairs = append(pairs, pair{string(trade.JSON()), hex.EncodeToString(trade.body.appendProto(nil))})
	for _, q := range scaled { // after the snapshot, from which a decoder knows their decimals
		pairs = append(pairs, pair{string(AppendQuote(nil, q.in, &q.tick)), hex.EncodeToString(appendProtoTick(nil, q.in, &q.tick))})
	}
	want, err := json.MarshalIndent(pairs, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != string(want) {
		t.Errorf("%s differs from the encoder's output; if that is intended: go test ./internal/wire -run BrowserFixture -update (%v)", file, err)
	}
}
