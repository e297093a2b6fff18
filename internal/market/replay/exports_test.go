package replay

import (
	"strings"
	"testing"
)

// TestExports replays a small file of each exporter that docs/replay.md and testdata/cases don't show. Volumes are those of the
// day so far.
func TestExports(t *testing.T) {
	for name, c := range map[string]struct{ file, text, symbols, first, rows string }{
		"yfinance, one header line": {"ACME.csv", "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits\n" +
			"2026-03-02 00:00:00-05:00,184.27000427246094,186.10000610351562,183.89999389648438,185.5,1234567,0.0,0.0\n" +
			"2026-03-03 00:00:00-05:00,185.5,187.0,185.0,186.0,2230000,0.25,0.0\n",
			"ACME", "2026-03-02T05:00:00Z", "185.50 1234567, 186.00 2230000"},
		"yfinance, intraday": {"ACME.csv", "Datetime,Open,High,Low,Close,Volume\n" +
			"2026-03-02 09:30:00-05:00,184.27,186.10,183.90,185.50,1000\n2026-03-02 09:31:00-05:00,185.50,185.70,185.40,185.60,500\n",
			"ACME", "2026-03-02T14:30:00Z", "185.50 1000, 185.60 1500"},
		"yfinance, symbols first": {"x.csv", "Ticker,ACME,ACME,ACME,ACME,ACME\nPrice,Open,High,Low,Close,Volume\nDate,,,,,\n2026-03-02,184.27,186.10,183.90,185.50,1000\n",
			"ACME", "2026-03-02T00:00:00Z", "185.50 1000"},
		"yfinance, two header lines": {"ACME.csv", "Price,Close,High,Low,Open,Volume\nDate,,,,,\n2026-03-02,185.50,186.10,183.90,184.27,1000\n",
			"ACME", "2026-03-02T00:00:00Z", "185.50 1000"},
		"yfinance, two symbols named as columns": {"x.csv", ",Close,Close,High,High,Low,Low,Open,Open\n,O,T,O,T,O,T,O,T\nDate,,,,,,,,\n2026-03-02,55.50,20,56,21,54,19,55,20\n",
			"O T", "2026-03-02T00:00:00Z", ""},
		"Binance, seconds": {"X.csv", "open_time,open,high,low,close,volume\n1735689600,1.5,1.6,1.4,1.55,0.00012\n", "X", "2025-01-01T00:00:00Z", "1.55 0.00012"},
		"Binance, python": {"X.csv", "Open time,Open,High,Low,Close,Volume,Close time,Quote asset volume,Number of trades,Taker buy base asset volume,Taker buy quote asset volume,Ignore\n" +
			"1735689600000,1.5,1.6,1.4,1.55,12,1735689659999,18,3,6,9,0\n", "X", "2025-01-01T00:00:00Z", "1.55 12"},
		"Binance, without header, µs": {"DOGEUSDT-1m-2025-01-01.csv", "1735689600000000,0.31600,0.31601,0.31590,0.31600,1000.5,1735689659999999,316.1,3,6.1,1.9,0\n",
			"DOGEUSDT", "2025-01-01T00:00:00Z", "0.31600 1000.5"},
		"Stooq, daily": {"acme_us_d.csv", "Date,Open,High,Low,Close,Volume\n2026-03-02,184.27,186.1,183.9,185.5,1234567\n", "ACME_US_D", "2026-03-02T00:00:00Z", "185.50 1234567"},
		"Stooq, daily of a package": {"acme.us.txt", "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\nACME.US,D,20260302,000000,184.27,186.1,183.9,185.5,1234567,0\n",
			"ACME.US", "2026-03-02T00:00:00Z", "185.50 1234567"},
		"Nasdaq, index": {"NDX.csv", "Date,Close/Last,Volume,Open,High,Low\n03/13/2026,21000.25,--,20900.00,21010.50,20890.75\n", "NDX", "2026-03-13T00:00:00Z", "21000.25 0"},
		"Alpha Vantage, crypto": {"BTC.csv", "timestamp,1a. open (USD),2a. high (USD),3a. low (USD),4a. close (USD),5. volume\n2026-03-02,64000.1,64100.2,63900.3,64050.45,12.5\n",
			"BTC", "2026-03-02T00:00:00Z", "64050.45 12.5"},
		"Alpha Vantage, adjusted": {"daily_adjusted_ACME.csv", "timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient\n2026-03-02,184.27,186.10,183.90,185.50,185.4999,1000,0.0000,1.0\n",
			"ACME", "2026-03-02T00:00:00Z", "185.50 1000"},
		"Polygon, REST": {"ACME.csv", "v,vw,o,c,h,l,t,n\n1000,185.02,184.27,185.50,186.10,183.90,1772461800000,12\n", "ACME", "2026-03-02T14:30:00Z", "185.50 1000"},
		"Polygon, files": {"2026-03-02.csv.gz", "ticker,volume,open,close,high,low,window_start,transactions\nACME,1000,184.27,185.50,186.10,183.90,1772461800000000000,12\n",
			"ACME", "2026-03-02T14:30:00Z", "185.50 1000"},
		"Dukascopy": {"EURUSD.csv", "Gmt time,Open,High,Low,Close,Volume\n02.03.2026 14:30:00.000,1.08345,1.08360,1.08340,1.08351,120.55\n", "EURUSD", "2026-03-02T14:30:00Z", "1.08351 120.55"},
		"HistData":  {"EURUSD.csv", "20260302 143000;1.083450;1.083600;1.083400;1.083510;0\n", "EURUSD", "2026-03-02T14:30:00Z", "1.08351 0"},
		"CryptoDataDownload": {"x.csv", "https://www.cryptodatadownload.example\nunix,date,symbol,open,high,low,close,Volume BTC,Volume USDT,tradecount\n" +
			"1772461800000,2026-03-02 14:30:00,BTC/USDT,64000.1,64100.2,63900.3,64050.45,12.5,800000.1,120\n", "BTC/USDT", "2026-03-02T14:30:00Z", "64050.45 12.5"},
		"CoinGecko":        {"btc.csv", "snapped_at,price,market_cap,total_volume\n2026-03-02 00:00:00 UTC,64000.1234,1.2e12,1000.5\n", "BTC", "2026-03-02T00:00:00Z", "64000.1234/64000.1235 64000.1234 1000.5"},
		"TradingView":      {"ACME.csv", "time,open,high,low,close,Volume\n1772461800,184.27,186.1,183.9,185.5,1000\n", "ACME", "2026-03-02T14:30:00Z", "185.50 1000"},
		"Finnhub, candles": {"ACME.csv", "c,h,l,o,s,t,v\n185.50,186.10,183.90,184.27,ok,1772461800,1000\n", "ACME", "2026-03-02T14:30:00Z", "185.50 1000"},
		"investing.com, currency": {"EUR_USD Historical Data.csv", "\"Date\",\"Price\",\"Open\",\"High\",\"Low\",\"Vol.\",\"Change %\"\n\"03/13/2026\",\"1.0835\",\"1.0834\",\"1.0836\",\"1.0831\",\"\",\"0.01%\"\n",
			"EUR_USD", "2026-03-13T00:00:00Z", "1.0835 0"},
	} {
		change := func(o *Options) {
			switch name {
			case "HistData":
				o.Format.Columns = []string{"time", "open", "high", "low", "close", "volume"}
			case "CryptoDataDownload":
				o.Format.Columns = []string{"Volume BTC=volume"}
			}
		}
		r := replayFile(t, c.file, c.text, change)
		if r.symbols != c.symbols || show(r.scan.first) != c.first || r.rowsOf() != c.rows {
			t.Errorf("%s: %s from %s: %s, want %s", name, r.symbols, show(r.scan.first), r.rowsOf(), c.rows)
		}
	}
}

// TestNeverSilentlyWrong: what looks like a file that can be read, and would give other figures than it has.
func TestNeverSilentlyWrong(t *testing.T) {
	const bar = "184.27,186.10,183.90,185.50"
	for name, c := range map[string]struct{ text, want string }{
		"more decimals than 9":              {"time,price\n2026-03-02,0.1234567891\n", `a.csv:2: price: "0.1234567891": has more than 9 decimals`},
		"an unknown volume":                 {"time,open,high,low,close,Volume USDT\n2026-03-02," + bar + ",5\n", "column Volume USDT isn't used: is it the volume? Set feed.format.columns to 'Volume USDT=volume', or to 'Volume USDT=-'"},
		"the day's volume in bars":          {"time,open,high,low,close,day_volume\n2026-03-02," + bar + ",5\n", "column day_volume isn't used"},
		"v of trades":                       {"t,p,v\n2026-03-02,1,5\n", "column v: the volume of the trade, or of the day so far? Set feed.format.columns to v=volume or v=day_volume"},
		"v and volume":                      {"t,o,h,l,c,v,volume\n2026-03-02," + bar + ",5,5\n", "columns 6 and 7 both mean volume"},
		"s is a size":                       {"t,p,s\n2026-03-02,1,5\n", "column s has numbers only: symbols or sizes?"},
		"a day as a number":                 {"time,price\n20,1\n21,1\n", `a.csv:2: time: "20": as s since 1970 it is 1970-01-01T00:00:20Z, want 1980 to`},
		"hours as a number":                 {"time,price\n2026030214,1\n", "as s since 1970 it is 2034-03-15"},
		"seconds and milliseconds":          {"time,price\n1772461800,1\n1772461801,1\n1772461802000,1\n", `a.csv:4: time: "1772461802000": as s since 1970 it is 58137-`},
		"scientific notation":               {"time,price\n1.77246E+12,1\n", `"1.77246E+12": want a time`},
		"another zone in the header":        {"Time (EET),price\n2026-03-02 14:30,1\n", "no column for time"},
		"two different times":               {"date,timestamp,price\n2026-03-02,2026-03-05,1\n", "columns 1 and 2 both mean time"},
		"two clocks":                        {"date,from,to,price\n2026-03-02,14:30,14:31,1\n", "columns 2 and 3 both mean clock"},
		"an hour that is none":              {"date,hour,price\n2026-03-02,first,1\n2026-03-03,second,1\n", "column hour has no clock such as 14:30"},
		"no clock in a row":                 {"date,time,price\n2026-03-02,14:30,1\n2026-03-02,14:31,1\n2026-03-02,,1\n", "a.csv:4: time: is missing"},
		"a time without date":               {"time,price\n14:30,1\n14:31,1\n", `"14:30": want a time`},
		"a price of 0":                      {"time,price\n2026-03-02,1\n2026-03-03,0\n", "a.csv:3: price: 0: want a price above 0, since A is never traded below"},
		"no quote written as -1":            {"time,bid,ask,last\n2026-03-02 10:00,-1,-1,10\n2026-03-02 10:01,10,11,10\n", "a.csv:2: bid: -1: want a price above 0"},
		"a negative volume":                 {"time,price,volume\n2026-03-02,1,-5\n", `volume: "-5": want 0 or more`},
		"a percentage":                      {"time,price\n2026-03-02,1.19%\n", `price: "1.19%": want a number`},
		"points and commas before decimals": {"time;price\n2026-03-02;1,5\n2026-03-03;1,6\n2026-03-04;1.7\n", `a.csv:4: price: "1.7": want a number such as 1.234,5`},
		"more than 53 bits":                 {"time,price\n2026-03-02 10:00,900000000.5\n2026-03-02 10:01,0.000000001\n", "A has prices above 900000000 and prices with 9 decimals: has more than 53 bits"},
		"sizes of more than 53 bits":        {"time,price,size\n2026-03-02 10:00,1,900000000\n2026-03-02 10:01,1,0.000000001\n", "A has sizes above 900000000 and sizes with 9 decimals"},
		"other columns in a line":           {"time,price,size\n2026-03-02 10:00,1,2,3\n", "4 fields, the header has 3"},
		"column names after rows":           {"2026-03-02,184.27,5\n2026-03-03,184.28,6\ntime,price,size\n2026-03-04,184.29,7\n", "the first line is data and no line has column names"},
		"no column names":                   {"2026-03-02,184.27,186.10,183.90,185.50,5\n", "the first line is data and no line has column names: name the columns with feed.format.columns"},
		"a symbol before the time":          {"EUR/USD,20260302 13:00:00.000,1.08338,1.08340\n", "the first line is data and no line has column names: name the columns with feed.format.columns"},
	} {
		_, err := openSource(t, writeFile(t, "a.csv", strings.ReplaceAll(c.text, "a.csv", "")), nil)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestNegativePrices: a symbol that is traded below 0 may be at 0, and its bid below 0 while its last price isn't.
func TestNegativePrices(t *testing.T) {
	r := replayFile(t, "CL.csv", "time,bid,ask,last\n2026-03-02 10:00,-0.02,0.03,0.01\n2026-03-02 10:01,,0.00,-0.01\n2026-03-02 10:02,,,0\n", nil)
	if got := r.rowsOf(); got != "-0.02/0.03 0.01 0, -0.01/0.00 -0.01 0, 0.00/0.01 0.00 0" || !r.scan.universe.Instrument(0).Negative {
		t.Errorf("%s", got)
	}
	r = replayFile(t, "S.csv", "time,bid,ask\n2026-03-02 10:00,-1.5,-1.25\n", nil) // a spread has no last price
	if got := r.rowsOf(); got != "-1.50/-1.25 -1.37 0" {
		t.Errorf("%s", got)
	}
}

// TestSettings: each setting decides what the file leaves open.
func TestSettings(t *testing.T) {
	for name, c := range map[string]struct {
		format     Format
		text, rows string
	}{
		"delimiter":             {Format{Delimiter: "pipe"}, "time|price\n2026-03-02 10:00|1;5\n", "error"},
		"decimal":               {Format{Decimal: "comma"}, "time;price\n2026-03-02;1,355\n", "1.355/1.356 1.355 0"},
		"thousands":             {Format{Thousands: "comma"}, "time;price\n2026-03-02;1,355\n", "1355.00/1355.01 1355.00 0"},
		"space":                 {Format{Thousands: "space"}, "time;price\n2026-03-02;1 355.5\n", "1355.50/1355.51 1355.50 0"},
		"symbol":                {Format{Symbol: "EUR/USD"}, "time,symbol,price\n2026-03-02,x y,1.5\n", "1.50/1.51 1.50 0"},
		"name":                  {Format{Columns: []string{"Session=time", "Settle = close"}}, "Session,Settle,close,Volume\n2026-03-02,1.5,7,3\n", "error"},
		"names":                 {Format{Columns: []string{"Session=time", "Settle=close", "close=-"}}, "Session,Settle,close,Volume\n2026-03-02,1.5,7,3\n", "1.50/1.51 1.50 3"},
		"no volume":             {Format{Columns: []string{"Turnover vol.=-"}}, "time,price,Turnover Vol.\n2026-03-02,1.5,3\n", "1.50/1.51 1.50 0"},
		"positions":             {Format{Columns: []string{"time", "-", "last", "volume"}}, "2026-03-02,x,1.5,3\n", "1.50/1.51 1.50 3"},
		"positions with header": {Format{Columns: []string{"time", "-", "last", "volume"}}, "open,high,low,close\n2026-03-02,x,1.5,3\n", "1.50/1.51 1.50 3"},
		"clock":                 {Format{Columns: []string{"Bar=clock"}}, "date,Bar,price\n2026-03-02,1430,1.5\n2026-03-02,1431,1.6\n", "1.50/1.51 1.50 0, 1.60/1.61 1.60 0"},
		"too many":              {Format{Columns: []string{"time", "last"}}, "2026-03-02,x,1.5,3\n", "error"},
		"v":                     {Format{Columns: []string{"v=volume"}}, "t,p,v\n2026-03-02 10:00,1,5\n2026-03-02 10:01,1,6\n", "1.00/1.01 1.00 5, 1.00/1.01 1.00 11"},
		"v, the day":            {Format{Columns: []string{"v=day_volume"}}, "t,p,v\n2026-03-02 10:00,1,5\n2026-03-02 10:01,1,6\n", "1.00/1.01 1.00 5, 1.00/1.01 1.00 6"},
	} {
		s, err := openSource(t, writeFile(t, "a.csv", c.text), func(o *Options) { o.Format = c.format })
		if c.rows == "error" {
			if err == nil {
				t.Errorf("%s: no error", name)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		r := replayed{scan: s.scan, bars: s.scan.layout.bars, ticks: replayAll(t, s)}
		if r.rowsOf() != c.rows {
			t.Errorf("%s: %s, want %s", name, r.rowsOf(), c.rows)
		}
	}
	r := replayFile(t, "a.csv", "time,price\n2026-03-02 09:30,1\n", func(o *Options) { o.Format.Zone = "America/New_York" })
	if show(r.scan.first) != "2026-03-02T14:30:00Z" {
		t.Errorf("zone: %s", show(r.scan.first))
	}
	for want, f := range map[string]Format{
		`feed.format.delimiter: "x": want auto, comma, pipe, semicolon, tab`: {Delimiter: "x"}, `feed.format.date: "x"`: {Date: "x"}, `feed.format.zone: "x"`: {Zone: "x"},
		`feed.format.symbol: "x y"`: {Symbol: "x y"}, `feed.format.columns: "x": want one of ask, ask_size`: {Columns: []string{"x"}},
		`feed.format.columns: "a=x"`: {Columns: []string{"a=x"}}, "want either all columns in order": {Columns: []string{"a=time", "last"}},
	} {
		if _, err := openSource(t, writeFile(t, "a.csv", twoTicks), func(o *Options) { o.Format = f }); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
