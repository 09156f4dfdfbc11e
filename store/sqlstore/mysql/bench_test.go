package mysql

import (
	"fmt"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/sqlstore/internal/enginetest"
)

// The bare client reads or writes 500 bytes by their key, with the same pool, on
// a table with one column more than that, and knows nothing of sessions.
func BenchmarkOverABareClient(b *testing.B) {
	url := newDatabase(b)
	s := openURL(b, url, nil)
	bare := connect(b, url)
	bare.SetMaxIdleConns(defaultConns)
	bare.SetMaxOpenConns(defaultConns)
	admin(b, url, "CREATE TABLE bare (id VARBINARY(128) PRIMARY KEY, seen BIGINT NOT NULL, data LONGBLOB NOT NULL) ENGINE = InnoDB")
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
		if _, err := bare.Exec("INSERT INTO bare VALUES (?, 0, ?)", ids[i], data); err != nil {
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
				return bare.QueryRowContext(ctx, "SELECT data FROM bare WHERE id = ?", ids[i%sessions]).Scan(&got)
			})
		})
		b.Run(fmt.Sprintf("Touch-%d", parallel), func(b *testing.B) {
			at := in(time.Hour)
			enginetest.Ratio(b, parallel, func(i int) error {
				return s.Touch(ctx, &records[i%sessions], at.Add(time.Duration(i)*time.Millisecond))
			}, func(i int) error {
				_, err := bare.ExecContext(ctx, "UPDATE bare SET seen = ? WHERE id = ?", i, ids[i%sessions])
				return err
			})
		})
	}
	b.Run("Update-1", func(b *testing.B) {
		enginetest.Ratio(b, 1, func(i int) error {
			_, err := s.Update(ctx, &records[i%sessions])
			return err
		}, func(i int) error {
			_, err := bare.ExecContext(ctx, "UPDATE bare SET data = ?, seen = seen + 1 WHERE id = ?", data, ids[i%sessions])
			return err
		})
	})
}
