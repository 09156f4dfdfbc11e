package dbsc

import "errors"

// Errors that events and handlers meet. Compare with errors.Is.
var (
	// ErrUnproven: the session is bound, and the request did not come with proof
	// of its device: a stolen session cookie, or a browser that lost its key.
	ErrUnproven = errors.New("dbsc: the request does not prove that it comes from the session's device")
	// ErrUnbound: the session is not bound and may no longer be used so
	// (Options.UnboundFor).
	ErrUnbound = errors.New("dbsc: the session is not bound to a device")
)

// Why a proof or a challenge is not taken; the texts reach the client.
var (
	errProof     = errors.New("dbsc: not a proof as the protocol has it")
	errChallenge = errors.New("dbsc: the challenge is not ours, too old, or used")
	errBinding   = errors.New("dbsc: stored binding cannot be read")
	errBound     = errors.New("dbsc: the session is bound already")
	errOther     = errors.New("dbsc: the session has another binding")
	errKept      = errors.New("dbsc: nothing to change")
)
