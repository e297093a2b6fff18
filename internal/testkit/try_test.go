package testkit

import "testing"

func TestTryKeepsTheFirstFailure(t *testing.T) {
	for _, c := range []struct {
		f    func(t testing.TB)
		want string
	}{
		{func(testing.TB) {}, ""},
		{func(t testing.TB) { t.Errorf("%d", 1); t.Error("two") }, "1"},
		{func(t testing.TB) { t.Fatal("ends"); t.Error("after the end") }, "ends"},
		{func(t testing.TB) { t.Fatal() }, "failed"},
		{func(t testing.TB) { t.Error("first"); t.Fatalf("second") }, "first"},
	} {
		if got := Try(t, c.f); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
