package loadtest

import "fmt"

// spareFiles is what the process needs besides its connections.
const spareFiles = 64

// FilesError says that the system doesn't let this process open as many connections as were asked for.
type FilesError struct{ Needed, Allowed uint64 }

func (e *FilesError) Error() string {
	return fmt.Sprintf("--conns: %d file descriptors are needed and this process may open %d, even at its hard limit. "+
		"Raise it (ulimit -Hn %d as root, LimitNOFILE=%d for a systemd unit, --ulimit nofile=%d for docker run), or ask for at most %d connections",
		e.Needed, e.Allowed, e.Needed, e.Needed, e.Needed, e.Allowed-min(e.Allowed, spareFiles))
}

// needFiles makes sure that so many connections can be open at once; the error is a *FilesError.
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
