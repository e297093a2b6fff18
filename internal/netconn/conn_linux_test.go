package netconn

// transferCases are those of Duplicate, which only Linux has.
var transferCases = []callbackCase{
	{"transferred", []string{"start", "detach", "duplicate", "close"}, nil, closed, 1},
	{"transferred and released", []string{"start", "detach", "duplicate", "close", "release"}, nil, closed, 0},
	{"transferred too late", []string{"start", "detach", "close", "duplicate"}, []string{"closed"}, closed, 0},
}
