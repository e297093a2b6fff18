package adapter

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Binance is the spot market of Binance: best bid and ask (bookTicker) and trades.
type Binance struct {
	Names []string         // "BTCUSDT"
	REST  string           // address of the API; empty for Binance's own
	Now   func() time.Time // time.Now if nil
}

// Instruments reads the decimals of prices and sizes from the exchange's rules.
func (b *Binance) Instruments(ctx context.Context, c *http.Client) ([]Instrument, error) {
	names, err := json.Marshal(b.Names)
	if err != nil {
		return nil, err
	}
	var info struct {
		Symbols []struct {
			Symbol  string `json:"symbol"`
			Base    string `json:"baseAsset"`
			Quote   string `json:"quoteAsset"`
			Filters []struct {
				Type     string `json:"filterType"`
				TickSize string `json:"tickSize"`
				StepSize string `json:"stepSize"`
			} `json:"filters"`
		} `json:"symbols"`
	}
	if err := getJSON(ctx, c, or(b.REST, "https://api.binance.com")+"/api/v3/exchangeInfo?symbols="+url.QueryEscape(string(names)), &info); err != nil {
		return nil, err
	}
	var list []Instrument
	for _, s := range info.Symbols {
		in := Instrument{Symbol: s.Symbol, Name: s.Base + " / " + s.Quote, Sector: "crypto", Currency: s.Quote, Venue: "Binance"}
		for _, f := range s.Filters {
			switch f.Type {
			case "PRICE_FILTER":
				in.Decimals, err = decimals(f.TickSize)
			case "LOT_SIZE":
				in.SizeDecimals, err = decimals(f.StepSize)
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", s.Symbol, f.Type, err)
			}
		}
		list = append(list, in)
	}
	return list, nil
}

// Address returns the address of a stream with both channels of every symbol.
func (b *Binance) Address() string {
	var streams []string
	for _, s := range b.Names {
		s = strings.ToLower(s)
		streams = append(streams, s+"@bookTicker", s+"@trade")
	}
	return "wss://stream.binance.com:9443/stream?streams=" + strings.Join(streams, "/")
}

// Open returns nothing: the address has the streams.
func (b *Binance) Open() [][]byte { return nil }

// Convert converts a bookTicker, which has no time and gets that of its arrival, or a trade.
func (b *Binance) Convert(message []byte, out *Output) error {
	var m struct {
		Stream string          `json:"stream"`
		Data   json.RawMessage `json:"data"`
		Error  *struct {
			Message string `json:"msg"`
		} `json:"error"`
	}
	if err := json.Unmarshal(message, &m); err != nil {
		return err
	}
	if m.Error != nil {
		return fmt.Errorf("%w by Binance: %s", ErrRefused, m.Error.Message)
	}
	switch _, channel, _ := strings.Cut(m.Stream, "@"); channel {
	case "bookTicker":
		return b.book(m.Data, out)
	case "trade":
		return binanceTrade(m.Data, out)
	}
	return nil // an answer, or a stream that was not requested
}

func (b *Binance) book(data []byte, out *Output) error {
	var m struct {
		Symbol  string `json:"s"`
		Bid     string `json:"b"`
		BidSize string `json:"B"`
		Ask     string `json:"a"`
		AskSize string `json:"A"`
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return err
	}
	now := time.Now
	if b.Now != nil {
		now = b.Now
	}
	return out.Quote(Quote{Symbol: m.Symbol, Bid: m.Bid, Ask: m.Ask, BidSize: m.BidSize, AskSize: m.AskSize, Time: now()})
}

func binanceTrade(data []byte, out *Output) error {
	var m struct {
		Symbol   string `json:"s"`
		ID       uint64 `json:"t"`
		Price    string `json:"p"`
		Quantity string `json:"q"`
		Time     int64  `json:"T"` // ms
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return err
	}
	out.Seq(m.Symbol, m.ID, true)
	return out.Trade(Trade{Symbol: m.Symbol, Price: m.Price, Size: m.Quantity, ID: strconv.FormatUint(m.ID, 10), Time: time.UnixMilli(m.Time)})
}
