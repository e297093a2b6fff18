package wire

import "time"

// Values of a status message.
const (
	StatusStale   = "stale"   // the feed has had no tick for feed.stale_after
	StatusLive    = "live"    // ticks come again
	StatusSymbols = "symbols" // the feed has more symbols than before
)

// FeedStale returns the message that the feed has had no tick since a time.
func FeedStale(since, now time.Time) Message {
	return Message{Name: "status", body: statusBody{T: "status", Status: StatusStale, Since: since.UnixMicro(), Time: now.UnixMicro()}}
}

// FeedLive returns the message that ticks come again after FeedStale.
func FeedLive(now time.Time) Message {
	return Message{Name: "status", body: statusBody{T: "status", Status: StatusLive, Time: now.UnixMicro()}}
}

// FeedGrown returns the message that the feed has a number of symbols, more than before.
func FeedGrown(symbols int, now time.Time) Message {
	return Message{Name: "status", body: statusBody{T: "status", Status: StatusSymbols, Symbols: symbols, Time: now.UnixMicro()}}
}

// statusBody is about the feed, not about a position: its message has no id.
type statusBody struct {
	T       string `json:"T"`
	Status  string `json:"status"`
	Since   int64  `json:"since,omitempty"`
	Symbols int    `json:"symbols,omitempty"`
	Time    int64  `json:"t"`
}

func (m statusBody) appendProto(b []byte) []byte {
	b, at := beginField(b, protoStatus)
	b = appendText(b, 1, m.Status)
	b = appendInt(b, 2, m.Since)
	b = appendInt(b, 3, int64(m.Symbols))
	return endField(appendInt(b, 4, m.Time), at)
}
