// Package report is the result of a load test: its data as JSON, what may be concluded from them, and how they are shown
// in a terminal and as a page.
package report
