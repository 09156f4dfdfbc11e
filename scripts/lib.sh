# Sourced by the other scripts: steps with headings, and tools installed where
# that is possible.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# step TITLE COMMAND... runs a command under a heading, and says how long it took.
step() {
	local title=$1 begin=$SECONDS
	shift
	printf '\n== %s\n' "$title"
	"$@"
	printf -- '-- %s: %d s\n' "$title" $((SECONDS - begin))
}

# need COMMAND PACKAGE WHAT: true if the command is there or could be installed
# from Debian's package. Else it says what is skipped, and fails where
# SOJOURN_REQUIRE_SERVICES=1 forbids skipping.
need() {
	local command=$1 package=$2 what=$3
	command -v "$command" >/dev/null && return 0
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		echo "installing $package"
		{ apt-get install -y --no-install-recommends "$package" || { apt-get update && apt-get install -y --no-install-recommends "$package"; }; } >/tmp/sojourn-apt.log 2>&1 || tail -3 /tmp/sojourn-apt.log
		command -v "$command" >/dev/null && return 0
	fi
	echo "skipped: $what needs $command; install $package to run it"
	[ "${SOJOURN_REQUIRE_SERVICES:-}" != 1 ] || exit 1
	return 1
}

# services installs what tests start: real servers and proxies, on ports and in
# folders of their own. Whoever may not install gets a sentence; the tests of an
# absent server skip with theirs, or fail where SOJOURN_REQUIRE_SERVICES=1.
services() {
	local missing=()
	command -v redis-server >/dev/null || missing+=(redis-server)
	command -v redis-sentinel >/dev/null || missing+=(redis-sentinel)
	command -v memcached >/dev/null || missing+=(memcached)
	command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || missing+=(nginx-light)
	command -v haproxy >/dev/null || [ -x /usr/sbin/haproxy ] || missing+=(haproxy)
	command -v mariadbd >/dev/null || missing+=(mariadb-server)
	command -v nginx >/dev/null || missing+=(nginx-light)
	compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || command -v postgres >/dev/null || missing+=(postgresql)
	# the applications whose sessions are shared
	command -v php8.2 >/dev/null || command -v php >/dev/null || missing+=(php-cli)
	compgen -G '/usr/sbin/php-fpm*' >/dev/null || missing+=(php-fpm)
	local extension
	for extension in redis memcached igbinary; do
		compgen -G "/usr/lib/php/*/$extension.so" >/dev/null || missing+=("php-$extension")
	done
	[ -d /usr/lib/python3/dist-packages/flask_session ] || missing+=(python3-flask python3-flask-session python3-redis)
	[ -d /usr/lib/python3/dist-packages/msgpack ] || missing+=(python3-msgpack)
	command -v cgi-fcgi >/dev/null || missing+=(libfcgi-bin)
	[ ${#missing[@]} -gt 0 ] || return 0
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		echo "installing ${missing[*]}"
		export DEBIAN_FRONTEND=noninteractive
		local install=(apt-get install -y --no-install-recommends "${missing[@]}")
		"${install[@]}" >/tmp/sojourn-apt.log 2>&1 || { apt-get update >/tmp/sojourn-apt.log 2>&1 && "${install[@]}" >>/tmp/sojourn-apt.log 2>&1; } || tail -3 /tmp/sojourn-apt.log
	else
		echo "skipping the tests of some stores: install ${missing[*]} to run them"
	fi
}
