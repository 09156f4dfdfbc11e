package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/memcachestore"
	"github.com/sojournhq/sojourn/store/redisstore"
	"github.com/sojournhq/sojourn/store/sqlstore/mysql"
	"github.com/sojournhq/sojourn/store/sqlstore/postgres"
)

const defaultStore = "sqlite:sojourn.db"

// A scheme is a kind of store: how the URLs that name it begin, how they look,
// and what opens it.
type scheme struct {
	name, form string
	open       func(ctx context.Context, ref storeRef, need need) (*openedStore, error)
}

// schemes are the stores there are. One without a form is another name.
var schemes = []scheme{
	{"sqlite", "sqlite:PATH (as in sqlite:sojourn.db)", openSQLite},
	{"memory", "memory:", openMemory},
	{"redis", "redis://[USER:PASSWORD@]HOST[:PORT][/DB]", remote(redisstore.Open, redisOptions)},
	{"rediss", "rediss://… (TLS)", remote(redisstore.Open, redisOptions)},
	{"redis+cluster", "redis+cluster://HOST:PORT,HOST:PORT", remote(redisstore.Open, redisOptions)},
	{"rediss+cluster", "", remote(redisstore.Open, redisOptions)},
	{"redis+sentinel", "redis+sentinel://HOST:PORT,HOST:PORT/NAME", remote(redisstore.Open, redisOptions)},
	{"rediss+sentinel", "", remote(redisstore.Open, redisOptions)},
	{"postgres", "postgres://USER:PASSWORD@HOST[:PORT]/DATABASE", remote(postgres.Open, postgresOptions)},
	{"postgresql", "", remote(postgres.Open, postgresOptions)},
	{"mysql", "mysql://USER:PASSWORD@HOST[:PORT]/DATABASE", remote(mysql.Open, nil)},
	{"mariadb", "", remote(mysql.Open, nil)},
	{"memcached", "memcached://HOST:PORT,HOST:PORT", remote(memcachestore.Open, nil)},
}

// remote opens a store whose URL says everything. What is on the server stays
// there, whatever is needed of it.
func remote[S sojourn.Store, O any](open func(ctx context.Context, url string, opt *O) (S, error), options func(storeRef) *O) func(context.Context, storeRef, need) (*openedStore, error) {
	return func(ctx context.Context, ref storeRef, _ need) (*openedStore, error) {
		var o *O
		if options != nil {
			o = options(ref)
		}
		s, err := open(ctx, ref.url, o)
		if err != nil {
			return nil, ref.refuse(err)
		}
		return &openedStore{Store: s, name: ref.name(), far: true}, nil
	}
}

func redisOptions(ref storeRef) *redisstore.Options {
	return &redisstore.Options{Logger: ref.log}
}

func postgresOptions(ref storeRef) *postgres.Options {
	return &postgres.Options{Notify: ref.feed}
}

// A need is what a command asks of a store.
type need int

const (
	whatever need = iota // any will do; what a durable one needs is created
	shared               // other processes must see it, too; it may be created
	exists               // it must be there already
)

// A storeRef is a store by its URL, and the flag that it was given with.
type storeRef struct {
	flag, url string
	log       *slog.Logger // hears what an operator should know; nil: silence
	feed      bool         // a store that tells of changes only if asked to should
}

// name is how it may be shown: without its password.
func (r storeRef) name() string { return redact(r.url) }

// refuse says what is wrong with a store, without its password.
func (r storeRef) refuse(err error) error {
	return &refusal{text: scrub(fmt.Sprintf("%s %s: %s", r.flag, r.name(), oneLine(err)), r.url), err: err}
}

// oneLine is the text of an error, which some drivers spread over several lines.
func oneLine(err error) string {
	return strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\t' }), " ")
}

// A refusal has a text of its own, because that of the driver's error may show
// what must not be shown.
type refusal struct {
	text string
	err  error
}

func (r *refusal) Error() string { return r.text }
func (r *refusal) Unwrap() error { return r.err }

// canonical is the same for URLs that name one store, as far as they tell.
func canonical(url string) string {
	scheme, rest, _ := strings.Cut(url, ":")
	if scheme == "sqlite" {
		if path, err := filepath.Abs(sqlitePath(rest)); err == nil {
			return "sqlite:" + path
		}
	}
	return strings.TrimSuffix(url, "/")
}

// storeForms is how stores are named, for texts.
func storeForms() string {
	text := "sqlite:PATH"
	for _, s := range schemes {
		if s.form != "" && s.name != "sqlite" {
			text += ", " + s.beginning()
		}
	}
	return text + `; see "sojourn help stores"`
}

// beginning is what the URLs of a scheme begin with.
func (s scheme) beginning() string {
	if strings.HasPrefix(s.form, s.name+"://") {
		return s.name + "://"
	}
	return s.name + ":"
}

// storeUsage ends the help of flags that name one.
const storeUsage = "where sessions rest, as a `URL`; see \"sojourn help stores\""

// An openedStore is a store and what there is to say about it.
type openedStore struct {
	sojourn.Store
	name  string        // as people should see it
	note  string        // what is special about it, "" for nothing
	older sojourn.Store // what it moves from, nil for nothing
	far   bool          // behind a network
	close func() error
}

// Close closes the engine.
func (s *openedStore) Close() error {
	if s.close != nil {
		return s.close()
	}
	if c, ok := sojourn.As[io.Closer](s.Store); ok {
		return c.Close()
	}
	return nil
}

// open opens the store.
func (r storeRef) open(ctx context.Context, need need) (*openedStore, error) {
	name, _, ok := strings.Cut(r.url, ":")
	for _, s := range schemes {
		if ok && strings.EqualFold(s.name, name) {
			return s.open(ctx, r, need)
		}
	}
	return nil, &refusal{text: fmt.Sprintf("%s %q: expected %s", r.flag, r.name(), storeForms()), err: sojourn.ErrInvalid}
}
