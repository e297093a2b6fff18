package handlers

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"ticklane/internal/auth"
	"ticklane/internal/history"
	"ticklane/internal/quote"
	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// feedView is the feed as it is now, or as it was a time ago: its ticks, its bars, and the answers that were made of them.
type feedView struct {
	delay    time.Duration // 0 for the live one
	log      *stream.Log
	history  *history.Store
	changing *answers // quotes and closes
	pages    *answers // pages with quotes
}

// feedViews are the live view and those behind it. A request reads from one of them, which is chosen once: see of.
type feedViews struct {
	live *feedView
	all  []*feedView // the live one, then by delay
}

func newFeedViews(d *Deps) *feedViews {
	v := &feedViews{live: newFeedView(0, d.Stream, d.History)}
	v.all = append(v.all, v.live)
	for _, x := range d.Delayed {
		v.all = append(v.all, newFeedView(x.Delay, x.Log, x.History))
	}
	slices.SortFunc(v.all, func(a, b *feedView) int { return cmp.Compare(a.delay, b.delay) })
	return v
}

func newFeedView(delay time.Duration, log *stream.Log, bars *history.Store) *feedView {
	return &feedView{delay: delay, log: log, history: bars, changing: newAnswers(headOf(log)), pages: newAnswers(headOf(log))}
}

// universe returns the instruments, which all views share.
func (v *feedViews) universe() *quote.Universe { return v.live.log.Universe() }

// compressionEnabled reports whether streams may be compressed.
func (v *feedViews) compressionEnabled() bool { return v.live.log.CompressionEnabled() }

// of returns the view that a principal reads topics from: the one with the shortest delay that suffices for each of them. "*" stands
// for what may be read, which may be nothing. The error is a problem: a topic may not be read at all, or no view has its delay.
func (v *feedViews) of(p *auth.Principal, topics quote.Topics) (*feedView, error) {
	delay, ok := p.Rights.Delay(v.universe(), topics.Names())
	if !ok {
		return nil, problemOf(http.StatusForbidden, "These topics may not be read.")
	}
	for _, view := range v.all {
		if view.delay >= delay {
			return view, nil
		}
	}
	return nil, problemOf(http.StatusForbidden, "These topics may be read "+delay.String()+" behind the feed, and this server has no ticks of that time: its setting auth.delays needs a delay of at least that.")
}

// ofSymbol is of for the topic of an instrument.
func (v *feedViews) ofSymbol(p *auth.Principal, in *quote.Instrument) (*feedView, error) {
	topics, err := v.universe().Topics([]string{in.Symbol}, 1)
	if err != nil {
		return nil, err
	}
	return v.of(p, topics)
}

// find returns the open stream with a secret conn id, nil if there is none.
func (v *feedViews) find(conn string) *stream.Subscriber {
	for _, view := range v.all {
		if sub := view.log.Find(conn); sub != nil {
			return sub
		}
	}
	return nil
}

// subscribers returns the open streams by Since and ID.
func (v *feedViews) subscribers() []*stream.Subscriber {
	if len(v.all) == 1 {
		return v.live.log.Subscribers()
	}
	var all []*stream.Subscriber
	for _, view := range v.all {
		all = append(all, view.log.Subscribers()...)
	}
	slices.SortFunc(all, func(a, b *stream.Subscriber) int {
		return cmp.Or(cmp.Compare(a.Since(), b.Since()), strings.Compare(a.ID(), b.ID()))
	})
	return all
}

// lane returns what a lane did since the start.
func (v *feedViews) lane(lane wire.Lane) (sum stream.LaneStats) {
	for _, view := range v.all {
		sum.Add(view.log.Lane(lane))
	}
	return sum
}
