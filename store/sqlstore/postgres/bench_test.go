package postgres

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/sqlstore/internal/enginetest"
)

// The bare client reads or writes 500 bytes by their key, with the same pool, on
// a table with one column more than that, and knows nothing of sessions.
func BenchmarkOverABareClient(b *testing.B) {
	url := newDatabase(b)
	s := openURL(b, url, nil)
	config, err := parse(url)
	if err != nil {
		b.Fatal(err)
	}
	config.MaxConns, config.ShouldPing = defaultConns, doubtful
	bare, err := pgxpool.NewWithConfig(b.Context(), config)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(bare.Close)
	admin(b, url, "CREATE TABLE bare (id bytea PRIMARY KEY, seen bigint NOT NULL, data bytea NOT NULL) WITH (fillfactor = 75)")
	const sessions = 1000
	data := make([]byte, 500)
	records := make([]sojourn.Record, sessions)
	ids := make([][]byte, sessions)
	for i := range records {
		ids[i] = fmt.Appendf(nil, "session-%022d", i)
		records[i] = sojourn.Record{ID: sojourn.ID(ids[i]), Owner: fmt.Sprint("user", i), Expires: in(time.Hour), Payload: data}
		if err := s.Create(b.Context(), &records[i]); err != nil {
			b.Fatal(err)
		}
		if _, err := bare.Exec(b.Context(), "INSERT INTO bare VALUES ($1, 0, $2)", ids[i], data); err != nil {
			b.Fatal(err)
		}
	}
	ctx := b.Context()
	for _, parallel := range []int{1, 16} {
		b.Run(fmt.Sprintf("Load-%d", parallel), func(b *testing.B) {
			enginetest.Ratio(b, parallel, func(i int) error {
				_, err := s.Load(ctx, records[i%sessions].ID)
				return err
			}, func(i int) error {
				var got []byte
				return bare.QueryRow(ctx, "SELECT data FROM bare WHERE id = $1", ids[i%sessions]).Scan(&got)
			})
		})
		b.Run(fmt.Sprintf("Touch-%d", parallel), func(b *testing.B) {
			at := in(time.Hour)
			enginetest.Ratio(b, parallel, func(i int) error {
				return s.Touch(ctx, &records[i%sessions], at.Add(time.Duration(i)*time.Millisecond))
			}, func(i int) error {
				_, err := bare.Exec(ctx, "UPDATE bare SET seen = $1 WHERE id = $2", i, ids[i%sessions])
				return err
			})
		})
	}
	b.Run("Update-1", func(b *testing.B) {
		enginetest.Ratio(b, 1, func(i int) error {
			_, err := s.Update(ctx, &records[i%sessions])
			return err
		}, func(i int) error {
			_, err := bare.Exec(ctx, "UPDATE bare SET data = $1, seen = seen + 1 WHERE id = $2", data, ids[i%sessions])
			return err
		})
	})
}
