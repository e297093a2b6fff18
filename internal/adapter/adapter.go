// Package adapter converts public market data to the lines of POST /api/ingest. A Feed knows the messages of one provider; Run
// connects to it, sends the lines to a server, reconnects to either, and logs gaps.
package adapter

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
)

// Feed is a provider's data. Its methods are called by one goroutine at a time.
type Feed interface {
	// Instruments returns the instruments of the symbols, from the provider's API or from what is known of it. An error that
	// wraps ErrRefused is final; others are tried again.
	Instruments(ctx context.Context, c *http.Client) ([]Instrument, error)

	// Address returns the address of the WebSocket.
	Address() string

	// Open returns the messages to send first on a new connection.
	Open() [][]byte

	// Convert adds what a message has to out. An error that wraps ErrRefused ends the feed; after others, which describe a message
	// that can't be read, it goes on with the next one.
	Convert(message []byte, out *Output) error
}

// ErrRefused reports that the provider or the server refuses what is sent, so that trying again would not help.
var ErrRefused = errors.New("refused")

// Instrument is a line of T "instrument" (docs/ingest.md). Decimals and SizeDecimals are 0 to 9.
type Instrument struct {
	Symbol       string   `json:"S"`
	Name         string   `json:"name,omitempty"`
	Sector       string   `json:"sector"` // its group, such as "crypto"
	Decimals     int      `json:"decimals"`
	SizeDecimals int      `json:"size_decimals"`
	Currency     string   `json:"currency,omitempty"`
	Venue        string   `json:"venue,omitempty"`
	Session      *Session `json:"session,omitempty"`
}

// Session is the trading time of an instrument, by the clock of its zone.
type Session struct {
	Zone  string `json:"zone"`
	Open  string `json:"open"`
	Close string `json:"close"`
}

// Symbols splits a list of symbols at its commas, without duplicates.
func Symbols(list string) []string {
	var symbols []string
	for s := range strings.SplitSeq(list, ",") {
		if s = strings.TrimSpace(s); s != "" && !slices.Contains(symbols, s) {
			symbols = append(symbols, s)
		}
	}
	return symbols
}
