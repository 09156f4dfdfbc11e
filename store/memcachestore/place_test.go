package memcachestore

import (
	"fmt"
	"slices"
	"testing"

	"github.com/sojournhq/sojourn"
)

// A user's sessions and generation are on one server, and the order of servers
// does not matter.
func TestPlacement(t *testing.T) {
	k := keys{prefix: "app:"}
	names := []string{"10.0.0.1:11211", "10.0.0.2:11211", "10.0.0.3:11211"}
	forth := newSelector(&k, names)
	names = slices.Clone(names)
	slices.Reverse(names)
	back := newSelector(&k, names)
	fewer := newSelector(&k, names[1:])
	const owners = 9000
	count, moved := map[string]int{}, 0
	for i := range owners {
		key := k.owner(fmt.Sprintf("user-%d", i))
		record := "app:s" + key[5:] + "0123456789012345678901"
		if k.guess(record) != key {
			t.Fatalf("the generation of %q is sought at %q, expected %q", record, k.guess(record), key)
		}
		at, _ := forth.PickServer(key)
		if session, _ := forth.PickServer(record); session != at {
			t.Fatalf("a session is on %v, its generation on %v", session, at)
		}
		if other, _ := back.PickServer(key); other != at {
			t.Fatalf("%v or %v, depending on the order of servers", at, other)
		}
		if other, _ := fewer.PickServer(key); other != at {
			if moved++; at.String() != names[0] {
				t.Fatalf("%q left a server that is still there", key)
			}
		}
		count[at.String()]++
	}
	for name, n := range count {
		if n < owners/3-owners/15 || n > owners/3+owners/15 {
			t.Errorf("%s holds %d of %d owners", name, n, owners)
		}
	}
	if moved != count[names[0]] {
		t.Errorf("%d owners moved, expected the %d of the server removed", moved, count[names[0]])
	}
}

func TestKeysAreLegal(t *testing.T) {
	k := keys{prefix: string(slices.Repeat([]byte{'p'}, 64))}
	seen := map[string]sojourn.ID{}
	for _, id := range []sojourn.ID{"", "a", "A", "with space", "new\nline", "ünï", sojourn.ID(slices.Repeat([]byte{'x'}, 5000)),
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"} {
		key := k.record(id)
		if other, twice := seen[key]; twice {
			t.Errorf("%q and %q share the key %q", id, other, key)
		}
		seen[key] = id
		if len(key) > 250 || slices.ContainsFunc([]byte(key), func(b byte) bool { return b <= ' ' || b >= 127 }) {
			t.Errorf("%q has the key %q, which Memcached refuses", id, key)
		}
	}
}
