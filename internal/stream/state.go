package stream

// state is where a subscriber is in its life. Next drives it; event has all transitions:
//
//	new        hello enqueued          → streaming
//	streaming  bye enqueued, or stop   → draining
//	draining   all bytes returned      → ended
//
// An event that isn't in the table leaves the state as it is, and whatever goes with it isn't done: no second hello, no
// second bye, nothing after the bye.
type state uint8

const (
	stateNew       state = iota // nothing was enqueued
	stateStreaming              // ticks and messages follow the hello
	stateDraining               // nothing new is enqueued; Next returns what is left
	stateEnded                  // Next returns nothing
	numStates
)

// event is what changes a subscriber's state.
type event uint8

const (
	eventHello   event = iota // the hello is due
	eventBye                  // the stream ends with a bye
	eventStop                 // the stream ends without a bye
	eventDrained              // Next has returned the last byte
	numEvents
)

// transitions holds the next state of each state and event; numStates where the event isn't allowed.
var transitions = [numStates][numEvents]state{
	stateNew:       {eventHello: stateStreaming, eventBye: numStates, eventStop: numStates, eventDrained: numStates},
	stateStreaming: {eventHello: numStates, eventBye: stateDraining, eventStop: stateDraining, eventDrained: numStates},
	stateDraining:  {eventHello: numStates, eventBye: numStates, eventStop: numStates, eventDrained: stateEnded},
	stateEnded:     {eventHello: numStates, eventBye: numStates, eventStop: numStates, eventDrained: numStates},
}

// apply makes the transition of an event, and returns whether the event is allowed in this state.
func (s *state) apply(e event) (ok bool) {
	next := transitions[*s][e]
	if next == numStates {
		return false
	}
	*s = next
	return true
}
