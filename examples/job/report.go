package main

import (
	"context"
	"time"

	"github.com/sojournhq/sojourn"
)

const report = sojourn.Key[string]("report")

// order notes in the request's session that a report is wanted, and tells whose
// session it is for.
func order(ctx context.Context) (sojourn.ID, error) {
	if err := report.Set(ctx, "being written"); err != nil {
		return "", err
	}
	s, err := sojourn.From(ctx)
	if err != nil {
		return "", err
	}
	if err := s.Save(ctx); err != nil { // now: the worker may be faster than the answer
		return "", err
	}
	return s.ID(ctx)
}

// write is the job, outside any request. Requests may use the session meanwhile.
func write(ctx context.Context, sessions *sojourn.Manager, id sojourn.ID) error {
	s, err := sessions.Open(ctx, id)
	if err != nil {
		return err // sojourn.ErrNotFound: the session has ended
	}
	ctx = sojourn.NewContext(ctx, s) // here keys find the session
	if err := report.Set(ctx, "written at "+time.Now().Format(time.TimeOnly)); err != nil {
		return err
	}
	return s.Save(ctx)
}
