package sqlstore

import (
	"context"
	"database/sql"
)

// A tx is the writer's connection inside a transaction.
type tx struct {
	conn     *sql.Conn
	prepared map[string]*sql.Stmt
}

// exec runs a statement and returns how many rows it changed.
func (t *tx) exec(query string, args ...any) (int64, error) {
	res, err := t.prepared[query].ExecContext(context.Background(), args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// row runs a statement that returns at most one row.
func (t *tx) row(query string, args ...any) *sql.Row {
	return t.prepared[query].QueryRowContext(context.Background(), args...)
}

// A batcher runs groups of operations as transactions on the one connection
// that writes. It never uses an operation's context: a statement that was cut
// off would take the whole group with it.
type batcher struct {
	tx     tx
	synced bool // commits wait for the disk: PRAGMA synchronous is FULL
}

const (
	sqlBegin    = "BEGIN IMMEDIATE"
	sqlCommit   = "COMMIT"
	sqlRollback = "ROLLBACK"
)

// newBatcher prepares the statements on conn, which is set to sync each commit.
func newBatcher(ctx context.Context, conn *sql.Conn, statements ...string) (*batcher, error) {
	b := &batcher{tx: tx{conn, map[string]*sql.Stmt{}}, synced: true}
	for _, text := range append(statements, sqlBegin, sqlCommit, sqlRollback) {
		stmt, err := conn.PrepareContext(ctx, text)
		if err != nil {
			b.close()
			return nil, err
		}
		b.tx.prepared[text] = stmt
	}
	return b, nil
}

// close ends the statements, without which the engine would keep the file open.
func (b *batcher) close() {
	for _, stmt := range b.tx.prepared {
		stmt.Close()
	}
}

// commit runs the operations in one transaction and answers each. If one of
// them meets an engine's error, which may have undone the others, each gets a
// transaction of its own, so that the error hits only the one it belongs to.
func (b *batcher) commit(batch []*op) {
	failed, err := b.attempt(batch)
	if failed && len(batch) > 1 {
		for i := range batch {
			b.commit(batch[i : i+1])
		}
		return
	}
	for _, o := range batch {
		o.done <- err
	}
}

// attempt runs one transaction. failed tells that an operation caused err,
// rather than the begin or the commit: these would fail again for each.
func (b *batcher) attempt(batch []*op) (failed bool, err error) {
	if err := b.sync(batch); err != nil {
		return false, err
	}
	if _, err := b.tx.exec(sqlBegin); err != nil {
		return false, err
	}
	for _, o := range batch {
		if err := o.run(&b.tx); err != nil {
			b.tx.exec(sqlRollback) // fails if the engine has rolled back itself
			return true, err
		}
	}
	if _, err := b.tx.exec(sqlCommit); err != nil {
		b.tx.exec(sqlRollback)
		return false, err
	}
	return false, nil
}

// sync makes the next commit wait for the disk if one of the operations needs
// that. The log is synced as a whole, so a commit that waits also carries those
// before it that did not.
func (b *batcher) sync(batch []*op) error {
	need := false
	for _, o := range batch {
		need = need || o.needs == durable
	}
	if need == b.synced {
		return nil
	}
	text := "PRAGMA synchronous=NORMAL"
	if need {
		text = "PRAGMA synchronous=FULL"
	}
	// Not prepared: SQLite carries this one out while it parses it.
	if _, err := b.tx.conn.ExecContext(context.Background(), text); err != nil {
		return err
	}
	b.synced = need
	return nil
}
