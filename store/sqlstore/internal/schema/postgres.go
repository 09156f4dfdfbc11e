package schema

// Postgres is the schema on PostgreSQL.
//
//   - expires and due are milliseconds since 1970. due is when a sweep looks at
//     the record: never after expires, and left behind when a touch moves that.
//     So no update moves an indexed column, and all are heap-only: they leave the
//     indexes alone. An index on expires gives 0 % of those, one on the day of
//     expires gives nearly all, but every sweep reads all records of today.
//   - A fourth of each page is free for them.
//   - id and owner are bytes: compared as such whatever the encoding and the
//     collation of the database.
//   - state: 0 live, 1 dead. ver, gen: see sojourn.Record. A record's owner never
//     changes, so the index on it costs updates nothing.
var Postgres = Dialect{
	begin: "BEGIN;\n\n", end: "COMMIT;\n",
	mark: "INSERT INTO sojourn_schema (version) VALUES (%d) ON CONFLICT DO NOTHING",
	Migrations: [][]string{{`
CREATE TABLE sojourn_session (
	ver     bigint   NOT NULL,
	expires bigint   NOT NULL,
	due     bigint   NOT NULL,
	gen     bigint   NOT NULL,
	state   smallint NOT NULL,
	id      bytea    NOT NULL PRIMARY KEY,
	owner   bytea    NOT NULL,
	data    bytea    NOT NULL
) WITH (fillfactor = 75, autovacuum_vacuum_scale_factor = 0.02)`, `
CREATE INDEX sojourn_session_by_due ON sojourn_session (due)`, `
CREATE INDEX sojourn_session_by_owner ON sojourn_session (owner) WHERE owner <> ''`, `
CREATE TABLE sojourn_owner (
	gen   bigint NOT NULL,
	owner bytea  NOT NULL PRIMARY KEY
)`, `
CREATE TABLE sojourn_schema (
	version int NOT NULL PRIMARY KEY
)`,
	}},
}
