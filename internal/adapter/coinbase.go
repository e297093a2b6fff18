package adapter

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Coinbase is the channel ticker of Coinbase Exchange: each match with the best bid and ask after it.
type Coinbase struct {
	Products []string // "BTC-USD"
	REST     string   // address of the API; empty for Coinbase's own
}

// Instruments reads the decimals of prices and sizes from the products.
func (b *Coinbase) Instruments(ctx context.Context, c *http.Client) ([]Instrument, error) {
	var list []Instrument
	for _, id := range b.Products {
		var p struct {
			Name           string `json:"display_name"`
			Quote          string `json:"quote_currency"`
			QuoteIncrement string `json:"quote_increment"`
			BaseIncrement  string `json:"base_increment"`
		}
		if err := getJSON(ctx, c, or(b.REST, "https://api.exchange.coinbase.com")+"/products/"+url.PathEscape(id), &p); err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
		in := Instrument{Symbol: id, Name: p.Name, Sector: "crypto", Currency: p.Quote, Venue: "Coinbase"}
		var err error
		if in.Decimals, err = decimals(p.QuoteIncrement); err != nil {
			return nil, fmt.Errorf("%s: quote_increment: %w", id, err)
		}
		if in.SizeDecimals, err = decimals(p.BaseIncrement); err != nil {
			return nil, fmt.Errorf("%s: base_increment: %w", id, err)
		}
		list = append(list, in)
	}
	return list, nil
}

// Address returns the address of the feed.
func (b *Coinbase) Address() string { return "wss://ws-feed.exchange.coinbase.com" }

// Open returns the subscription.
func (b *Coinbase) Open() [][]byte {
	return [][]byte{marshal(map[string]any{"type": "subscribe", "product_ids": b.Products, "channels": []string{"ticker"}})}
}

// Convert converts a ticker to a trade and a quote.
func (b *Coinbase) Convert(message []byte, out *Output) error {
	var m struct {
		Type     string    `json:"type"`
		Product  string    `json:"product_id"`
		Sequence uint64    `json:"sequence"`
		Price    string    `json:"price"`
		Size     string    `json:"last_size"`
		Trade    uint64    `json:"trade_id"`
		Bid      string    `json:"best_bid"`
		BidSize  string    `json:"best_bid_size"`
		Ask      string    `json:"best_ask"`
		AskSize  string    `json:"best_ask_size"`
		Time     time.Time `json:"time"`
		Message  string    `json:"message"`
		Reason   string    `json:"reason"`
	}
	if err := json.Unmarshal(message, &m); err != nil {
		return err
	}
	switch m.Type {
	case "error":
		return fmt.Errorf("%w by Coinbase: %s: %s", ErrRefused, m.Message, m.Reason)
	case "ticker":
		out.Seq(m.Product, m.Sequence, false) // it counts the messages of all channels
		if m.Size != "" {                     // the first one after a subscription may have none
			if err := out.Trade(Trade{Symbol: m.Product, Price: m.Price, Size: m.Size, ID: strconv.FormatUint(m.Trade, 10), Time: m.Time}); err != nil {
				return err
			}
		}
		return out.Quote(Quote{Symbol: m.Product, Bid: m.Bid, Ask: m.Ask, BidSize: m.BidSize, AskSize: m.AskSize, Last: m.Price, Time: m.Time})
	}
	return nil // subscriptions, heartbeat
}
