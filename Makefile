# make run    start Sojourn on http://127.0.0.1:8080, sessions kept in sojourn.db
# make test   everything: Go with the race detector, examples, SDK, real browser
# make lint   gofmt, vet, staticcheck, TypeScript
# make sdk    rebuild the browser SDK that Go embeds (browser/dist)
# make bench  the budgets of the docs, measured here
.PHONY: run test lint sdk bench clean

run:
	go run ./cmd/sojourn serve

test:
	@scripts/test

lint:
	@scripts/lint

sdk:
	cd browser && npm ci --no-audit --no-fund && npm run build

bench:
	@scripts/bench

clean:
	rm -rf bin browser/node_modules
