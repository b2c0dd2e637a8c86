#!/bin/sh
# Holds the subjects of commits to `part: imperative` (CONTRIBUTING.md), from the commit that added this file. A subject is read for years and by
# people who see nothing else of the commit. Without a history (the archive, a shallow clone) nothing can be checked, and it says so.
set -eu
cd "$(dirname "$0")/../.."

if ! git rev-parse --git-dir >/dev/null 2>&1; then
	echo 'commit subjects are not checked: this is not a git repository'
	exit 0
fi
if [ "$(git rev-parse --is-shallow-repository)" = true ]; then
	echo 'commit subjects are not checked: this clone has no history'
	exit 0
fi
base=$(git log --diff-filter=A --format=%H -- test/harness/subjects.sh | tail -n 1)
# Not committed yet.
[ -n "$base" ] || exit 0

# A part has its name in lower case, perhaps of a few words; two parts are separated by a comma. The imperative has no ending of a past or a participle.
git log --format=%s "$base^..HEAD" | awk '
	function refuse(why) { printf "commit subject: %s: %s\n", why, $0; bad = 1 }
	/^Merge / { refuse("a merge; rebase instead"); next }
	!/^[a-z][a-z0-9.-]*(,? [a-z0-9.-]+)?(,? [a-z0-9.-]+)?: / { refuse("expected part: imperative"); next }
	length($0) > 100 { refuse("longer than 100 characters") }
	/[.]$/ { refuse("a full stop at its end") }
	/(^|[ (])\/(tmp|work|root|home)(\/|$)/ { refuse("a path of a machine") }
	{
		verb = $0
		sub(/^[^:]*: /, "", verb)
		sub(/[ ,].*/, "", verb)
		if (verb !~ /^[a-z]/) refuse("expected a verb in lower case after the part")
		if (verb ~ /(ed|ing)$/ && verb !~ /^(need|feed|embed|bring|ring|seed|speed|exceed|proceed|succeed|string|ping)$/) refuse("expected the imperative, not " verb)
	}
	END { exit bad }
'
