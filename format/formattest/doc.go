// Package formattest checks formats. [Run] holds the rules of format.Format as
// cases that quote them; [Share] runs one scenario between a real application of
// another system and one of ours. It is for tests.
package formattest
