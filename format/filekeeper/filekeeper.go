// Package filekeeper keeps another system's session records where it keeps them in
// files: PHP's session.save_handler = files.
//
//	keeper, err := filekeeper.New("/var/lib/php/sessions", nil)
//
// Every method takes the lock that PHP holds from session_start to the end of its
// request, so it waits for as long as a PHP request takes, or its context allows:
// raise Options.LoadTimeout and CommitTimeout of the manager accordingly. PHP refuses
// files of another user, so run as the same. Without flock, on Windows, New returns
// [sojourn.ErrUnsupported].
package filekeeper

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format"
)

// Options shape a Keeper. The zero value is ready for use.
type Options struct {
	// Depth is the N of save_path "N;/path": so many folders, each named by one
	// character of the ID. Default 0.
	Depth int
	// Mode of new files. Default 0600.
	Mode fs.FileMode
	// Life is how long after its last change a file lives: session.gc_maxlifetime.
	// Default 1440 s.
	Life time.Duration
	// Prefix of the names. Default "sess_".
	Prefix string
}

// A Keeper is safe for parallel use.
type Keeper struct {
	dir string
	opt Options
}

var _ format.Keeper = (*Keeper)(nil)

// New checks that dir, PHP's session.save_path, is a folder.
func New(dir string, opt *Options) (*Keeper, error) {
	k := &Keeper{dir: dir}
	if opt != nil {
		k.opt = *opt
	}
	if k.opt.Mode == 0 {
		k.opt.Mode = 0o600
	}
	if k.opt.Life <= 0 {
		k.opt.Life = 1440 * time.Second
	}
	if k.opt.Prefix == "" {
		k.opt.Prefix = "sess_"
	}
	if !hasLocks {
		return nil, fmt.Errorf("filekeeper: new: %w: this operating system has no flock", sojourn.ErrUnsupported)
	}
	if k.opt.Depth < 0 || k.opt.Depth > 8 {
		return nil, fmt.Errorf("filekeeper: new: %w: Options.Depth is %d, expected 0 to 8", sojourn.ErrInvalid, k.opt.Depth)
	}
	if st, err := os.Stat(dir); err != nil || !st.IsDir() {
		return nil, fmt.Errorf("filekeeper: new: %w: %q is no folder", sojourn.ErrInvalid, dir)
	}
	return k, nil
}

// path is the file of a key: the prefix, and an ID of PHP's alphabet, so that no ID
// leaves the folder.
func (k *Keeper) path(key string) (string, error) {
	id, ok := strings.CutPrefix(key, k.opt.Prefix)
	if !ok || len(id) <= k.opt.Depth || len(id) > 256 || strings.Trim(id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ,-") != "" {
		return "", sojourn.ErrNotFound
	}
	parts := []string{k.dir}
	for i := range k.opt.Depth {
		parts = append(parts, id[i:i+1])
	}
	return filepath.Join(append(parts, key)...), nil
}

// Read returns the file's content, and its last change plus Life.
func (k *Keeper) Read(ctx context.Context, key string) (record []byte, expires time.Time, err error) {
	err = k.open(ctx, key, os.O_RDONLY, false, func(f *os.File, _ string) error {
		st, err := f.Stat()
		if err != nil {
			return err
		}
		expires = st.ModTime().Add(k.opt.Life)
		record, err = read(f)
		return err
	})
	return record, expires, wrap("read", err)
}

func read(f *os.File) ([]byte, error) {
	record, err := io.ReadAll(io.LimitReader(f, 64<<20))
	if record == nil {
		record = []byte{}
	}
	return record, err
}

// Swap writes into the file, as PHP does: a new one in its place would have another
// lock.
func (k *Keeper) Swap(ctx context.Context, key string, old, record []byte, expires time.Time) error {
	flags := os.O_RDWR
	if old == nil {
		flags |= os.O_CREATE | os.O_EXCL
	}
	err := k.open(ctx, key, flags, true, func(f *os.File, path string) error {
		if old != nil {
			stored, err := read(f)
			if err != nil {
				return err
			}
			if !bytes.Equal(stored, old) {
				return sojourn.ErrConflict
			}
		}
		if record == nil {
			return os.Remove(path)
		}
		was, err := f.Stat()
		if err != nil {
			return err
		}
		if old == nil && was.Size() > 0 { // somebody wrote into it before the lock was ours
			return sojourn.ErrConflict
		}
		if _, err := f.WriteAt(record, 0); err != nil {
			return err
		}
		if int64(len(record)) < was.Size() {
			if err := f.Truncate(int64(len(record))); err != nil {
				return err
			}
		}
		if changed := expires.Add(-k.opt.Life); !expires.IsZero() {
			return os.Chtimes(path, changed, changed)
		}
		return os.Chtimes(path, was.ModTime(), was.ModTime())
	})
	if errors.Is(err, fs.ErrExist) {
		err = sojourn.ErrConflict
	}
	return wrap("swap", err)
}

// Touch sets the time of the last change, without the lock, as PHP's utime does.
func (k *Keeper) Touch(ctx context.Context, key string, expires time.Time) error {
	path, err := k.path(key)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		changed := expires.Add(-k.opt.Life)
		err = os.Chtimes(path, changed, changed)
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, sojourn.ErrNotFound) {
		err = nil
	}
	return wrap("touch", err)
}

// Delete removes the file.
func (k *Keeper) Delete(ctx context.Context, key string) error {
	err := k.open(ctx, key, os.O_RDWR, true, func(_ *os.File, path string) error { return os.Remove(path) })
	if errors.Is(err, sojourn.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return wrap("delete", err)
}

// open runs do with the locked file.
func (k *Keeper) open(ctx context.Context, key string, flags int, alone bool, do func(f *os.File, path string) error) error {
	path, err := k.path(key)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return err
	}
	for {
		f, err := os.OpenFile(path, flags|noFollow, k.opt.Mode)
		if errors.Is(err, fs.ErrNotExist) {
			return sojourn.ErrNotFound
		}
		if err != nil {
			return err
		}
		if err := lock(ctx, f, alone); err != nil {
			f.Close()
			return err
		}
		if gone(f, path) { // while we waited
			f.Close()
			continue
		}
		err = do(f, path)
		return errors.Join(err, f.Close()) // which unlocks
	}
}

func gone(f *os.File, path string) bool {
	open, err1 := f.Stat()
	named, err2 := os.Lstat(path)
	return err1 != nil || err2 != nil || !os.SameFile(open, named)
}

// lock waits without a thread of its own.
func lock(ctx context.Context, f *os.File, alone bool) error {
	for {
		locked, err := tryLock(f, alone)
		if locked || err != nil {
			return err
		}
		wait := time.NewTimer(2 * time.Millisecond)
		select {
		case <-ctx.Done():
			wait.Stop()
			return fmt.Errorf("lock: the other system holds it: %w", ctx.Err())
		case <-wait.C:
		}
	}
}

func wrap(verb string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("filekeeper: %s: %w", verb, err)
}
