// Package stream is the heart: one bounded log of ticks, rendered once for each format in use, and any number of
// subscribers, each of them a cursor in that log. There is no queue per subscriber: a slow one costs its lag, a
// number, and resume, lane switch and slow reader are one mechanism.
//
// One goroutine appends; it takes no lock that a reader holds for long, and nudges one waker. Readers see what was published by the
// head, an atomic; everything behind it is immutable.
package stream
