package stream

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ticklane/internal/wire"
)

// sink is a Writer that records what was flushed.
type sink struct {
	onWrite func() error

	mu               sync.Mutex
	written, flushed bytes.Buffer
	flushes          int
}

func (w *sink) Write(b []byte) (int, error) {
	if w.onWrite != nil {
		if err := w.onWrite(); err != nil {
			return 0, err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.written.Write(b)
}

func (w *sink) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flushes++
	_, err := w.written.WriteTo(&w.flushed)
	return err
}

// running is a stream that Run writes, in a synctest bubble.
type running struct {
	*client
	w    sink
	gone chan struct{}
	err  chan error
}

func run(t *testing.T, l *Log, opt Options) *running {
	s := l.Subscribe(offerCompression(l, opt))
	r := &running{client: &client{Subscriber: s, t: t, format: opt.Format, inflater: inflater{byRun: true}}, gone: make(chan struct{}), err: make(chan error, 1)}
	go func() { r.err <- s.Run(&r.w, r.gone) }()
	synctest.Wait()
	return r
}

// got returns the messages since the last call.
func (r *running) got() []message {
	synctest.Wait()
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	return r.decode(r.w.flushed.Next(r.w.flushed.Len()))
}

// pass advances the bubble's clock.
func pass(d time.Duration) { <-time.After(d) }

// bubble runs f for each format in a synctest bubble with an empty log.
func bubble(t *testing.T, cfg Config, f func(t *testing.T, format wire.Format, p *fixture, l *Log)) {
	forEachFormat(t, func(t *testing.T, format wire.Format) {
		synctest.Test(t, func(t *testing.T) {
			p := newFixture(t, 1000)
			if cfg.Size == 0 {
				cfg.Size = 1024
			}
			f(t, format, p, p.log(t, cfg))
		})
	})
}

func TestRunDelivers(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, format wire.Format, p *fixture, l *Log) {
		r := run(t, l, Options{Format: format, Topics: p.topics(t, "*")})
		defer r.Close()
		if got := kinds(r.got()); got != "hello snapshot" {
			t.Fatalf("got %s", got)
		}
		for seq := uint64(100); seq <= 1000; seq += 100 {
			flushes := r.w.flushes
			p.play(l, seq)
			if got := kinds(r.got()); got != "q×100" {
				t.Fatalf("got %s", got)
			}
			if n := r.w.flushes - flushes; n != 1 {
				t.Errorf("%d flushes for one batch", n)
			}
		}
		close(r.gone)
		if err := <-r.err; err != nil {
			t.Error(err)
		}
	})
}

func TestRunHeartbeat(t *testing.T) {
	bubble(t, Config{Heartbeat: time.Second}, func(t *testing.T, format wire.Format, p *fixture, l *Log) {
		r := run(t, l, Options{Format: format, Topics: p.topics(t, "*")})
		defer r.Close()
		r.got()
		pass(10*time.Second + time.Millisecond)
		if got := r.got(); len(got) != 10 {
			t.Errorf("%d heartbeats in ten", len(got))
		}
		close(r.gone)
		<-r.err
	})
}

func TestRunEnds(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, format wire.Format, p *fixture, l *Log) {
		for reason, opt := range map[string]Options{
			wire.ByeDuration: {Duration: 1500 * time.Millisecond},
			wire.ByeLimit:    {Limit: 3},
			wire.ByeShutdown: {},
		} {
			opt.Format, opt.Topics = format, p.topics(t, "*")
			r := run(t, l, opt)
			start := time.Now()
			switch reason {
			case wire.ByeLimit:
				p.play(l, 10)
			case wire.ByeShutdown:
				l.End(wire.ByeShutdown)
			}
			if err := <-r.err; err != nil {
				t.Error(err)
			}
			got := r.got()
			if last := got[len(got)-1]; last.T != "bye" || last.Reason != reason {
				t.Errorf("%s: %+v", reason, last)
			}
			if reason == wire.ByeDuration && time.Since(start) != opt.Duration {
				t.Errorf("after %v", time.Since(start))
			}
			r.Close()
		}
	})
}

func TestRunInterval(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, format wire.Format, p *fixture, l *Log) {
		r := run(t, l, Options{Format: format, Topics: p.topics(t, "*"), Mode: ModeLatest, Interval: 250 * time.Millisecond})
		defer r.Close()
		r.got()
		p.play(l, 10)
		if got := r.got(); len(got) == 0 {
			t.Fatal("the first ticks are delayed")
		}
		for seq := uint64(20); seq <= 250; seq += 10 {
			pass(10 * time.Millisecond)
			p.play(l, seq)
			if got := r.got(); len(got) > 0 {
				t.Fatalf("%d ms after the last: %s", seq-10, kinds(got))
			}
		}
		pass(10 * time.Millisecond)
		if got := kinds(r.got()); got != "q×9" {
			t.Errorf("after the interval: %s", got)
		}
		close(r.gone)
		<-r.err
	})
}

// TestFlushInterval: ticks within one interval are written together.
func TestFlushInterval(t *testing.T) {
	bubble(t, Config{FlushInterval: 50 * time.Millisecond}, func(t *testing.T, format wire.Format, p *fixture, l *Log) {
		r := run(t, l, Options{Format: format, Topics: p.topics(t, "*")})
		defer r.Close()
		r.got()
		p.play(l, 1)
		if got := kinds(r.got()); got != "q×1" {
			t.Errorf("the first: %s", got)
		}
		for seq := uint64(2); seq <= 5; seq++ {
			pass(10 * time.Millisecond)
			p.play(l, seq)
			if got := r.got(); len(got) > 0 {
				t.Errorf("too early: %s", kinds(got))
			}
		}
		pass(10 * time.Millisecond)
		if got := kinds(r.got()); got != "q×4" {
			t.Errorf("the batch: %s", got)
		}
		close(r.gone)
		<-r.err
	})
}

func TestRunStopsAtAnError(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, format wire.Format, p *fixture, l *Log) {
		s := l.Subscribe(Options{Format: format, Topics: p.topics(t, "*")})
		defer s.Close()
		writes := 0
		w := &sink{onWrite: func() error {
			if writes++; writes > 1 {
				return io.ErrClosedPipe
			}
			return nil
		}}
		err := make(chan error)
		go func() { err <- s.Run(w, nil) }()
		synctest.Wait()
		p.play(l, 600)
		if e := <-err; !errors.Is(e, io.ErrClosedPipe) || writes != 2 {
			t.Errorf("%v after %d writes", e, writes)
		}
	})
}

// TestRunStopsWhenClientIsGone: even if there are always more ticks.
func TestRunStopsWhenClientIsGone(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, format wire.Format, p *fixture, l *Log) {
		s := l.Subscribe(Options{Format: format, Topics: p.topics(t, "*")})
		defer s.Close()
		gone, writes := make(chan struct{}), uint64(0)
		w := &sink{onWrite: func() error {
			if writes++; writes == 10 {
				close(gone)
			}
			if writes == 1000 {
				return errors.New("too many writes")
			}
			p.play(l, writes)
			return nil
		}}
		if err := s.Run(w, gone); err != nil || writes > 20 {
			t.Errorf("%d writes, %v", writes, err)
		}
	})
}
