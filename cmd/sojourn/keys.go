package main

import "github.com/spf13/cobra"

func newKeys() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "Make, rotate and list the keys that seal a store",
		Long: `With --keys FILE, a server seals what its store keeps: whoever reads the store,
its files or its backups learns nothing of what sessions hold, and whoever
writes to it cannot make a session up. The file holds one key per line; the
first one seals, the others only open what they have sealed.

Begin:
  sojourn keys new keys.txt
  sojourn keys seal --keys keys.txt       only for a store with sessions, while no server runs
  sojourn serve --keys keys.txt

Replace the key, say once a year, or at once if somebody may have seen it:
  sojourn keys rotate keys.txt            then send SIGHUP to the server, or restart it
  sojourn keys reseal --keys keys.txt     or wait: each record is sealed anew at its next write
  sojourn keys list --keys keys.txt --store …
  sojourn keys rotate keys.txt --drop ID  once nothing bears the old key any more

With several servers, so that none meets a key that it does not know:
  sojourn keys rotate keys.txt --behind   the new key opens only: copy the file to all, SIGHUP
  sojourn keys rotate keys.txt --front ID then it seals: copy the file to all, SIGHUP

Lose the keys and every sealed session is lost; keep a copy apart from the
store's backups.`,
		Args: noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newKeysNew(), newKeysRotate(), newKeysList(), newKeysSeal(), newKeysReseal())
	return cmd
}
