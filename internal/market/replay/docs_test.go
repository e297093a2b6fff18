package replay

import (
	"os"
	"strings"
	"testing"
)

const docs = "../../../docs/replay.md"

// TestDocumentedFiles reads the examples of docs/replay.md, each named by the file that it is.
func TestDocumentedFiles(t *testing.T) {
	text, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		symbols string
		form    string
		rows    int
		bars    bool
		figures string // decimals of prices and of sizes, and the last price of the first symbol
	}{
		{"AAPL MSFT", "", 2, false, "2 0 230.74"},
		{"ACME", "", 2, true, "2 0 186.00"},
		{"ACME BETA", "", 3, true, "2 0 186.00"},
		{"BTCUSDT", "Binance klines without header", 2, true, "3 5 64170.100"},
		{"EURUSD", "", 2, true, "5 0 1.08331"},
		{"AUDJPY", "MetaTrader 4 without header", 2, true, "3 0 77.711"},
		{"ACME.US", "", 2, true, "2 0 185.60"},
		{"ACME", "", 2, true, "2 0 186.00"},
		{"ACME", "", 2, true, "2 0 186.00"},
		{"ACME", "", 2, true, "2 0 185.60"},
		{"BINANCE:BTCUSDT", "", 2, false, "3 4 64123.510"},
		{"ACME", "", 2, true, "2 0 1355.90"},
		{"EURUSD", "", 2, true, "5 2 1.08338"},
		{"FX_EURUSD", "", 2, true, "5 0 1.08070"},
		{"ACME", "", 2, true, "2 0 186.00"},
	}
	examples := strings.Split(string(text), "```csv ")[1:]
	if len(examples) != len(want) {
		t.Fatalf("%d examples, want %d", len(examples), len(want))
	}
	for i, w := range want {
		example, _, _ := strings.Cut(examples[i], "```")
		name, content, _ := strings.Cut(example, "\n")
		got := replayFile(t, name, content, nil)
		if got.symbols != w.symbols || got.form != w.form || got.rows != w.rows || got.bars != w.bars || got.figures() != w.figures {
			t.Errorf("%s: %s %q %d rows, bars %t, %s; want %+v", name, got.symbols, got.form, got.rows, got.bars, got.figures(), w)
		}
	}
}

// TestDocumentedColumns finds the names of all columns in docs/replay.md.
func TestDocumentedColumns(t *testing.T) {
	text, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	for _, names := range synonyms {
		for _, name := range names {
			if !strings.Contains(string(text), "`"+name+"`") {
				t.Errorf("%s doesn't have the column %s", docs, name)
			}
		}
	}
}
