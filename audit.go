package main

import (
	"context"
	"fmt"
	"log/slog"

	"ticklane/internal/audit"
)

// openAudit opens audit.file. It returns nil if that is empty.
func openAudit(file string, logger *slog.Logger) (*audit.Log, error) {
	if file == "" {
		return nil, nil
	}
	l, err := audit.Open(file, logger)
	if err != nil {
		return nil, fmt.Errorf("audit.file: %w", err)
	}
	return l, nil
}

// reopenAudit opens audit.file again at each SIGHUP, until ctx is done.
func reopenAudit(ctx context.Context, l *audit.Log, logger *slog.Logger) {
	hangup, stop := hangups()
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			if err := l.Reopen(); err != nil {
				logger.Error("audit.file can't be opened again, the old file stays in use", "err", err)
				continue
			}
			logger.Info("audit.file opened again")
		}
	}
}
