package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/sojournhq/sojourn/store/sqlstore/internal/finding"
)

const (
	checkTimeout = 10 * time.Second // for the integrity of the file
	largeLog     = 256 << 20
	lowDisk      = 1 << 30
	noDisk       = 64 << 20
)

// Diagnose looks at what an operator should know and reports each finding: what
// was looked at, what was seen, and, if that is not as it should be, what to do.
// A problem that has a method Warning() bool which returns true only deserves
// attention. It reads the whole file, for at most ten seconds.
func (s *Store) Diagnose(ctx context.Context, report func(check, detail string, problem error)) {
	d := diagnosis{ctx, s, report}
	d.settings()
	if path := d.path(); path != "" {
		d.files(path)
		d.disk(path)
	}
	d.integrity()
}

type diagnosis struct {
	ctx    context.Context
	s      *Store
	report func(check, detail string, problem error)
}

// ask selects one value. ok is false if that failed, which it reports.
func (d *diagnosis) ask(ctx context.Context, check, query string) (value string, ok bool) {
	err := d.s.readers.QueryRowContext(ctx, query).Scan(&value)
	if err != nil {
		d.report(check, "", d.s.wrap("diagnose", d.s.reading(err)))
	}
	return value, err == nil
}

func (d *diagnosis) settings() {
	if v, ok := d.ask(d.ctx, "engine", "SELECT sqlite_version()"); ok {
		d.report("engine", "SQLite "+v, nil)
	}
	if v, ok := d.ask(d.ctx, "schema", "PRAGMA user_version"); ok {
		d.report("schema", "version "+v, nil)
	}
	if v, ok := d.ask(d.ctx, "journal mode", "PRAGMA journal_mode"); ok {
		var problem error
		if v != "wal" {
			problem = errors.New("somebody turned the write-ahead log off: restart the server, which turns it on, and leave it to the server")
		}
		d.report("journal mode", v, problem)
	}
	// It belongs to a connection, so only the one that writes can tell.
	v, err := write(d.ctx, d.s, durable, func(t *tx) (v int, err error) {
		err = t.conn.QueryRowContext(context.Background(), "PRAGMA synchronous").Scan(&v)
		return v, err
	})
	switch {
	case err != nil:
		d.report("durability", "", d.s.wrap("diagnose", err))
	case v < 2:
		d.report("durability", "synchronous="+strconv.Itoa(v), errors.New("commits do not wait for the disk: this is a defect of sojourn, please report it"))
	default:
		d.report("durability", "commits wait for the disk (synchronous=FULL)", nil)
	}
}

// path asks the engine where its file is.
func (d *diagnosis) path() string {
	path, _ := d.ask(d.ctx, "file", "SELECT file FROM pragma_database_list WHERE name = 'main'")
	return path
}

func (d *diagnosis) files(path string) {
	info, err := os.Stat(path)
	if err != nil {
		d.report("file", path, fmt.Errorf("it has gone, or cannot be reached, while the server has it open: what is written now is lost at the server's end; restore it from a copy: %w", bare(err)))
		return
	}
	d.report("file", fmt.Sprintf("%s, %s", path, finding.Size(info.Size())), nil)
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
			d.report("permissions", fmt.Sprintf("%s: %04o", name, info.Mode().Perm()),
				finding.Advise("other users of this machine can reach the sessions: chmod 600 %s", name))
			return
		}
	}
	if runtime.GOOS != "windows" {
		d.report("permissions", fmt.Sprintf("%04o: its user only", info.Mode().Perm()), nil)
	}
	if log, err := os.Stat(path + "-wal"); err == nil {
		var problem error
		if log.Size() > largeLog {
			problem = finding.Advise("the log cannot be moved into the file while another program reads from it without end: find and end that program (lsof %s)", path)
		}
		d.report("log", finding.Size(log.Size()), problem)
	}
}

func (d *diagnosis) disk(path string) {
	free, total, ok := diskSpace(path)
	if !ok {
		return
	}
	var problem error
	switch {
	case free < noDisk:
		problem = errors.New("the disk is all but full, and sessions can soon neither begin nor change: free some space")
	case free < lowDisk && free < total/10:
		problem = finding.Advise("free some space before the disk is full: sessions could neither begin nor change then")
	}
	d.report("disk", fmt.Sprintf("%s free of %s", finding.Size(free), finding.Size(total)), problem)
}

func (d *diagnosis) integrity() {
	ctx, cancel := context.WithTimeout(d.ctx, checkTimeout)
	defer cancel()
	var v string
	err := d.s.readers.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&v)
	switch {
	case err != nil && d.ctx.Err() == nil && ctx.Err() != nil:
		d.report("integrity", "not known", finding.Advise("the file is too large to be checked in %s: run PRAGMA quick_check on a copy made by VACUUM INTO", checkTimeout))
	case err != nil:
		d.report("integrity", "", d.s.wrap("diagnose", d.s.reading(err)))
	case v != "ok":
		d.report("integrity", v, errors.New("the file is damaged: stop the server, keep the file, and restore a copy"))
	default:
		d.report("integrity", "ok", nil)
	}
}
