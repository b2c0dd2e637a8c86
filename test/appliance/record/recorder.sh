# shellcheck shell=bash
# Keeps what real programs answer, for the parsers' tests and for the fakes: `rec NAME PROGRAM ARGUMENT...` writes
# OUT/PROGRAM-VERSION/NAME.txt. A newcomer's trap: this runs in the guest, sourced by a script that has made what it talks about.
OUT=${OUT:-/tmp/fixtures}
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

version() { # PROGRAM: of the package that answers
  case $1 in
    zpool | zfs) zfs version | sed -n '1s/^zfs-\([0-9.]*\).*/\1/p' ;;
    net | testparm | smbpasswd | pdbedit | smbclient) smbd --version | sed 's/^Version \([0-9.]*\).*/\1/' ;;
    exportfs) dpkg-query -W -f '${Version}' nfs-kernel-server | sed 's/^[0-9]*://; s/-.*//' ;;
    targetcli) targetcli --version 2>&1 | sed 's/.* //' ;;
    *) echo unknown ;;
  esac
}

rec() { # NAME PROGRAM ARGUMENT...: RECORD_INPUT is its standard input
  local name=$1 program=$2 folder status=0
  shift
  folder=$OUT/$program-$(version "$program")
  mkdir -p "$folder"
  timeout -k 5 60 "$@" <<<"${RECORD_INPUT:-}" >"$OUT/stdout" 2>"$OUT/stderr" || status=$?
  {
    printf '$'
    printf ' %s' "${@@Q}" | sed "s/ '\([A-Za-z0-9_.,:@%=+/^-]*\)'/ \1/g"
    printf '\nexit %d\n' "$status"
    [ -z "${RECORD_INPUT:-}" ] || { printf -- '--- stdin\n%s\n' "$RECORD_INPUT"; }
    printf -- '--- stdout\n'
    cat "$OUT/stdout"
    printf -- '--- stderr\n'
    cat "$OUT/stderr"
  } >"$folder/$name.txt"
}
