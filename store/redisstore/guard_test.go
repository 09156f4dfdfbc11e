package redisstore

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/rueidis"
)

func TestGuard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuard()
		defer g.close()
		g.dialling()
		g.dialling()
		g.dialledOne(true)
		time.Sleep(2 * calmAfter)
		if g.enter() {
			t.Error("direct while a dial is under way")
		}
		g.dialledOne(true)
		time.Sleep(2 * calmAfter)
		if !g.enter() {
			t.Error("no direct call in good times")
		}
		g.leave(true) // its command is still in a pipeline
		for range direct - 1 {
			if !g.enter() {
				t.Fatal("no direct call below the limit")
			}
		}
		if g.enter() {
			t.Error("direct although a pipeline may be full")
		}
		time.Sleep(forgotten + time.Second)
		if !g.enter() {
			t.Error("an abandoned command counts for ever")
		}
		g.disturb()
		if g.enter() {
			t.Error("direct although a connection has just broken")
		}
	})
}

func TestDetoursAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuard()
		defer g.close()
		frozen := make(chan struct{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		running := 0
		for range detours + 100 {
			go func() {
				answer := g.detour(ctx, func() rueidis.RedisResult {
					running++
					<-frozen
					return rueidis.RedisResult{}
				})
				if !errors.Is(answer.Error(), context.DeadlineExceeded) {
					t.Errorf("error %v", answer.Error())
				}
			}()
			synctest.Wait()
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if running != detours {
			t.Errorf("%d ran, expected %d", running, detours)
		}
		close(frozen)
		synctest.Wait()
		if g.underway.Load() != 0 {
			t.Errorf("%d under way at the end", g.underway.Load())
		}
	})
}
