package postgres

import (
	"testing"

	"github.com/sojournhq/sojourn/store/sqlstore/internal/enginetest"
)

func own(t *testing.T) *Store { return openURL(t, newDatabase(t), nil) }

func TestEachOperationIsOneRoundTrip(t *testing.T)          { enginetest.RoundTrips(t, engine(t), 1) }
func TestP14KilledServerLosesNothing(t *testing.T)          { enginetest.KillsLoseNothing(t, engine(t), 4) }
func TestP3CutCommits(t *testing.T)                         { enginetest.CutCommits(t, engine(t)) }
func TestSlowServerIsBounded(t *testing.T)                  { enginetest.SlowServer(t, engine(t)) }
func TestARestartOfTheServerIsNoticedByNobody(t *testing.T) { enginetest.Restarts(t, engine(t)) }
func TestScanWalksThroughEveryRecord(t *testing.T)          { enginetest.Scans(t, own(t)) }
func TestP13CreatesRaceRevokeOwner(t *testing.T)            { enginetest.CreatesRaceRevokeOwner(t, own(t), 300) }
func TestNamesAreBytes(t *testing.T)                        { enginetest.NamesAreBytes(t, own(t)) }
func TestSweepersShareTheWork(t *testing.T)                 { enginetest.SweepsTogether(t, own(t)) }
