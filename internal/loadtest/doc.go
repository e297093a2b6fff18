// Package loadtest measures the two lanes of a Ticklane server from outside, as a client in a separate process.
//
// # Method
//
// The load is open: the schedule of the feed sets the pace, and no slow client delays it. The latency of a tick is the
// time at which it was received minus the time at which it was due, so that all queueing is included (Tene, "How NOT to
// Measure Latency", 2013: coordinated omission). Every tick of every connection is checked first: where anything was
// lost, duplicated or reported as a gap, latency is void.
//
// A comparison has variants A, B, …, which are measured alternately (see stats.Schedule). One interval is a window, one
// window of each variant a round. A drift of the machine affects all variants alike, and neighbouring windows of one
// variant show how much equal runs differ: no smaller difference is reported. A difference is the mean of the rounds'
// A − B with Student's interval for paired samples (see stats.PairedInterval).
//
// The generator watches itself: a window in which its own timer ran late or the processors were used up is invalid, and
// its round is left out.
package loadtest
