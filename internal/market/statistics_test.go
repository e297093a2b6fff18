package market

import (
	"math"
	"slices"
	"sync"
	"testing"

	"gonum.org/v1/gonum/stat"

	"ticklane/internal/quote"
)

const (
	sessionSeconds = 6.5 * 3600
	sessionRate    = 40.0
)

// session holds the results of one run of the model, for each symbol.
type session struct {
	universe *quote.Universe
	weight   []float64
	times    [][]float64 // arrivals, s
	minutes  [][]float64 // log returns of the mid price over each minute
	trades   [][]float64 // prices in cents
	spreads  []float64   // of all quotes, in basis points of the price
	ticks    int
	traded   int
}

// trading runs the default market for six and a half hours, once for all tests.
var trading = sync.OnceValue(func() *session {
	u, err := universe(50)
	if err != nil {
		panic(err)
	}
	m := newModel(u, 1, false)
	m.restart(0, sessionRate, false)
	n := u.Len()
	s := &session{universe: u, times: make([][]float64, n), minutes: make([][]float64, n), trades: make([][]float64, n)}
	for i := range m.stocks {
		s.weight = append(s.weight, m.stocks[i].weight)
	}
	mids, before, volume := make([]float64, n), make([]float64, n), make([]quote.Size, n)
	minute := 0
	var tick quote.Tick
	for m.peek() < sessionSeconds {
		for ; m.peek() >= float64(minute+1)*60; minute++ {
			for i := range mids {
				if minute > 0 {
					s.minutes[i] = append(s.minutes[i], mids[i]-before[i])
				}
				before[i] = mids[i]
			}
		}
		at := m.next(&tick)
		i := tick.Symbol
		s.ticks++
		s.times[i] = append(s.times[i], at)
		s.spreads = append(s.spreads, float64(tick.Ask-tick.Bid)/float64(tick.Bid)*1e4)
		mids[i] = math.Log(float64(tick.Bid+tick.Ask) / 2)
		if tick.Volume > volume[i] {
			volume[i] = tick.Volume
			s.traded++
			s.trades[i] = append(s.trades[i], float64(tick.Last))
		}
	}
	return s
})

// autocorrelation returns the autocorrelation of x at a lag.
func autocorrelation(x []float64, lag int) float64 {
	mean := stat.Mean(x, nil)
	sum, square := 0.0, 0.0
	for i, v := range x {
		square += (v - mean) * (v - mean)
		if i+lag < len(x) {
			sum += (v - mean) * (x[i+lag] - mean)
		}
	}
	return sum / square
}

func mean(of [][]float64, f func([]float64) float64) float64 {
	all := make([]float64, len(of))
	for i, x := range of {
		all[i] = f(x)
	}
	return stat.Mean(all, nil)
}

func TestMinutesHaveFatTails(t *testing.T) {
	var pool []float64
	for _, r := range trading().minutes {
		sd := stat.StdDev(r, nil)
		for _, v := range r {
			pool = append(pool, v/sd)
		}
	}
	k := stat.ExKurtosis(pool, nil) + 3
	t.Logf("kurtosis of %d one-minute returns: %.2f", len(pool), k)
	if k <= 4 {
		t.Errorf("kurtosis %.2f, want more than 4 (a normal distribution has 3)", k)
	}
}

func TestReturnsForgetAndVolatilityRemembers(t *testing.T) {
	minutes := trading().minutes
	band := 1.96 / math.Sqrt(float64(len(minutes[0])))
	for _, lag := range []int{1, 5, 20} {
		r := mean(minutes, func(x []float64) float64 { return autocorrelation(x, lag) })
		size := mean(minutes, func(x []float64) float64 {
			abs := make([]float64, len(x))
			for i, v := range x {
				abs[i] = math.Abs(v)
			}
			return autocorrelation(abs, lag)
		})
		t.Logf("lag %d: returns %+.3f (band %.3f), their size %+.3f", lag, r, band, size)
		if math.Abs(r) > band {
			t.Errorf("lag %d: autocorrelation of returns %.3f, outside ±%.3f", lag, r, band)
		}
		if size <= 0 {
			t.Errorf("lag %d: autocorrelation of their size %.3f, want it positive", lag, size)
		}
	}
}

func TestSectorsMoveTogether(t *testing.T) {
	s := trading()
	var same, across []float64
	for i := range s.minutes {
		for k := range i {
			c := stat.Correlation(s.minutes[i], s.minutes[k], nil)
			if s.universe.Instrument(quote.ID(i)).Sector == s.universe.Instrument(quote.ID(k)).Sector {
				same = append(same, c)
			} else {
				across = append(across, c)
			}
		}
	}
	for _, tt := range []struct {
		name string
		got  []float64
		want float64
	}{
		{"in a sector", same, marketShare + sectorShare},
		{"across sectors", across, marketShare},
	} {
		c := stat.Mean(tt.got, nil)
		t.Logf("mean correlation %s %.3f", tt.name, c)
		if math.Abs(c-tt.want) > 0.15 {
			t.Errorf("mean correlation %s %.3f, want %.2f ± 0.15", tt.name, c, tt.want)
		}
	}
	if stat.Mean(same, nil) <= stat.Mean(across, nil) {
		t.Error("symbols of one sector are no closer to each other than to the rest")
	}
}

func TestDailyVolatility(t *testing.T) {
	s := trading()
	ratio := 0.0
	for i, r := range s.minutes {
		day := stat.StdDev(r, nil) * math.Sqrt(24*60)
		ratio += day / s.universe.Instrument(quote.ID(i)).Volatility / float64(len(s.minutes))
	}
	t.Logf("volatility relative to the symbols': %.2f", ratio)
	if ratio < 0.6 || ratio > 1.6 {
		t.Errorf("the symbols move %.2f times as much as they should", ratio)
	}
}

func TestMeanRateIsTheRateAskedFor(t *testing.T) {
	s := trading()
	for _, tt := range []struct {
		name      string
		got, want float64
	}{
		{"ticks/s", float64(s.ticks) / sessionSeconds, sessionRate},
		{"trades of all ticks", float64(s.traded) / float64(s.ticks), tradeShare},
	} {
		t.Logf("%s: %.3f", tt.name, tt.got)
		if math.Abs(tt.got/tt.want-1) > 0.03 {
			t.Errorf("%s: %.3f, want %.3f ± 3 %%", tt.name, tt.got, tt.want)
		}
	}
}

func TestTradesBounceInsideTheSpread(t *testing.T) {
	s := trading()
	bounce := mean(s.trades, func(x []float64) float64 {
		steps := make([]float64, len(x)-1)
		for i := range steps {
			steps[i] = x[i+1] - x[i]
		}
		return autocorrelation(steps, 1)
	})
	spread := stat.Mean(s.spreads, nil)
	t.Logf("trade to trade %.3f, mean spread %.2f bp", bounce, spread)
	if bounce >= -0.02 || bounce < -0.5 {
		t.Errorf("autocorrelation of trade steps %.3f, want it negative and above −0.5 (Roll 1984)", bounce)
	}
	if spread < 1 || spread > 3 {
		t.Errorf("mean spread %.2f bp, want one cent and 1.2 bp", spread)
	}
}

// Time rescaling: the integral of the intensity between two arrivals is exponentially distributed with mean 1 if and only if
// the arrivals follow the process (Ogata 1988).
func TestArrivalsFitTheirIntensity(t *testing.T) {
	s := trading()
	var residuals []float64
	for i, times := range s.times {
		rate := sessionRate * s.weight[i]
		excited := [kernels]float64{kernelBranching * rate, kernelBranching * rate}
		last := 0.0
		for _, at := range times {
			wait := at - last
			sum := rate * (1 - branching) * wait
			for k, beta := range kernelDecay {
				faded := math.Exp(-beta * wait)
				sum += excited[k] / beta * (1 - faded)
				excited[k] = excited[k]*faded + kernelBranching*beta
			}
			residuals = append(residuals, sum)
			last = at
		}
	}
	distance := distanceFromExponential(residuals)
	critical := 1.628 / math.Sqrt(float64(len(residuals))) // 1 %
	t.Logf("Kolmogorov–Smirnov distance %.5f of %d arrivals, critical %.5f", distance, len(residuals), critical)
	if distance > critical {
		t.Errorf("distance %.5f, more than %.5f", distance, critical)
	}
}

// distanceFromExponential returns the Kolmogorov–Smirnov distance from the exponential distribution with mean 1.
func distanceFromExponential(x []float64) float64 {
	slices.Sort(x)
	distance, n := 0.0, float64(len(x))
	for i, v := range x {
		p := 1 - math.Exp(-v)
		distance = max(distance, math.Abs(p-float64(i)/n), math.Abs(p-float64(i+1)/n))
	}
	return distance
}

// The branching ratio follows from the variance of counts in long windows: n = 1 − √(mean/variance) (arXiv 1403.5227).
func TestBranching(t *testing.T) {
	const rate, window, windows = 2.0, 200, 2000
	r := stream(77, 5)
	var h hawkes
	h.start(rate)
	counts := make([]float64, windows)
	for at := h.next(0, shape{}, r); at < window*windows; at = h.next(at, shape{}, r) {
		counts[int(at/window)]++
	}
	m, v := stat.MeanVariance(counts, nil)
	n := 1 - math.Sqrt(m/v)
	t.Logf("branching %.3f, rate %.3f/s", n, m/window)
	if math.Abs(n-branching) > 0.05 {
		t.Errorf("branching ratio %.3f, want %.2f ± 0.05", n, branching)
	}
	if math.Abs(m/window/rate-1) > 0.03 {
		t.Errorf("rate %.3f/s, want %.1f ± 3 %%", m/window, rate)
	}
}

func TestStudentHasUnitVarianceAndFatTails(t *testing.T) {
	r := stream(3, 0)
	x := make([]float64, 1_000_000)
	beyond := 0
	for i := range x {
		x[i] = student(r)
		if math.Abs(x[i]) > 2.776445/math.Sqrt2 { // the 5 % point of four degrees of freedom
			beyond++
		}
	}
	m, v := stat.MeanVariance(x, nil)
	share := float64(beyond) / float64(len(x))
	t.Logf("mean %.4f, variance %.3f, %.4f beyond the 5 %% point", m, v, share)
	if math.Abs(m) > 0.005 || math.Abs(v-1) > 0.05 || math.Abs(share-0.05) > 0.001 {
		t.Errorf("mean %.4f, variance %.3f, %.4f beyond the 5 %% point", m, v, share)
	}
}

// With DayShape there are more arrivals in the first and the last hour of the day than at noon.
func TestDayShape(t *testing.T) {
	const rate, days = 5.0, 2
	r := stream(11, 0)
	var h hawkes
	h.start(rate)
	var hours [24]float64
	total := 0.0
	day := shape{on: true, start: 7 * 3600}
	for at := h.next(0, day, r); at < days*daySeconds; at = h.next(at, day, r) {
		hours[int(day.of(at)/3600)]++
		total++
	}
	expected := func(hour int) float64 { // mean of U over the hour
		sum := 0.0
		for i := range 60 {
			sum += uShape((float64(hour) + (float64(i)+0.5)/60) / 24)
		}
		return sum / 60
	}
	for hour, n := range hours {
		if got := n / (rate * days * 3600); math.Abs(got/expected(hour)-1) > 0.1 {
			t.Errorf("hour %d: %.2f of the mean rate, want %.2f ± 10 %%", hour, got, expected(hour))
		}
	}
	if got := total / (days * daySeconds); math.Abs(got/rate-1) > 0.03 {
		t.Errorf("%.2f arrivals/s over the day, want %v ± 3 %%", got, rate)
	}
}
