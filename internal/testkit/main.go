// Package testkit holds what tests of every package share: a check for leaked goroutines, a wait with a deadline, and
// the switches of a stress run. Only tests import it.
//
// It reads two variables of the environment. TICKLANE_STRESS=1, which make stress sets, selects long searches and
// tests whose subject is the machine's speed. TICKLANE_SEED repeats the random choices of an earlier run. Neither is a
// setting of ticklane: a test that starts the binary must not pass them on.
package testkit

import (
	"time"

	"go.uber.org/goleak"
)

// leakTimeout is how long goroutines may take to end once the tests have passed. It only delays the report of a leak.
const leakTimeout = time.Minute

// Main runs a package's tests for its TestMain and exits the process. Tests that pass but leave goroutines running fail;
// options are goleak's, for example to ignore a library's own goroutines.
func Main(m goleak.TestingM, options ...goleak.Option) {
	goleak.VerifyTestMain(leakChecker{m, options}, options...)
}

// leakChecker gives goroutines more time to end than goleak's default of under a second.
type leakChecker struct {
	goleak.TestingM
	options []goleak.Option
}

// Run runs the tests and returns their exit code once no goroutine is left, or after leakTimeout.
func (c leakChecker) Run() int {
	code := c.TestingM.Run()
	for end := time.Now().Add(leakTimeout); code == 0 && goleak.Find(c.options...) != nil && time.Now().Before(end); {
	}
	return code
}
