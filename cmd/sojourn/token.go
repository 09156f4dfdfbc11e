package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/sojournhq/sojourn"
	"github.com/spf13/cobra"
)

func newToken() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Look at the token that a cookie carries",
		Args:  noSuchCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newTokenInspect())
	return cmd
}

func newTokenInspect() *cobra.Command {
	var store, owner string
	cmd := &cobra.Command{
		Use:   "inspect [TOKEN | -]",
		Short: "Say whether a token is well-formed and whose session it opens",
		Long: `Reads a token from standard input and says whether it is well-formed, and the
ID of its session. It never prints the secret half.

The token may also be given as an argument, but then it stays in the shell's
history and other users of the machine can see it in the list of processes:
prefer standard input. What was copied from a browser, such as
"__Host-sojourn=…", works too.`,
		Example: `  sojourn token inspect < cookie.txt
  sojourn token inspect --owner ada --store sqlite:sojourn.db < cookie.txt`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			text, err := tokenText(cmd, given)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			token, err := sojourn.ParseToken(text)
			if err != nil {
				return fmt.Errorf("this is no token of ours: expected 56 characters of base64url, was given %d characters", len([]rune(text)))
			}
			fmt.Fprintln(out, "Well-formed.")
			fmt.Fprintf(out, "ID       %s\n", token.ID())
			if owner != "" {
				match := "does not match " + printable(owner)
				if ownerTagMatches(token.ID(), owner) {
					match = "matches " + printable(owner) + ": the session is of this user, or of one with the same 48 bits of hash"
				}
				fmt.Fprintf(out, "Owner    %s\n", match)
			}
			if !cmd.Flags().Changed("store") {
				return nil
			}
			return withStore(cmd.Context(), serverStore{store: store}, func(m *sojourn.Manager, _ *openedStore) error {
				line, err := tokenState(cmd.Context(), m, token)
				if err == nil {
					_, err = fmt.Fprintf(out, "Session  %s\n", line)
				}
				return err
			})
		},
	}
	cmd.Flags().StringVar(&owner, "owner", "", "say whether the ID carries this user's tag (only where no owner key is configured)")
	cmd.Flags().StringVar(&store, "store", "", "also say whether the session lives in this store, a `URL`")
	completeStores(cmd, "store")
	fromEnv(cmd, "store")
	keysFlag(cmd)
	return cmd
}

// tokenText takes the token from the argument or the first line of input, also
// out of a header with other cookies.
func tokenText(cmd *cobra.Command, given []string) (string, error) {
	var text string
	if len(given) == 1 && given[0] != "-" {
		text = given[0]
		fmt.Fprintln(cmd.ErrOrStderr(), "Note: this token now stands in your shell's history; standard input leaves no trace.")
	} else {
		if f, ok := cmd.InOrStdin().(*os.File); ok {
			if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
				fmt.Fprintln(cmd.ErrOrStderr(), "Paste the token, then press Enter.")
			}
		}
		line, err := bufio.NewReader(io.LimitReader(cmd.InOrStdin(), 64<<10)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("reading standard input: %w", err)
		}
		text = line
	}
	text = strings.TrimSpace(text)
	for pair := range strings.SplitSeq(text, ";") { // a Cookie or Set-Cookie header
		_, value, _ := strings.Cut(pair, "=")
		value = strings.Trim(value, `" `)
		if _, err := sojourn.ParseToken(value); err == nil {
			return value, nil
		}
	}
	if text == "" {
		return "", errors.New("was given no token; expected one on standard input, as in: sojourn token inspect < cookie.txt")
	}
	return text, nil
}

// ownerTagMatches compares the ID's first six bytes with the owner's: the start
// of SHA-256("sojourn owner\x00" + owner), as docs/protocol.md says.
func ownerTagMatches(id sojourn.ID, owner string) bool {
	sum := sha256.Sum256([]byte("sojourn owner\x00" + owner))
	return strings.HasPrefix(string(id), base64.RawURLEncoding.EncodeToString(sum[:6]))
}

// tokenState says what a server would do with the token.
func tokenState(ctx context.Context, m *sojourn.Manager, token sojourn.Token) (string, error) {
	status, err := m.Inspect(ctx, token.ID())
	if err != nil {
		return "", err
	}
	switch status.State {
	case sojourn.StateNone:
		return "unknown to this store: it never was, or it ended long ago", nil
	case sojourn.StateEnded:
		return "ended: " + or(string(status.Reason), "reason unknown"), nil
	}
	lives := fmt.Sprintf("lives; owner %s, expires %s if unused", printable(or(status.Owner, "nobody")), in(status.IdleRemaining))
	switch _, err := m.Authenticate(ctx, token.Reveal()); {
	case err == nil:
		return lives + "; the secret is right", nil
	case errors.Is(err, sojourn.ErrReplayed):
		return lives + "; this secret was replaced by a newer one", nil
	case errors.Is(err, sojourn.ErrNotFound):
		return lives + "; the secret is wrong", nil
	default:
		return "", err
	}
}
