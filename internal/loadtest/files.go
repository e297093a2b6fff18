package loadtest

import "fmt"

// spareFiles is the number of file descriptors for everything but the connections.
const spareFiles = 64

// FilesError says that the system doesn't let this process open as many connections as were asked for.
type FilesError struct{ Needed, Allowed uint64 }

func (e *FilesError) Error() string {
	return fmt.Sprintf("--conns: %d file descriptors are needed, but this process may open %d, even at its hard limit. "+
		"Raise it (ulimit -Hn %d as root, LimitNOFILE=%d for a systemd unit, --ulimit nofile=%d for docker run), or use at most %d connections",
		e.Needed, e.Allowed, e.Needed, e.Needed, e.Needed, e.Allowed-min(e.Allowed, spareFiles))
}

// needFiles raises the limit of open files so that so many connections can be open at once. The error is a *FilesError if
// the system doesn't allow it.
func needFiles(connections int) error {
	needed := uint64(connections) + spareFiles
	allowed, err := openFiles(needed)
	if err != nil {
		return fmt.Errorf("limit of open files: %w", err)
	}
	if allowed < needed {
		return &FilesError{Needed: needed, Allowed: allowed}
	}
	return nil
}
