package adapter

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"
)

// convert returns the lines of messages, each with its closing brace.
func convert(t *testing.T, f Feed, messages ...string) (lines []string, out Output) {
	t.Helper()
	for _, m := range messages {
		if err := f.Convert([]byte(m), &out); err != nil {
			t.Fatalf("%s: %v", m, err)
		}
	}
	for _, l := range out.lines {
		lines = append(lines, string(l)+"}")
	}
	return lines, out
}

func equal(t *testing.T, got, want []string) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("lines:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestBinance(t *testing.T) {
	f := &Binance{Names: []string{"BNBUSDT", "ETHUSDT"}, Now: func() time.Time { return time.UnixMicro(1_793_021_400_000_000) }}
	if got, want := f.Address(), "wss://stream.binance.com:9443/stream?streams=bnbusdt@bookTicker/bnbusdt@trade/ethusdt@bookTicker/ethusdt@trade"; got != want {
		t.Errorf("address %s, want %s", got, want)
	}
	lines, out := convert(t, f,
		`{"stream":"bnbusdt@bookTicker","data":{"u":400900217,"s":"BNBUSDT","b":"25.35190000","B":"31.21000000","a":"25.36520000","A":"40.66000000"}}`,
		`{"stream":"bnbusdt@trade","data":{"e":"trade","E":1672515782136,"s":"BNBUSDT","t":12345,"p":"25.36000000","q":"0.10000000","b":88,"a":50,"T":1672515782134,"m":true,"M":true}}`,
		`{"result":null,"id":1}`,
	)
	equal(t, lines, []string{
		`{"T":"q","S":"BNBUSDT","bp":25.3519,"ap":25.3652,"bs":31.21,"as":40.66,"t":1793021400000000}`,
		`{"T":"trade","S":"BNBUSDT","p":25.36,"s":0.1,"id":"12345","t":1672515782134000}`,
	})
	if want := []seq{{"BNBUSDT", 12345, true}}; !reflect.DeepEqual(out.seqs, want) {
		t.Errorf("numbers %v, want %v", out.seqs, want)
	}
	refuses(t, f, `{"error":{"code":2,"msg":"Invalid request"},"id":1}`)
	fails(t, f, `{"stream":"x@trade","data":{"s":"X","p":"12,5","q":"1"}}`, `p: "12,5"`)
}

func TestCoinbase(t *testing.T) {
	f := &Coinbase{Products: []string{"ETH-USD"}}
	if got, want := string(f.Open()[0]), `{"channels":["ticker"],"product_ids":["ETH-USD"],"type":"subscribe"}`; got != want {
		t.Errorf("subscription %s, want %s", got, want)
	}
	lines, out := convert(t, f,
		`{"type":"subscriptions","channels":[{"name":"ticker","product_ids":["ETH-USD"]}]}`,
		`{"type":"ticker","sequence":37475248783,"product_id":"ETH-USD","price":"1285.22","open_24h":"1310.79","volume_24h":"245532.79269678","low_24h":"1280.52",
			"high_24h":"1313.8","volume_30d":"9788783.60117027","best_bid":"1285.04","best_bid_size":"0.46688654","best_ask":"1285.27","best_ask_size":"1.56637040",
			"side":"buy","time":"2022-10-19T23:28:22.061769Z","trade_id":370843401,"last_size":"11.4396987"}`,
	)
	equal(t, lines, []string{
		`{"T":"trade","S":"ETH-USD","p":1285.22,"s":11.4396987,"id":"370843401","t":1666222102061769}`,
		`{"T":"q","S":"ETH-USD","bp":1285.04,"ap":1285.27,"bs":0.46688654,"as":1.5663704,"p":1285.22,"t":1666222102061769}`,
	})
	if want := []seq{{"ETH-USD", 37475248783, false}}; !reflect.DeepEqual(out.seqs, want) {
		t.Errorf("numbers %v, want %v", out.seqs, want)
	}
	refuses(t, f, `{"type":"error","message":"Failed to subscribe","reason":"XX-USD is not a valid product"}`)
}

func TestAlpaca(t *testing.T) {
	f := &Alpaca{Names: []string{"AMD", "AAPL"}, Key: "k", Secret: "s"}
	if got, want := string(f.Open()[0]), `{"action":"auth","key":"k","secret":"s"}`; got != want {
		t.Errorf("first message %s, want %s", got, want)
	}
	lines, out := convert(t, f,
		`[{"T":"success","msg":"connected"}]`, `[{"T":"success","msg":"authenticated"}]`, `[{"T":"subscription","trades":["AMD"],"quotes":["AMD"],"bars":[]}]`,
		`[{"T":"q","S":"AMD","bx":"U","bp":87.66,"bs":1,"ax":"Q","ap":87.68,"as":4,"c":["R"],"t":"2021-02-22T15:51:45.335689322Z","z":"C"},
		  {"T":"t","i":96921,"S":"AAPL","x":"D","p":126.55,"s":1,"t":"2021-02-22T15:51:44.208Z","c":["@","I"],"z":"C"}]`,
	)
	equal(t, lines, []string{
		`{"T":"q","S":"AMD","bp":87.66,"ap":87.68,"bs":1,"as":4,"t":1614009105335689}`,
		`{"T":"trade","S":"AAPL","p":126.55,"s":1,"id":"96921","x":"D","c":["@","I"],"t":1614009104208000}`,
	})
	if len(out.replies) != 1 || string(out.replies[0]) != `{"action":"subscribe","quotes":["AMD","AAPL"],"trades":["AMD","AAPL"]}` {
		t.Errorf("replies %s, want the subscription", out.replies)
	}
	refuses(t, f, `[{"T":"error","code":402,"msg":"auth failed"}]`)
	fails(t, f, `[{"T":"error","code":406,"msg":"connection limit exceeded"}]`, "connection limit exceeded")
}

func TestAlpacaBars(t *testing.T) {
	f := &Alpaca{Names: []string{"SPY"}, Bars: true}
	bar := `[{"T":"b","S":"SPY","o":388.985,"h":389.13,"l":388.975,"c":389.12,"v":49378,"n":461,"vw":389.062639,"t":"2021-02-22T19:15:00Z"}]`
	lines, _ := convert(t, f, bar)
	equal(t, lines, []string{
		`{"T":"trade","S":"SPY","p":388.985,"t":1614021300000000}`, `{"T":"trade","S":"SPY","p":388.975,"t":1614021315000000}`,
		`{"T":"trade","S":"SPY","p":389.13,"t":1614021330000000}`, `{"T":"trade","S":"SPY","p":389.12,"s":49378,"t":1614021345000000}`,
	})
	falling, _ := convert(t, f, strings.Replace(bar, `"c":389.12`, `"c":388.98`, 1))
	if !strings.Contains(falling[1], "389.13") || !strings.Contains(falling[2], "388.975") {
		t.Errorf("a falling bar %q, want its high before its low", falling)
	}
	_, out := convert(t, f, `[{"T":"success","msg":"authenticated"}]`)
	if got := string(out.replies[0]); got != `{"action":"subscribe","bars":["SPY"]}` {
		t.Errorf("subscription %s, want bars only", got)
	}
}

func refuses(t *testing.T, f Feed, message string) {
	t.Helper()
	if err := f.Convert([]byte(message), &Output{}); !errors.Is(err, ErrRefused) {
		t.Errorf("%s: %v, want ErrRefused", message, err)
	}
}

func fails(t *testing.T, f Feed, message, text string) {
	t.Helper()
	if err := f.Convert([]byte(message), &Output{}); err == nil || errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), text) {
		t.Errorf("%s: %v, want another try, and %s", message, err, text)
	}
}

func TestMalformedMessages(t *testing.T) {
	for _, f := range []Feed{&Binance{}, &Coinbase{}, &Alpaca{}} {
		for _, m := range []string{"", "{", "7", `"x"`, `{"stream":"a@trade","data":{"t":"x"}}`, `{"type":"ticker","time":"noon"}`, `[{"T":"t","p":{}}]`, `[7]`} {
			if err := f.Convert([]byte(m), &Output{}); errors.Is(err, ErrRefused) {
				t.Errorf("%T: %s: %v, want the feed to go on", f, m, err)
			}
		}
	}
}

func FuzzConvert(f *testing.F) {
	f.Add(`{"stream":"a@trade","data":{"s":"A","t":1,"p":"1","q":"2","T":5}}`)
	f.Add(`{"type":"ticker","product_id":"A","price":"1","last_size":"2","time":"2022-10-19T23:28:22Z"}`)
	f.Add(`[{"T":"b","S":"A","o":1,"h":2,"l":1,"c":2,"v":3,"t":"2022-10-19T23:28:22Z"}]`)
	f.Fuzz(func(t *testing.T, m string) {
		for _, feed := range []Feed{&Binance{}, &Coinbase{}, &Alpaca{}} {
			var out Output
			if feed.Convert([]byte(m), &out) != nil {
				continue
			}
			for _, l := range out.lines {
				if text := string(l) + "}"; !validJSON(text) {
					t.Errorf("%T: %q is no JSON", feed, text)
				}
			}
		}
	})
}

func TestInstruments(t *testing.T) {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.String() {
		case "/api/v3/exchangeInfo?symbols=%5B%22ETHBTC%22%5D":
			w.Write([]byte(`{"timezone":"UTC","symbols":[{"symbol":"ETHBTC","status":"TRADING","baseAsset":"ETH","quoteAsset":"BTC","filters":[
				{"filterType":"PRICE_FILTER","minPrice":"0.00001000","maxPrice":"922327.00000000","tickSize":"0.00001000"},
				{"filterType":"LOT_SIZE","minQty":"0.00010000","maxQty":"100000.00000000","stepSize":"0.00010000"},{"filterType":"NOTIONAL"}]}]}`))
		case "/products/BTC-USD":
			w.Write([]byte(`{"id":"BTC-USD","base_currency":"BTC","quote_currency":"USD","quote_increment":"0.01","base_increment":"0.00000001","display_name":"BTC-USD"}`))
		case "/products/BUSY":
			w.WriteHeader(http.StatusTooManyRequests)
		default:
			w.WriteHeader(http.StatusNotFound)
			w.Write([]byte(`{"message":"NotFound"}`))
		}
	}))
	defer api.Close()
	defer api.Client().CloseIdleConnections()
	ctx := context.Background()
	for _, is := range []struct {
		feed Feed
		want Instrument
	}{
		{&Binance{Names: []string{"ETHBTC"}, REST: api.URL}, Instrument{Symbol: "ETHBTC", Name: "ETH / BTC", Sector: "crypto", Decimals: 5, SizeDecimals: 4, Currency: "BTC", Venue: "Binance"}},
		{&Coinbase{Products: []string{"BTC-USD"}, REST: api.URL + "/"}, Instrument{Symbol: "BTC-USD", Name: "BTC-USD", Sector: "crypto", Decimals: 2, SizeDecimals: 8, Currency: "USD", Venue: "Coinbase"}},
		{&Alpaca{Names: []string{"AAPL"}}, Instrument{Symbol: "AAPL", Sector: "stocks", Decimals: 4, Currency: "USD", Venue: "Alpaca", Session: &Session{"America/New_York", "04:00", "20:00"}}},
	} {
		got, err := is.feed.Instruments(ctx, api.Client())
		if err != nil || !reflect.DeepEqual(got, []Instrument{is.want}) {
			t.Errorf("%T: %+v, %v; want %+v", is.feed, got, err, is.want)
		}
	}
	if _, err := (&Coinbase{Products: []string{"NO-SUCH"}, REST: api.URL}).Instruments(ctx, api.Client()); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "NO-SUCH") {
		t.Errorf("an unknown product: %v, want ErrRefused with its name", err)
	}
	if _, err := (&Coinbase{Products: []string{"BUSY"}, REST: api.URL}).Instruments(ctx, api.Client()); err == nil || errors.Is(err, ErrRefused) {
		t.Errorf("too many requests: %v, want an error that is not final", err)
	}
}

func TestSymbols(t *testing.T) {
	if got, want := Symbols(" A, B,,A ,c"), []string{"A", "B", "c"}; !reflect.DeepEqual(got, want) {
		t.Errorf("symbols %q, want %q", got, want)
	}
}
