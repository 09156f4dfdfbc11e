package sqlkeeper_test

import (
	"database/sql"
	"errors"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format/formattest"
	"github.com/sojournhq/sojourn/format/sqlkeeper"
	"github.com/sojournhq/sojourn/internal/testenv"
)

// The table as connect-pg-simple makes it.
const table = `CREATE TABLE "session" ("sid" varchar NOT NULL COLLATE "default" PRIMARY KEY, "sess" json NOT NULL, "expire" timestamp(6) NOT NULL)`

func TestKeeper(t *testing.T) {
	db, err := sql.Open("pgx", testenv.StartPostgres(t).AdminURL())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(table); err != nil {
		t.Fatal(err)
	}
	for _, zone := range []string{"UTC", "America/New_York", "Asia/Kolkata"} {
		t.Run(zone, func(t *testing.T) {
			if _, err := db.Exec(`ALTER DATABASE postgres SET timezone TO '` + zone + `'`); err != nil {
				t.Fatal(err)
			}
			db.SetMaxIdleConns(0) // new connections see the new time zone
			k, err := sqlkeeper.New(db, nil)
			if err != nil {
				t.Fatal(err)
			}
			formattest.RunKeeper(t, k, &formattest.KeeperOptions{Key: func(name string) string { return zone + name }})
		})
	}
}

func TestNewRefuses(t *testing.T) {
	if _, err := sqlkeeper.New(nil, nil); !errors.Is(err, sojourn.ErrInvalid) {
		t.Error(err)
	}
	if _, err := sqlkeeper.New(new(sql.DB), &sqlkeeper.Options{Table: "a\x00"}); !errors.Is(err, sojourn.ErrInvalid) {
		t.Error(err)
	}
}
