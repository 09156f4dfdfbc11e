package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
	"github.com/redis/rueidis"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format"
	"github.com/sojournhq/sojourn/format/filekeeper"
	"github.com/sojournhq/sojourn/format/memcachekeeper"
	"github.com/sojournhq/sojourn/format/phpformat"
	"github.com/sojournhq/sojourn/format/rediskeeper"
)

// A foreignStore is where another system keeps its records.
type foreignStore struct {
	format.Keeper
	prefix string        // of PHP's keys there
	hashes format.Keeper // of ASP.NET Core, in Redis
	close  func()
}

// openForeign opens a store to read from. Errors never repeat the URL, which may
// hold a password.
func openForeign(url string) (*foreignStore, error) {
	scheme, rest, ok := strings.Cut(url, ":")
	if !ok {
		return nil, usage("--store: expected redis://host, memcached://host:port or file:FOLDER")
	}
	switch scheme {
	case "redis", "rediss":
		opt, err := rueidis.ParseURL(url)
		if err != nil {
			return nil, usage("--store: expected redis://[user:password@]host[:port][/db]")
		}
		opt.DisableCache, opt.ForceSingleClient = true, true
		opt.Dialer.Timeout = 3 * time.Second
		client, err := rueidis.NewClient(opt)
		if err != nil {
			return nil, fmt.Errorf("--store: %s", strings.ReplaceAll(err.Error(), url, "redis"))
		}
		return &foreignStore{rediskeeper.New(client, nil), phpformat.PrefixRedis, rediskeeper.New(client, &rediskeeper.Options{Hash: true}), client.Close}, nil
	case "memcached":
		client := memcache.New(strings.TrimSuffix(strings.TrimPrefix(rest, "//"), "/"))
		client.Timeout = 3 * time.Second
		return &foreignStore{memcachekeeper.New(client, nil), phpformat.PrefixMemcached, nil, func() { client.Close() }}, nil
	case "file":
		keeper, err := filekeeper.New(strings.TrimPrefix(rest, "//"), nil)
		if err != nil {
			return nil, &usageError{err}
		}
		return &foreignStore{keeper, phpformat.PrefixFiles, nil, func() {}}, nil
	}
	return nil, usage("--store: expected redis://host, memcached://host:port or file:FOLDER")
}

// load reads a suspect's record, if it names one.
func (p *suspect) load(ctx context.Context, store *foreignStore, s formatSettings) error {
	if p.report.ID == "" || p.format.Describe().InCookie {
		return nil
	}
	key := p.report.Key
	if emptyRecord(p.one.name) && s.prefix == nil {
		key = store.prefix + p.report.ID
	}
	p.report.Key = key
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	record, err := store.read(ctx, key, p.one.name == "aspnetcore")
	if errors.Is(err, sojourn.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	p.record = record
	r := format.InspectRecord(p.format, record, s.at)
	r.ID, r.Key, r.Secret = p.report.ID, key, p.report.Secret
	p.report = r
	return nil
}

func (store *foreignStore) read(ctx context.Context, key string, hash bool) ([]byte, error) {
	keeper := store.Keeper
	if hash && store.hashes != nil {
		keeper = store.hashes
	}
	record, _, err := keeper.Read(ctx, key)
	if err != nil && strings.Contains(err.Error(), "WRONGTYPE") {
		err = sojourn.ErrNotFound
	}
	return record, err
}
