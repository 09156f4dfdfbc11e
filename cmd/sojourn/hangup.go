package main

import (
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

// onHangup runs f at each SIGHUP, by which service managers ask to read the
// configuration anew, until the returned function is called.
func onHangup(logger *slog.Logger, f func() error) (stop func()) {
	hangups, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		defer close(done)
		for range hangups {
			if err := f(); err != nil {
				logger.Error("SIGHUP: not everything could be done anew; what was, stays", "error", err)
				continue
			}
			logger.Info("SIGHUP: keys read again, audit file begun anew")
		}
	}()
	return func() {
		signal.Stop(hangups)
		close(hangups)
		<-done
	}
}
