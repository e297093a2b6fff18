package market

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"fmt"
	"hash/fnv"
	"math"
	"strconv"

	"ticklane/internal/quote"
)

// symbolsCSV lists well-known US symbols with plausible rounded figures. The sectors alternate, so that the first few symbols
// cover all of them.
//
//go:embed symbols.csv
var symbolsCSV []byte

// decimals are those of the simulated prices, which are in cents.
const decimals = 2

// WellKnown returns the embedded symbols, in the order of the file.
func WellKnown() []quote.Instrument {
	records, err := csv.NewReader(bytes.NewReader(symbolsCSV)).ReadAll()
	if err != nil {
		panic(fmt.Sprintf("market: symbols.csv: %v", err)) // the file is embedded, so this is a bug
	}
	symbols := make([]quote.Instrument, 0, len(records))
	for _, r := range records[1:] {
		symbols = append(symbols, quote.Instrument{
			Symbol: r[0], Name: r[1], Sector: r[2], Decimals: decimals,
			Price: quote.Price(math.Round(number(r[3]) * 100)), Volatility: number(r[4]), Value: number(r[5]),
		})
	}
	return symbols
}

func number(s string) float64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		panic(fmt.Sprintf("market: symbols.csv: %v", err))
	}
	return f
}

// Version identifies the instruments of a market with n symbols, which another version of this program may not have.
func Version(n int) (string, error) {
	u, err := universe(n)
	if err != nil {
		return "", err
	}
	hash := fnv.New64a()
	for _, in := range u.Instruments() {
		fmt.Fprintln(hash, in.Symbol, in.Name, in.Sector, in.Decimals)
	}
	return strconv.FormatUint(hash.Sum64(), 16), nil
}

// universe returns the first n well-known symbols, followed by generated ones if n is larger.
func universe(n int) (*quote.Universe, error) {
	symbols := WellKnown()
	known, err := quote.NewUniverse(symbols)
	if err != nil {
		return nil, err
	}
	sectors := known.Sectors()
	for i := len(symbols); i < n; i++ {
		symbols = append(symbols, generatedSymbol(i+1, sectors[i%len(sectors)]))
	}
	return quote.NewUniverse(symbols[:n])
}

// generatedSymbol returns the symbol with a number. It depends on the number alone, so that a symbol has the same properties
// in every market.
func generatedSymbol(number int, sector string) quote.Instrument {
	r := stream(uint64(number), 0)
	return quote.Instrument{
		Symbol:     fmt.Sprintf("SIM%04d", number),
		Name:       fmt.Sprintf("Simulated %d", number),
		Sector:     sector,
		Decimals:   decimals,
		Price:      quote.Price(math.Round(20*math.Pow(20, r.Float64()))) * 100, // $20 to $400
		Volatility: math.Round((0.012+0.012*r.Float64())*1e4) / 1e4,
		Value:      math.Round(math.Pow(200, r.Float64())), // $1bn to $200bn
	}
}
