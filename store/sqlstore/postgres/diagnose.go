package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sojournhq/sojourn/store/sqlstore/internal/finding"
)

const (
	manyDead = 10_000    // rows that wait to be reclaimed, if there are as many live ones
	longOpen = time.Hour // a transaction
	fullFeed = 0.25      // of the queue of notifications
)

// ServerTime is the server's clock. Nothing depends on it; one that is wrong
// tells of a machine that nobody looks after, or of ours.
func (s *Store) ServerTime(ctx context.Context) (t time.Time, err error) {
	err = s.pool.QueryRow(ctx, "SELECT clock_timestamp()").Scan(&t)
	return t, s.wrap("server time", err)
}

// Diagnose looks at what an operator should know and reports each finding: what
// was looked at, what was seen, and, if that is not as it should be, what to do.
// A problem that has a method Warning() bool which returns true only deserves
// attention. It changes nothing, and needs no privilege that the store does not.
// It names the checks
//
//	engine role schema durability standbys connections table transactions notifications
func (s *Store) Diagnose(ctx context.Context, report func(check, detail string, problem error)) {
	d := diagnosis{ctx, s, report}
	d.server()
	d.standbys()
	d.connections()
	d.table()
	d.transactions()
	d.notifications()
}

type diagnosis struct {
	ctx    context.Context
	s      *Store
	report func(check, detail string, problem error)
}

// ask selects one row. It is false if that failed, which it reports.
func (d *diagnosis) ask(check, query string, to ...any) bool {
	err := d.s.pool.QueryRow(d.ctx, query).Scan(to...)
	if err != nil {
		d.report(check, "not known", d.s.wrap("diagnose", err))
	}
	return err == nil
}

func (d *diagnosis) server() {
	var version, readOnly, fsync, pages, commit string
	var recovering bool
	var schema int
	if !d.ask("engine", `SELECT current_setting('server_version'), current_setting('transaction_read_only'), pg_is_in_recovery(),
		current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit'),
		(SELECT COALESCE(max(version), 0) FROM sojourn_schema)`, &version, &readOnly, &recovering, &fsync, &pages, &commit, &schema) {
		return
	}
	d.report("engine", "PostgreSQL "+version, nil)
	switch {
	case recovering:
		d.report("role", "a standby", errors.New("sessions can neither begin nor end here: name the primary in the URL, or all hosts and target_session_attrs=read-write"))
	case readOnly != "off":
		d.report("role", "read-only", errors.New("sessions can neither begin nor end: unset default_transaction_read_only for this server, database and user"))
	default:
		d.report("role", "the primary", nil)
	}
	d.report("schema", fmt.Sprintf("version %d", schema), nil)

	detail := fmt.Sprintf("fsync=%s, full_page_writes=%s, synchronous_commit=%s", fsync, pages, commit)
	switch {
	case fsync != "on":
		d.report("durability", detail, errors.New("a crash of the machine can destroy every database of this server: set fsync=on and reload the server"))
	case commit == "off":
		d.report("durability", detail, errors.New("a crash of the server brings sessions back that were ended a moment before: take synchronous_commit=off out of the URL"))
	case pages != "on":
		d.report("durability", detail, finding.Advise("a crash of the machine can leave torn pages, unless its file system prevents them: set full_page_writes=on and reload the server"))
	default:
		d.report("durability", detail, nil)
	}
}

func (d *diagnosis) standbys() {
	var count int
	var names, commit string
	if !d.ask("standbys", `SELECT count(*), current_setting('synchronous_standby_names'), current_setting('synchronous_commit')
		FROM pg_stat_replication`, &count, &names, &commit) {
		return
	}
	detail := fmt.Sprintf("%d connected, synchronous_standby_names=%q", count, names)
	switch {
	case names != "" && commit == "local":
		d.report("standbys", detail, finding.Advise("synchronous_commit=local waits for no standby, so a failover can bring an ended session back: set it to on"))
	case names == "" && count > 0:
		d.report("standbys", detail, finding.Advise("commits wait for no standby, so a failover can bring an ended session back: set synchronous_standby_names, if a standby may become the primary"))
	default:
		d.report("standbys", detail, nil)
	}
}

func (d *diagnosis) connections() {
	var used, limit, reserved int64
	if !d.ask("connections", `SELECT count(*), current_setting('max_connections')::bigint, current_setting('superuser_reserved_connections')::bigint
		FROM pg_stat_activity WHERE backend_type IS NULL OR backend_type = 'client backend'`, &used, &limit, &reserved) {
		return
	}
	ours := int64(d.s.pool.Config().MaxConns)
	var problem error
	if free := limit - reserved - used; free < ours {
		problem = finding.Advise("a process that starts now may not get the %d connections it is set to use at most: raise max_connections, lower Options.Conns, or end connections that rest", ours)
	}
	d.report("connections", fmt.Sprintf("%d of %d in use, a process uses up to %d", used, limit, ours), problem)
}

func (d *diagnosis) table() {
	var heap, indexes, live, dead int64
	var enabled bool
	var cleaned *time.Time
	if !d.ask("table", `SELECT pg_table_size(relid), pg_indexes_size(relid), n_live_tup, n_dead_tup,
		GREATEST(last_vacuum, last_autovacuum), current_setting('autovacuum')::bool AND current_setting('track_counts')::bool
			AND NOT EXISTS (SELECT FROM pg_class WHERE oid = relid AND 'autovacuum_enabled=false' = ANY (reloptions))
		FROM pg_stat_user_tables WHERE relid = 'sojourn_session'::regclass`, &heap, &indexes, &live, &dead, &cleaned, &enabled) {
		return
	}
	last := "never"
	if cleaned != nil {
		last = cleaned.UTC().Format("2006-01-02 15:04 MST")
	}
	detail := fmt.Sprintf("%s and %s of indexes, about %d rows and %d to be reclaimed, last vacuumed: %s",
		finding.Size(heap), finding.Size(indexes), live, dead, last)
	var problem error
	switch {
	case !enabled:
		problem = errors.New("the table grows without end, since nothing reclaims what updates leave behind: set autovacuum and track_counts to on, also for the table")
	case dead > manyDead && dead > live:
		problem = finding.Advise("more rows wait to be reclaimed than are in use: end transactions that stay open, and VACUUM sojourn_session")
	}
	d.report("table", detail, problem)
}

func (d *diagnosis) transactions() {
	var seconds float64
	var pid int32
	if !d.ask("transactions", `SELECT COALESCE(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float8,
		COALESCE((array_agg(pid ORDER BY xact_start))[1], 0) FROM pg_stat_activity
		WHERE xact_start IS NOT NULL AND pid <> pg_backend_pid() AND backend_type = 'client backend'`, &seconds, &pid) {
		return
	}
	oldest := time.Duration(seconds * float64(time.Second)).Round(time.Second)
	detail := "none that this user may see is open for long"
	var problem error
	if oldest > longOpen {
		detail = fmt.Sprintf("process %d has one open for %s", pid, oldest)
		problem = finding.Advise("the server reclaims nothing meanwhile, and tables grow: find out what it is, and end it (SELECT pg_terminate_backend(%d))", pid)
	}
	d.report("transactions", detail, problem)
}

func (d *diagnosis) notifications() {
	var used float64
	if !d.ask("notifications", "SELECT pg_notification_queue_usage()", &used) {
		return
	}
	var problem error
	if used > fullFeed {
		problem = errors.New("when the queue is full, and Options.Notify is set, no session can be ended: find the listener that stays in a transaction, and end it (the server's log names its process)")
	}
	d.report("notifications", strings.TrimSuffix(fmt.Sprintf("%.1f", 100*used), ".0")+" % of the queue in use", problem)
}
