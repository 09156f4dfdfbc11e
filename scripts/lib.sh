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
