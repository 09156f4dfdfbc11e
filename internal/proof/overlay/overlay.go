// Package overlay replaces pieces of source for one run of the go command,
// without touching a file: see "go help build" on -overlay.
package overlay

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A Patch replaces a piece of a source file.
type Patch struct {
	File string // absolute
	Old  string // occurs exactly once; "" adds the file
	New  string
}

// Write puts the patched files into dir and returns the path of the JSON file
// that -overlay wants. Several patches may be of one file. What has not changed
// is not written, so that the go command's cache stays good.
func Write(dir string, patches []Patch) (string, error) {
	replace := map[string]string{}
	texts := map[string]string{}
	for _, p := range patches {
		text, ok := texts[p.File]
		if !ok && p.Old != "" {
			b, err := os.ReadFile(p.File)
			if err != nil {
				return "", err
			}
			text = string(b)
		}
		next, err := p.apply(text)
		if err != nil {
			return "", err
		}
		texts[p.File] = next
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for file, text := range texts {
		name := filepath.Join(dir, strings.NewReplacer("/", "_", `\`, "_", ":", "_").Replace(file)+".txt")
		if err := write(name, text); err != nil {
			return "", err
		}
		replace[file] = name
	}
	b, err := json.MarshalIndent(map[string]any{"Replace": replace}, "", "\t")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, write(path, string(b))
}

func (p Patch) apply(text string) (string, error) {
	if p.Old == "" {
		return p.New, nil
	}
	if n := strings.Count(text, p.Old); n != 1 {
		return "", fmt.Errorf("%s: %s occurs %d times: expected once", p.File, strconv.Quote(p.Old), n)
	}
	return strings.Replace(text, p.Old, p.New, 1), nil
}

func write(path, text string) error {
	if b, err := os.ReadFile(path); err == nil && string(b) == text {
		return nil
	}
	return os.WriteFile(path, []byte(text), 0o644)
}
