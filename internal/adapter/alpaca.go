package adapter

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Alpaca is the stock feed of Alpaca: quotes and trades, or bars of a minute.
type Alpaca struct {
	Names       []string // "AAPL"
	Key, Secret string
	Bars        bool // instead of quotes and trades
}

// Instruments returns shares with the four decimals that prices in the USA may have.
func (a *Alpaca) Instruments(context.Context, *http.Client) ([]Instrument, error) {
	var list []Instrument
	for _, s := range a.Names {
		list = append(list, Instrument{
			Symbol: s, Sector: "stocks", Decimals: 4, Currency: "USD", Venue: "Alpaca",
			Session: &Session{Zone: "America/New_York", Open: "04:00", Close: "20:00"},
		})
	}
	return list, nil
}

// Address returns the address of the free feed, which has the trades of one exchange.
func (a *Alpaca) Address() string { return "wss://stream.data.alpaca.markets/v2/iex" }

// Open returns the authentication. The subscription follows when it is confirmed.
func (a *Alpaca) Open() [][]byte {
	return [][]byte{marshal(map[string]string{"action": "auth", "key": a.Key, "secret": a.Secret})}
}

func (a *Alpaca) subscription() []byte {
	if a.Bars {
		return marshal(map[string]any{"action": "subscribe", "bars": a.Names})
	}
	return marshal(map[string]any{"action": "subscribe", "quotes": a.Names, "trades": a.Names})
}

// alpacaMessage is a quote (q), a trade (t), a bar (b) or an answer (success, error, subscription).
type alpacaMessage struct {
	Type       string      `json:"T"`
	Symbol     string      `json:"S"`
	Bid        json.Number `json:"bp"`
	BidSize    json.Number `json:"bs"`
	Ask        json.Number `json:"ap"`
	AskSize    json.Number `json:"as"`
	ID         uint64      `json:"i"`
	Exchange   string      `json:"x"`
	Price      json.Number `json:"p"`
	Size       json.Number `json:"s"`
	Conditions []string    `json:"c"`
	Time       time.Time   `json:"t"`
	Code       int         `json:"code"`
	Message    string      `json:"msg"`
}

// alpacaBar is a bar, whose c is another type than that of a trade.
type alpacaBar struct {
	Type   string      `json:"T"`
	Symbol string      `json:"S"`
	Start  time.Time   `json:"t"`
	Open   json.Number `json:"o"`
	High   json.Number `json:"h"`
	Low    json.Number `json:"l"`
	Close  json.Number `json:"c"`
	Volume json.Number `json:"v"`
}

// Convert converts the messages of an array.
func (a *Alpaca) Convert(message []byte, out *Output) error {
	var list []json.RawMessage
	if err := json.Unmarshal(message, &list); err != nil {
		return err
	}
	for _, text := range list {
		if err := a.convert(text, out); err != nil {
			return err
		}
	}
	return nil
}

func (a *Alpaca) convert(text []byte, out *Output) error {
	var kind struct {
		Type string          `json:"T"`
		Time json.RawMessage `json:"t"` // which encoding/json would take for T
	}
	if err := json.Unmarshal(text, &kind); err != nil {
		return err
	}
	if kind.Type == "b" {
		var b alpacaBar
		if err := json.Unmarshal(text, &b); err != nil {
			return err
		}
		return b.convert(out)
	}
	var m alpacaMessage
	if err := json.Unmarshal(text, &m); err != nil {
		return err
	}
	switch m.Type {
	case "success":
		if m.Message == "authenticated" {
			out.Reply(a.subscription())
		}
	case "error":
		if m.Code == 406 { // too many connections: the one before may still be open
			return fmt.Errorf("Alpaca: %s", m.Message)
		}
		return fmt.Errorf("%w by Alpaca: %s (code %d)", ErrRefused, m.Message, m.Code)
	case "q":
		return out.Quote(Quote{Symbol: m.Symbol, Bid: string(m.Bid), Ask: string(m.Ask), BidSize: string(m.BidSize), AskSize: string(m.AskSize), Time: m.Time})
	case "t":
		return out.Trade(Trade{Symbol: m.Symbol, Price: string(m.Price), Size: string(m.Size), ID: strconv.FormatUint(m.ID, 10), Venue: m.Exchange, Conditions: m.Conditions, Time: m.Time})
	}
	return nil
}

// convert makes four ticks of a bar, a quarter of a minute apart, as a replay does. The last one has the volume.
func (b *alpacaBar) convert(out *Output) error {
	const quarter = time.Minute / 4
	prices := [...]json.Number{b.Open, b.High, b.Low}
	if open, err := b.Open.Float64(); err == nil {
		if last, err := b.Close.Float64(); err == nil && last >= open {
			prices = [...]json.Number{b.Open, b.Low, b.High}
		}
	}
	for k, p := range prices {
		if err := out.Trade(Trade{Symbol: b.Symbol, Price: string(p), Time: b.Start.Add(time.Duration(k) * quarter)}); err != nil {
			return err
		}
	}
	return out.Trade(Trade{Symbol: b.Symbol, Price: string(b.Close), Size: string(b.Volume), Time: b.Start.Add(3 * quarter)})
}
