package redisstore

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/sojournhq/sojourn/internal/redisurl"
)

// BenchmarkStore compares each operation with the plain command that moves the
// same bytes over the same client library: GET for reads, SET for writes. 32
// callers share the store, as requests do.
func BenchmarkStore(b *testing.B) {
	s := open(b, "redis://"+server(b).Addr, nil)
	for s.guard.troubled.Load() {
		time.Sleep(time.Millisecond)
	}
	ctx := context.Background()
	owner := "owner " + random()
	record := newRecord(owner)
	record.Payload = make([]byte, 400)
	if err := s.Create(ctx, &record); err != nil {
		b.Fatal(err)
	}
	value := encode(&record, 1, false)
	plain, err := rueidis.NewClient(s.clientOption(redisurl.Target{Topology: redisurl.Single, Addrs: []string{server(b).Addr}}))
	if err != nil {
		b.Fatal(err)
	}
	defer plain.Close()
	cpu := func() (µs float64) { // of the server, since it started
		for _, field := range []string{"used_cpu_user", "used_cpu_sys"} {
			seconds, err := strconv.ParseFloat(server(b).Info(field), 64)
			if err != nil {
				b.Fatal(err)
			}
			µs += seconds * 1e6
		}
		return µs
	}
	run := func(name string, caller func() func() error) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(16)
			before := cpu()
			b.RunParallel(func(pb *testing.PB) {
				op := caller()
				for pb.Next() {
					if err := op(); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric((cpu()-before)/float64(b.N), "server-µs/op")
		})
	}
	set := func() error {
		return plain.Do(ctx, plain.B().Set().Key("sojourn:plain").Value(value).PxatMillisecondsTimestamp(time.Now().Add(time.Hour).UnixMilli()).Build()).Error()
	}
	if err := set(); err != nil {
		b.Fatal(err)
	}
	run("GET", func() func() error {
		return func() error { return plain.Do(ctx, plain.B().Get().Key("sojourn:plain").Build()).Error() }
	})
	run("MGET", func() func() error {
		return func() error {
			return plain.Do(ctx, plain.B().Mget().Key("sojourn:plain", "sojourn:none").Build()).Error()
		}
	})
	run("Load", func() func() error {
		return func() error { _, err := s.Load(ctx, record.ID); return err }
	})
	run("SET", func() func() error { return set })
	run("Touch", func() func() error {
		own := create(b, s, "owner "+random())
		return func() error {
			own.Expires = own.Expires.Add(time.Second)
			return s.Touch(ctx, &own, own.Expires)
		}
	})
	run("Update", func() func() error {
		own := create(b, s, "owner "+random())
		own.Payload, own.Expires = record.Payload, time.Time{}
		return func() error { _, err := s.Update(ctx, &own); return err }
	})
	run("CreateAndRevoke", func() func() error {
		return func() error {
			r := newRecord(owner)
			r.Payload = record.Payload
			if err := s.Create(ctx, &r); err != nil {
				return err
			}
			return s.Revoke(ctx, revocation(r))
		}
	})
}
