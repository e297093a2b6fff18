package storm

import (
	"container/heap"
	"time"
)

// timers are the clients that wait, the next one first.
type timers []timer

type timer struct {
	at time.Time
	c  *client
}

func (t *timers) add(c *client, at time.Time) { heap.Push(t, timer{at, c}) }

// due removes and returns a client whose time has come, nil if there is none.
func (t *timers) due(now time.Time) *client {
	if len(*t) == 0 || (*t)[0].at.After(now) {
		return nil
	}
	return heap.Pop(t).(timer).c
}

// Len, Less, Swap, Push and Pop implement heap.Interface.
func (t timers) Len() int           { return len(t) }
func (t timers) Less(i, j int) bool { return t[i].at.Before(t[j].at) }
func (t timers) Swap(i, j int)      { t[i], t[j] = t[j], t[i] }
func (t *timers) Push(x any)        { *t = append(*t, x.(timer)) }

func (t *timers) Pop() any {
	last := len(*t) - 1
	x := (*t)[last]
	*t = (*t)[:last]
	return x
}
