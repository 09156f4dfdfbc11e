package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sojournhq/sojourn/seal"
)

// keyLine is a key as its file holds it.
func keyLine(k seal.Key) string {
	return k.Reveal() + " # " + time.Now().UTC().Format(time.DateOnly)
}

// createKeyFile makes a file that only its owner can read, and never touches one
// that is there.
func createKeyFile(path, content string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists already; \"sojourn keys rotate %s\" replaces its active key and keeps the others", path, path)
	}
	if err != nil {
		return fmt.Errorf("%s: %w; expected a name for a new file, in a folder that exists", path, cause(err))
	}
	return errors.Join(writeAll(f, content), syncFolder(path))
}

// rewriteKeyFile replaces the content of a key file in one step, so that a server
// that reads it meets the old one or the new one, whole. The file that it prepares
// beside it also keeps a second rotation out.
func rewriteKeyFile(path string, change func(content string) (string, error)) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("%s: %w; expected a key file, as \"sojourn keys new FILE\" makes it", path, cause(err))
	}
	beside := path + ".new"
	f, err := os.OpenFile(beside, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists: another rotation is under way, or one was interrupted; if none is, remove it", beside)
	}
	if err != nil {
		return fmt.Errorf("%s: %w; expected a folder that can be written", beside, cause(err))
	}
	done := false
	defer func() {
		if !done {
			f.Close()
			os.Remove(beside)
		}
	}()
	old, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("%s: %w", path, cause(err))
	}
	content, err := change(string(old))
	if err != nil {
		return err
	}
	if _, err := seal.ParseRing(strings.NewReader(content)); err != nil {
		return fmt.Errorf("%s: %s", path, invalid(err))
	}
	if err := writeAll(f, content); err != nil {
		return err
	}
	if err := os.Rename(beside, path); err != nil {
		return err
	}
	done = true
	return syncFolder(path)
}

func writeAll(f *os.File, content string) error {
	_, err := f.WriteString(content)
	return errors.Join(err, f.Sync(), f.Close())
}

// syncFolder makes a rename last, where folders can be synced.
func syncFolder(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, fs.ErrInvalid) && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return nil
}

// keyIn finds the only key of a line, "" for a line without.
func keyIn(line string) (id string, err error) {
	text, _, _ := strings.Cut(line, "#")
	switch fields := strings.Fields(text); len(fields) {
	case 0:
		return "", nil
	case 1:
		k, err := seal.ParseKey(fields[0])
		return k.ID(), err
	}
	return "", errors.New("several keys in one line; expected one in each")
}

// moveKey takes the line of a key out of a file's content, and puts it in front of
// the others unless it is to be dropped.
func moveKey(content, id string, drop bool) (string, error) {
	var rest strings.Builder
	found, first := "", ""
	for line := range strings.Lines(content) {
		own, err := keyIn(line)
		if err != nil {
			return "", errors.New(invalid(err))
		}
		if first == "" {
			first = own
		}
		if own == id {
			found = strings.TrimRight(line, "\r\n") + "\n"
			continue
		}
		rest.WriteString(line)
	}
	switch {
	case found == "":
		return "", fmt.Errorf("there is no key %q in it; \"sojourn keys list\" shows which there are", id)
	case drop && first == id:
		return "", fmt.Errorf("key %s is the active one; put another in front first", id)
	case drop:
		return rest.String(), nil
	}
	return found + rest.String(), nil
}
