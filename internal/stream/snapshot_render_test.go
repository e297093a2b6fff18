package stream

import (
	"testing"
	"testing/synctest"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// cachedSymbols is a number of symbols whose snapshot isn't rendered at once.
const cachedSymbols = 400

// manyFixture returns ticks of cachedSymbols symbols, one after the other.
func manyFixture(t testing.TB, total int) *fixture {
	ids := make([]quote.ID, total)
	for i := range ids {
		ids[i] = quote.ID(i % cachedSymbols)
	}
	return fixtureOf(testUniverse(t, cachedSymbols), ids...)
}

// cacheTest is a log of many symbols in a synctest bubble, each of which has had a tick.
type cacheTest struct {
	*testing.T
	fixture *fixture
	log     *Log
	cache   *snapshotCache
}

func testCache(t *testing.T, cfg Config, f func(t *cacheTest)) {
	synctest.Test(t, func(t *testing.T) {
		p := manyFixture(t, 4*cachedSymbols)
		if cfg.Size == 0 {
			cfg.Size = 8192
		}
		l := p.log(t, cfg)
		p.play(l, cachedSymbols)
		f(&cacheTest{t, p, l, &l.snapshots})
	})
}

func (t *cacheTest) append(n uint64) { t.fixture.play(t.log, t.log.Head().Seq+n) }

func (t *cacheTest) subscriber(format wire.Format) *Subscriber {
	s := t.log.Subscribe(Options{Format: format, Topics: t.fixture.topics(t, "*")})
	t.Cleanup(s.Close)
	return s
}

// get gets a snapshot of all symbols.
func (t *cacheTest) get(s *Subscriber, atLeast uint64) (*sharedSnapshot, *snapshotJob) {
	return t.cache.get(s, s.topics, CompressNone, atLeast)
}

// wait waits for a job that is expected.
func (t *cacheTest) wait(job *snapshotJob) *sharedSnapshot {
	t.Helper()
	if job == nil {
		t.Fatal("no rendering was started")
	}
	pass(snapshotPause)
	synctest.Wait()
	made := job.result.Load()
	if made == nil {
		t.Fatal("no snapshot was rendered")
	}
	return made
}

// occupy makes all jobs wait until free is called.
func (t *cacheTest) occupy() (free func()) {
	for range cap(t.cache.workers) {
		t.cache.workers <- struct{}{}
	}
	return func() {
		for range cap(t.cache.workers) {
			<-t.cache.workers
		}
	}
}

func (t *cacheTest) entries() int {
	t.cache.mu.Lock()
	defer t.cache.mu.Unlock()
	return len(t.cache.entries)
}

func TestSnapshotIsRenderedOnce(t *testing.T) {
	testCache(t, Config{}, func(t *cacheTest) {
		var all []*Subscriber
		var first *snapshotJob
		free := t.occupy()
		for range 20 {
			s := t.subscriber(wire.SSEJSON)
			made, job := t.get(s, 0)
			if first == nil {
				first = job
			}
			if made != nil || job == nil || job != first {
				t.Fatalf("snapshot %v, job %p, the first was %p", made, job, first)
			}
			all = append(all, s)
		}
		free()
		made := t.wait(first)
		for i, s := range all {
			if !wasNotified(s) {
				t.Errorf("subscriber %d wasn't notified", i)
			}
			if again, _ := t.get(s, 0); again != made {
				t.Errorf("subscriber %d got another snapshot", i)
			}
		}
		if other, job := t.get(t.subscriber(wire.WSJSON), 0); other != nil || job == first {
			t.Error("another format got the same snapshot")
		}
		s := all[0]
		if other, job := t.cache.get(s, s.topics, CompressGzip, 0); other != nil || job == first {
			t.Error("a compressed stream got the same snapshot")
		}
	})
}

// TestSnapshotFreshness: how many ticks and how much time may follow a snapshot that is sent.
func TestSnapshotFreshness(t *testing.T) {
	testCache(t, Config{}, func(t *cacheTest) {
		s := t.subscriber(wire.SSEJSON)
		_, job := t.get(s, 0)
		made := t.wait(job)
		t.append(cachedSymbols / 8)
		if again, _ := t.get(s, made.at); again != made {
			t.Error("another snapshot after a few ticks")
		}
		if again, job := t.get(s, made.at+1); again != nil || t.wait(job).at != t.log.Head().Seq {
			t.Error("a snapshot from before the position of the client")
		}
		t.append(cachedSymbols/8 + 1)
		if again, job := t.get(s, 0); again != nil || t.wait(job).at != t.log.Head().Seq {
			t.Error("the same snapshot after many ticks")
		}
		made, _ = t.get(s, 0)
		pass(snapshotAge - snapshotPause - 1)
		synctest.Wait()
		if again, _ := t.get(s, 0); again != made {
			t.Error("another snapshot after a short time")
		}
		pass(snapshotPause + 1)
		synctest.Wait()
		if again, _ := t.get(s, 0); again != nil {
			t.Error("the same snapshot after a long time")
		}
	})
}

// TestSnapshotLeavesLog: the ticks that follow a snapshot must still be in the log.
func TestSnapshotLeavesLog(t *testing.T) {
	testCache(t, Config{Size: 10}, func(t *cacheTest) {
		s := t.subscriber(wire.SSEJSON)
		_, job := t.get(s, 0)
		made := t.wait(job)
		t.append(10)
		if again, _ := t.get(s, 0); again != made {
			t.Error("another snapshot while the ticks after it are in the log")
		}
		t.append(1)
		if again, _ := t.get(s, 0); again != nil {
			t.Error("a tick after the snapshot has left the log")
		}
	})
}

// TestSnapshotLeavesLogBeforeItIsTaken: then another one is rendered.
func TestSnapshotLeavesLogBeforeItIsTaken(t *testing.T) {
	testCache(t, Config{Size: 10}, func(t *cacheTest) {
		c := subscribe(t, t.log, Options{Topics: t.fixture.topics(t, "*")})
		free := t.occupy() // so that the job isn't done before the second Next
		c.Next(noon)
		c.Next(noon)
		job := c.job
		free()
		made := t.wait(job)
		t.append(11)
		got := c.take(noon)
		if last := got[len(got)-1]; last.T != "snapshot" || last.I != made.at+11 {
			t.Errorf("%s as of %d, want a snapshot as of %d", last.T, last.I, made.at+11)
		}
	})
}

// TestSnapshotBeingRendered: a subscriber shares a rendering only if that began late enough.
func TestSnapshotBeingRendered(t *testing.T) {
	testCache(t, Config{}, func(t *cacheTest) {
		s, free := t.subscriber(wire.SSEJSON), t.occupy()
		_, job := t.get(s, 0)
		t.cache.mu.Lock()
		e := job.entry
		e.current, e.next, job.from = job, nil, cachedSymbols // as while run renders it
		t.cache.mu.Unlock()
		if _, shared := t.get(s, cachedSymbols); shared != job {
			t.Error("a rendering as of this position isn't shared")
		}
		t.append(1)
		_, next := t.get(s, cachedSymbols+1)
		if next == job {
			t.Error("a rendering as of an earlier position is shared")
		}
		if _, again := t.get(s, cachedSymbols+1); again != next {
			t.Error("a third rendering")
		}
		free()
		if made := t.wait(next); made.at != cachedSymbols+1 {
			t.Errorf("rendered as of %d", made.at)
		}
		t.cache.mu.Lock()
		e.current = nil
		t.cache.mu.Unlock()
	})
}

func TestSnapshotPause(t *testing.T) {
	testCache(t, Config{}, func(t *cacheTest) {
		s := t.subscriber(wire.SSEJSON)
		_, job := t.get(s, 0)
		synctest.Wait()
		if job.result.Load() == nil {
			t.Fatal("the first rendering was delayed")
		}
		t.append(1)
		_, job = t.get(s, cachedSymbols+1)
		pass(snapshotPause - 1)
		synctest.Wait()
		if job.result.Load() != nil {
			t.Error("rendered again too early")
		}
		t.append(3)
		pass(1)
		synctest.Wait()
		if made := job.result.Load(); made == nil || made.at != cachedSymbols+4 {
			t.Errorf("after the pause: %+v", made)
		}
	})
}

// TestSnapshotOfNoClient isn't rendered.
func TestSnapshotOfNoClient(t *testing.T) {
	testCache(t, Config{}, func(t *cacheTest) {
		free := t.occupy()
		s := t.log.Subscribe(Options{Topics: t.fixture.topics(t, "*")})
		s.Next(noon)
		if b := s.Next(noon); len(b) > 0 || s.job == nil {
			t.Fatalf("%q, job %v", b, s.job)
		}
		job := s.job
		synctest.Wait()
		s.Close()
		free()
		synctest.Wait()
		if job.result.Load() != nil {
			t.Error("it was rendered")
		}
		if n := t.entries(); n != 0 {
			t.Errorf("%d entries left", n)
		}
	})
}

func TestSnapshotsAreForgotten(t *testing.T) {
	testCache(t, Config{}, func(t *cacheTest) {
		for format := range wire.Formats {
			s := t.subscriber(format)
			t.get(s, 0)
			t.cache.get(s, t.fixture.topics(t, "S1", "S2"), CompressNone, 0)
		}
		synctest.Wait()
		if n := t.entries(); n != 2*int(wire.Formats) {
			t.Errorf("%d entries", n)
		}
		pass(snapshotAge)
		synctest.Wait()
		if n := t.entries(); n != 0 {
			t.Errorf("%d entries left", n)
		}
	})
}

// TestSnapshotOfFewSymbols is rendered by get, unless nothing has changed.
func TestSnapshotOfFewSymbols(t *testing.T) {
	testCache(t, Config{}, func(t *cacheTest) {
		s, topics := t.subscriber(wire.SSEJSON), t.fixture.topics(t, "S1", "S2")
		made, _ := t.cache.get(s, topics, CompressNone, 0)
		if made == nil || len(made.parts) != 1 {
			t.Fatalf("snapshot %+v", made)
		}
		if again, _ := t.cache.get(s, topics, CompressNone, 0); again != made {
			t.Error("rendered again, although nothing has changed")
		}
		t.append(1)
		if again, _ := t.cache.get(s, topics, CompressNone, 0); again == made || again.at != made.at+1 {
			t.Error("an old snapshot of few symbols")
		}
		var names []string
		for id := range fewCompressed + 1 {
			names = append(names, t.fixture.u.Instrument(quote.ID(id)).Symbol)
		}
		if made, job := t.cache.get(s, t.fixture.topics(t, names...), CompressGzip, 0); made != nil || job == nil {
			t.Error("many symbols were compressed by get")
		}
	})
}

// TestCloseWaitsForSnapshots: and later ones are never rendered.
func TestCloseWaitsForSnapshots(t *testing.T) {
	testCache(t, Config{}, func(t *cacheTest) {
		s := t.subscriber(wire.SSEJSON)
		_, job := t.get(s, 0)
		t.log.Close()
		if job.result.Load() == nil {
			t.Error("Close didn't wait")
		}
		t.append(1)
		_, job = t.get(s, cachedSymbols+1)
		pass(time.Minute)
		synctest.Wait()
		if job.result.Load() != nil {
			t.Error("rendered after Close")
		}
	})
}

// TestSnapshotPanics: a panic while a snapshot is rendered ends the streams that wait for it, and nothing else.
func TestSnapshotPanics(t *testing.T) {
	testCache(t, Config{}, func(t *cacheTest) {
		unknown := fixtureOf(testUniverse(t, 2*cachedSymbols)).topics(t, "*")
		s := t.log.Subscribe(Options{Topics: unknown})
		defer s.Close()
		s.Next(noon)
		s.delivery.topics = unknown
		next := func() (p *Panic) {
			defer func() { p, _ = recover().(*Panic) }()
			s.Next(noon)
			return nil
		}
		p := next()
		if p == nil { // otherwise it was rendered before Next returned
			synctest.Wait()
			if !wasNotified(s) {
				t.Error("the stream that waited wasn't notified")
			}
			p = next()
		}
		if p == nil || len(p.Stack) == 0 {
			t.Errorf("recovered %v", p)
		}
		if n := t.entries(); n != 0 {
			t.Errorf("%d entries left", n)
		}
	})
}
