package stream

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// TestGrowthSplitsSharedEncoders: streams whose topics select the same symbols now and others later share no encoder, so that the one
// never gets a tick of a symbol that only the other's topics cover.
func TestGrowthSplitsSharedEncoders(t *testing.T) {
	forEachFormat(t, func(t *testing.T, format wire.Format) {
		synctest.Test(t, func(t *testing.T) {
			f := newGrowingFeed(t, 10, 2)
			time.Sleep(growthPause)
			within, err := f.u.TopicsWithin([]string{quote.All}, []string{"S0"}, 0)
			if err != nil {
				t.Fatal(err)
			}
			sector := subscribe(t, f.log, Options{Format: format, Topics: f.topics("sector:even")})
			symbol := subscribe(t, f.log, Options{Format: format, Topics: f.topics("S0")})
			bounded := subscribe(t, f.log, Options{Format: format, Topics: within})
			for _, c := range []*client{sector, symbol, bounded} {
				c.take(noon)
			}
			f.add() // S2, which is even
			f.append(2, 0, 2)
			for c, want := range map[*client]string{sector: "S2 S0 S2", symbol: "S0", bounded: "S0"} {
				var got []string
				for _, m := range c.take(noon) {
					if m.T == "q" {
						got = append(got, m.S)
					}
				}
				if strings.Join(got, " ") != want {
					t.Errorf("%s gets ticks of %v, want %s", c.topics.Names(), got, want)
				}
			}
		})
	})
}
