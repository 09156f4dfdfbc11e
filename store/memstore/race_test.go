//go:build race

package memstore

func init() { raceEnabled = true }
