package mysql

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sojournhq/sojourn/store/sqlstore/internal/finding"
)

const smallPacket = 1 << 20 // a session of half that size is refused, or nearly

// ServerTime is the server's clock. Nothing depends on it; one that is wrong
// tells of a machine that nobody looks after, or of ours.
func (s *Store) ServerTime(ctx context.Context) (time.Time, error) {
	var us int64
	err := s.db.QueryRowContext(ctx, "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(6))").Scan(&us)
	if err != nil {
		return time.Time{}, s.wrap("server time", err)
	}
	return time.UnixMicro(us).UTC(), nil
}

// Diagnose looks at what an operator should know and reports each finding: what
// was looked at, what was seen, and, if that is not as it should be, what to do.
// A problem that has a method Warning() bool which returns true only deserves
// attention. It changes nothing, and needs no privilege that the store does not.
// It names the checks
//
//	engine role schema durability cluster packets connections table
func (s *Store) Diagnose(ctx context.Context, report func(check, detail string, problem error)) {
	d := diagnosis{ctx: ctx, s: s, report: report}
	var version string
	if !d.ask("engine", "SELECT VERSION()", &version) {
		return
	}
	product := "MySQL"
	if strings.Contains(version, "MariaDB") {
		product = "MariaDB"
	}
	report("engine", product+" "+version, nil)
	var err error
	if d.set, err = d.pairs("SHOW GLOBAL VARIABLES"); err != nil {
		report("settings", "not known", s.wrap("diagnose", err))
	} else {
		d.role()
		d.durability()
		d.cluster()
		d.packets()
		d.connections()
	}
	var schema int
	if d.ask("schema", "SELECT COALESCE(MAX(version), 0) FROM sojourn_schema", &schema) {
		report("schema", fmt.Sprintf("version %d", schema), nil)
	}
	d.table()
}

type diagnosis struct {
	ctx    context.Context
	s      *Store
	report func(check, detail string, problem error)
	set    map[string]string // the server's settings
}

// ask selects one row. It is false if that failed, which it reports.
func (d *diagnosis) ask(check, query string, to ...any) bool {
	err := d.s.db.QueryRowContext(d.ctx, query).Scan(to...)
	if err != nil {
		d.report(check, "not known", d.s.wrap("diagnose", err))
	}
	return err == nil
}

// pairs reads names and values.
func (d *diagnosis) pairs(query string) (map[string]string, error) {
	rows, err := d.s.db.QueryContext(d.ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[string]string{}
	for rows.Next() {
		var name string
		var value []byte // may be NULL
		if err := rows.Scan(&name, &value); err != nil {
			return nil, err
		}
		all[name] = string(value)
	}
	return all, rows.Err()
}

func on(value string) bool { return value != "" && value != "0" && !strings.EqualFold(value, "OFF") }

func (d *diagnosis) role() {
	for _, name := range []string{"read_only", "super_read_only", "innodb_read_only"} {
		if v := d.set[name]; on(v) && !strings.EqualFold(v, "NO_LOCK") {
			d.report("role", name+"="+v, errors.New("sessions can neither begin nor end at a replica, unless this user is exempt, and then they are lost: name the primary in the URL"))
			return
		}
	}
	d.report("role", "accepts writes", nil)
}

func (d *diagnosis) durability() {
	flush, binlog := d.set["innodb_flush_log_at_trx_commit"], d.set["sync_binlog"]
	double, logged := d.set["innodb_doublewrite"], on(d.set["log_bin"])
	detail := fmt.Sprintf("innodb_flush_log_at_trx_commit=%s, innodb_doublewrite=%s", flush, double)
	if logged {
		detail += ", sync_binlog=" + binlog
	}
	switch {
	case flush != "1" && flush != "3": // 3 is MariaDB's, and stricter
		d.report("durability", detail, errors.New("a crash brings sessions back that were ended in the second before: SET GLOBAL innodb_flush_log_at_trx_commit=1, and in the configuration, too"))
	case logged && binlog != "1":
		d.report("durability", detail, finding.Advise("after a crash of this machine its replicas can differ from it, and a failover can bring an ended session back: SET GLOBAL sync_binlog=1, and in the configuration, too"))
	case double != "" && !on(double):
		d.report("durability", detail, finding.Advise("a crash of the machine can leave torn pages, unless its file system prevents them: set innodb_doublewrite=ON"))
	default:
		d.report("durability", detail, nil)
	}
	if logged && strings.EqualFold(d.set["binlog_format"], "STATEMENT") {
		d.report("binary log", "binlog_format=STATEMENT", errors.New("the server refuses writes that are READ COMMITTED: set binlog_format=ROW"))
	}
}

// cluster is about Galera.
func (d *diagnosis) cluster() {
	if !on(d.set["wsrep_on"]) {
		return
	}
	wait, _ := strconv.Atoi(d.set["wsrep_sync_wait"])
	var problem error
	if wait&3 != 3 {
		problem = finding.Advise("a session that was ended at another node is still seen here for a moment: let all processes use one node, or set wsrep_sync_wait=3 on each")
	}
	d.report("cluster", fmt.Sprintf("Galera, wsrep_sync_wait=%d", wait), problem)
}

func (d *diagnosis) packets() {
	n, _ := strconv.ParseInt(d.set["max_allowed_packet"], 10, 64)
	var problem error
	if n <= smallPacket {
		problem = finding.Advise("larger sessions are refused with ErrTooLarge: set max_allowed_packet=16M, the default, and restart this process")
	}
	d.report("packets", "max_allowed_packet is "+finding.Size(n), problem)
}

func (d *diagnosis) connections() {
	status, err := d.pairs("SHOW GLOBAL STATUS LIKE 'Threads_connected'")
	if err != nil {
		d.report("connections", "not known", d.s.wrap("diagnose", err))
		return
	}
	used, _ := strconv.Atoi(status["Threads_connected"])
	limit, _ := strconv.Atoi(d.set["max_connections"])
	ours := d.s.db.Stats().MaxOpenConnections
	var problem error
	if limit-used < ours {
		problem = finding.Advise("a process that starts now may not get the %d connections it is set to use at most: raise max_connections, lower Options.Conns, or end connections that rest", ours)
	}
	d.report("connections", fmt.Sprintf("%d of %d in use, a process uses up to %d", used, limit, ours), problem)
}

func (d *diagnosis) table() {
	var engine string
	var rows, data, indexes, free int64
	if !d.ask("table", `SELECT COALESCE(ENGINE, ''), COALESCE(TABLE_ROWS, 0), COALESCE(DATA_LENGTH, 0), COALESCE(INDEX_LENGTH, 0), COALESCE(DATA_FREE, 0)
		FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'sojourn_session'`, &engine, &rows, &data, &indexes, &free) {
		return
	}
	detail := fmt.Sprintf("%s, %s and %s of indexes, about %d rows, %s free in its file", engine, finding.Size(data), finding.Size(indexes), rows, finding.Size(free))
	var problem error
	if !strings.EqualFold(engine, "InnoDB") {
		problem = errors.New("only InnoDB keeps what the store promises: ALTER TABLE sojourn_session ENGINE=InnoDB, and sojourn_owner likewise")
	}
	d.report("table", detail, problem)
}
