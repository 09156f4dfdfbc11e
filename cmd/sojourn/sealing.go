package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/seal"
	"github.com/spf13/cobra"
)

type keysContext struct{}

// keysFlag gives a command --keys. Call it behind fromEnv. The command's context
// carries the value to those who open stores.
func keysFlag(cmd *cobra.Command) {
	var file string
	cmd.Flags().StringVar(&file, "keys", "", "seal what the store keeps with the keys in this `file`; see \"sojourn keys\" (env "+envName("keys")+", which may also hold the keys themselves)")
	before := cmd.PreRunE
	cmd.PreRunE = func(cmd *cobra.Command, given []string) error {
		if before != nil {
			if err := before(cmd, given); err != nil {
				return err
			}
		}
		if err := setFromEnv(cmd.Flags().Lookup("keys")); err != nil {
			return err
		}
		cmd.SetContext(context.WithValue(cmd.Context(), keysContext{}, file))
		return nil
	}
}

// A sealing is what there is to say about the keys in use.
type sealing struct {
	ring *seal.Ring
	from string // a file, or the environment
	file bool
	open bool // others can read the file
}

// seal seals the store with the keys that the context carries, if any.
func (s *openedStore) seal(ctx context.Context) (*sealing, error) {
	from, _ := ctx.Value(keysContext{}).(string)
	if from == "" {
		return nil, nil
	}
	k, err := readKeys(from)
	if err != nil {
		return nil, err
	}
	s.Store, err = seal.New(s.Store, k.ring)
	return k, err
}

// readKeys reads a key file, or keys out of the environment.
func readKeys(from string) (*sealing, error) {
	if strings.HasPrefix(strings.TrimSpace(from), "sk1_") {
		if from != os.Getenv(envName("keys")) {
			return nil, errors.New("--keys: this is a key itself, and now it stands in your shell's history and in the list of processes: make another one; expected the name of a file")
		}
		ring, err := seal.ParseRing(strings.NewReader(from))
		if err != nil {
			return nil, fmt.Errorf("%s: %s", envName("keys"), invalid(err))
		}
		return &sealing{ring: ring, from: "the environment"}, nil
	}
	f, err := os.Open(from)
	if err != nil {
		return nil, fmt.Errorf("--keys %s: %w; expected a key file, as \"sojourn keys new %s\" makes it", from, cause(err), from)
	}
	defer f.Close()
	k := &sealing{from: from, file: true}
	if info, err := f.Stat(); err == nil {
		k.open = info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0
	}
	if k.ring, err = seal.ParseRing(f); err != nil {
		return nil, fmt.Errorf("--keys %s: %s", from, invalid(err))
	}
	return k, nil
}

// invalid is an error's text without the words of the library that stand in it.
func invalid(err error) string {
	return strings.TrimPrefix(strings.ReplaceAll(err.Error(), sojourn.ErrInvalid.Error()+": ", ""), "ring: ")
}

// reload reads the key file again, so that a rotation needs no restart.
func (k *sealing) reload() error {
	if k == nil || !k.file {
		return nil
	}
	fresh, err := readKeys(k.from)
	if err != nil {
		return err
	}
	return k.ring.Replace(fresh.ring)
}

// line is for the start-up lines.
func (k *sealing) line() string {
	if k == nil {
		return "no; --keys seals what the store keeps"
	}
	return k.keys() + " (" + k.from + ")"
}

func (k *sealing) keys() string {
	all := k.ring.Keys()
	text := "key " + all[0].ID
	for i, old := range all[1:] {
		if i == 0 {
			text += "; only opened with: "
		} else {
			text += ", "
		}
		text += old.ID
	}
	return text
}

// warning is about a key file that others can read.
func (k *sealing) warning() string {
	if k == nil || !k.open {
		return ""
	}
	return "other users of this machine can read " + k.from + ": chmod 600 it."
}
