// Package unhurried keeps a busy machine out of what tests say.
package unhurried

import (
	"time"

	"go.uber.org/goleak"
)

// patience is for goroutines that are about to end, on a machine that is busy with something else. What has leaked stays.
const patience = time.Minute

// Main runs a package's tests, and fails when goroutines are left behind.
func Main(m goleak.TestingM, options ...goleak.Option) {
	goleak.VerifyTestMain(patient{m, options}, options...)
}

type patient struct {
	goleak.TestingM
	options []goleak.Option
}

func (p patient) Run() int {
	code := p.TestingM.Run()
	for end := time.Now().Add(patience); code == 0 && goleak.Find(p.options...) != nil && time.Now().Before(end); {
	}
	return code
}
