package schema

// MySQL is the schema on MySQL and MariaDB. The columns are those of Postgres.
//
//   - Text is VARBINARY: VARCHAR folds case and ignores trailing spaces.
//   - An update that keeps due leaves the indexes alone.
//   - IF NOT EXISTS, since each statement that creates a table is a transaction
//     of its own here and an interruption may come between two.
var MySQL = Dialect{
	mark: "INSERT IGNORE INTO sojourn_schema (version) VALUES (%d)",
	Migrations: [][]string{{`
CREATE TABLE IF NOT EXISTS sojourn_session (
	id      VARBINARY(128) NOT NULL PRIMARY KEY,
	ver     BIGINT         NOT NULL,
	state   TINYINT        NOT NULL,
	expires BIGINT         NOT NULL,
	due     BIGINT         NOT NULL,
	owner   VARBINARY(255) NOT NULL,
	gen     BIGINT         NOT NULL,
	data    LONGBLOB       NOT NULL,
	KEY sojourn_session_by_due (due),
	KEY sojourn_session_by_owner (owner)
) ENGINE = InnoDB`, `
CREATE TABLE IF NOT EXISTS sojourn_owner (
	owner VARBINARY(255) NOT NULL PRIMARY KEY,
	gen   BIGINT         NOT NULL
) ENGINE = InnoDB`, `
CREATE TABLE IF NOT EXISTS sojourn_schema (
	version INT NOT NULL PRIMARY KEY
) ENGINE = InnoDB`,
	}},
}
