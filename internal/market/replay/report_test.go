package replay

import (
	"log/slog"
	"strings"
	"testing"
	"time"
)

// logOf returns what is logged when a file is read.
func logOf(t *testing.T, name, text string, change func(*Options)) string {
	t.Helper()
	var log strings.Builder
	newSource(t, writeFile(t, name, text), func(o *Options) {
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		if change != nil {
			change(o)
		}
	})
	return log.String()
}

// TestReport: one line has everything that was found out about the file.
func TestReport(t *testing.T) {
	text := "Date;Time;Open;High;Low;Close;Adj;Vol\n" +
		"02.03.2026;14:31;184,27;186,10;183,90;185,50;1;1.200\n02.03.2026;14:30;x;1;1;1;1;1\n02.03.2026;14:29;1,5;1,5;1,5;1,505;1;0,25\n"
	log := logOf(t, "acme.csv", strings.Replace(text, "1,505", "1,5", 1), func(o *Options) { o.OnBadRow = SkipOnBadRows })
	for _, want := range []string{
		`msg="replay file read"`, `kind="bars of 2m0s"`, "first_row=2 ", "rows=2 ", `symbols="1 (ACME)"`, "from=2026-03-02T14:29:00Z", "to=2026-03-02T14:31:00Z", "decimals=2 ", "size_decimals=2 ",
		`columns="time=Date+Time open=Open high=High low=Low close=Close volume=Vol"`, "ignored=Adj ", "skipped=1 ", "delimiter=semicolon", "numbers=1.234,5", `times="day/month/year, UTC unless given"`,
		`sorted="in memory"`,
	} {
		if !strings.Contains(log, want) {
			t.Errorf("%q isn't in\n%s", want, log)
		}
	}
	if n := strings.Count(log, "replay file read"); n != 1 {
		t.Errorf("%d lines", n)
	}
	log = logOf(t, "a.csv", "time,symbol,price\n2026-03-02,A,1\n2026-03-03,B,1.505\n", nil)
	for _, want := range []string{"kind=ticks", "symbols=2", `decimals="2 to 3"`, "ignored=none"} {
		if !strings.Contains(log, want) {
			t.Errorf("%q isn't in\n%s", want, log)
		}
	}
}

// TestSlowReplay: the log says how often a tick is due if that is rarely.
func TestSlowReplay(t *testing.T) {
	const minutes = "time,open,high,low,close\n2026-03-02 10:00,1,1,1,1\n2026-03-02 10:01,1,1,1,1\n"
	if log := logOf(t, "a.csv", minutes, func(o *Options) { o.Speed = 1 }); !strings.Contains(log, "tick_every=15s speed=1 one_a_second=15") {
		t.Error(log)
	}
	const daily = "date,open,high,low,close\n2026-03-02,1,1,1,1\n2026-03-03,1,1,1,1\n"
	for speed, want := range map[float64]string{1: "tick_every=6h0m0s speed=1 one_a_second=21600", 100: "tick_every=3m36s speed=100 one_a_second=21600", 21600: "", MaxSpeed: ""} {
		log := logOf(t, "a.csv", daily, func(o *Options) { o.Speed = speed })
		if slow := strings.Contains(log, "few ticks at this speed"); slow != (want != "") || !strings.Contains(log, want) {
			t.Errorf("speed %v: %s", speed, log)
		}
	}
}

// TestProgress: a long reading is logged, with its share of the file if that is known.
func TestProgress(t *testing.T) {
	defer func(d time.Duration) { progressEvery = d }(progressEvery)
	progressEvery = 0
	text := "time,price\n2026-03-02 14:31,1\n" + strings.Repeat("2026-03-02 14:30,1\n", 9000)
	for name, content := range map[string]string{"a.csv": text, "a.csv.gz": gzipped(t, text), "a.zip": zipped(t, "a.csv", text)} {
		log := logOf(t, name, content, nil)
		for _, want := range []string{`msg="reading the replayed file"`, `msg="sorting the replayed file"`, "rows=4096", "rows=8192"} {
			if !strings.Contains(log, want) {
				t.Errorf("%s: %q isn't in\n%s", name, want, log)
			}
		}
	}
	log := logOf(t, StandardInput, "", func(o *Options) { o.Stdin, o.File, o.Format.Symbol = pipe(t, twoTicks, true), StandardInput, "A" })
	for _, want := range []string{"reading standard input until its end, then the replay starts", "bytes=65"} {
		if !strings.Contains(log, want) {
			t.Errorf("%q isn't in\n%s", want, log)
		}
	}
}

// TestFuture: times up to a year from now are read, and reported.
func TestFuture(t *testing.T) {
	for days, want := range map[int]bool{0: false, 2: true} {
		log := logOf(t, "a.csv", "time,price\n"+time.Now().AddDate(0, 0, days).UTC().Format("2006-01-02T15:04:05Z")+",1\n", nil)
		if strings.Contains(log, "has times in the future") != want {
			t.Errorf("%d days from now: %s", days, log)
		}
	}
}
