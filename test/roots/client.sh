# shellcheck shell=sh
# The client of every appliance here, whoever does its work: signed requests by curl over TLS, as the public documentation has them. Sourced.
# A newcomer's trap: it runs in the root's network, but outside of the root; no root needs a curl.

PATHS=/api/v1/admin
CERTIFICATE=$ULE/pki/tls/certs/enterprise.crt

token() { cat "$WORK/token"; }
hash_of() { # METHOD PATH
  hash_key=$(printf %s "$(token)" | openssl dgst -sha256 -r | cut -d ' ' -f 1)
  printf '%s%s' "$1" "$2" | openssl dgst -sha256 -hmac "$hash_key" -r | cut -d ' ' -f 1
}

ask() { # STATUS METHOD NAME QUERY [CURL-ARGUMENT...]: the answer is in $WORK/body and $WORK/head
  ask_status=$1 ask_method=$2 ask_name=$3 ask_query=$4
  shift 4
  ask_found=$(curl -sS -m 120 --cacert "$BOX$CERTIFICATE" -D "$WORK/head" -o "$WORK/body" -w '%{http_code}' -X "$ask_method" "$@" \
    "https://127.0.0.1:8443$PATHS/$ask_name?$ask_query")
  [ "$ask_found" = "$ask_status" ] ||
    fault "$ask_method $ask_name: status $ask_found instead of $ask_status: $(head -c 600 "$WORK/body" | tr -d '\000')"
}
by_hash() { # STATUS METHOD NAME [QUERY] [CURL-ARGUMENT...]
  by_status=$1 by_method=$2 by_name=$3 by_query=${4:-}
  shift 3
  [ $# -eq 0 ] || shift
  ask "$by_status" "$by_method" "$by_name" "${by_query:+$by_query&}hash=$(hash_of "$by_method" "$PATHS/$by_name")" "$@"
}
by_token() { # as by_hash
  by_status=$1 by_method=$2 by_name=$3 by_query=${4:-}
  shift 3
  [ $# -eq 0 ] || shift
  ask "$by_status" "$by_method" "$by_name" "${by_query:+$by_query&}token=$(token)" "$@"
}
read_twice() { # NAME TEXT: by hash and by token, and the answer holds the text both times
  by_hash 200 GET "$1"
  holds "$2"
  by_token 200 GET "$1"
  holds "$2"
}

holds() { grep -qF -- "$1" "$WORK/body" || fault "the answer does not hold $1: $(head -c 600 "$WORK/body")"; }
head_holds() { tr -d '\r' <"$WORK/head" | grep -qiF -- "$1" || { echo "no header $1:"; cat "$WORK/head"; return 1; }; }

follow() { # NAME: each question waits for a change, until it no longer runs
  follow_left=60
  while :; do
    by_hash 200 GET "$1" wait=10
    grep -q '"status":"running"' "$WORK/body" || return 0
    follow_left=$((follow_left - 1))
    [ "$follow_left" -gt 0 ] || fault "$1 does not end" || return 1
  done
}

serves() { # until the server answers, whatever it answers
  serves_left=300
  until curl -s -m 5 -k -o /dev/null "https://127.0.0.1:8443/docs"; do
    serves_left=$((serves_left - 1))
    [ "$serves_left" -gt 0 ] || { tail -n 20 "$BOX$ADMIN/log/edge-admin.log"; fault 'nobody listens on 8443'; return 1; }
    sleep 0.2
  done
}
until_file_holds() { # FILE TEXT
  until_left=300
  until grep -qF -- "$2" "$BOX$1" 2>/dev/null; do
    until_left=$((until_left - 1))
    [ "$until_left" -gt 0 ] || { file_holds "$1" "$2"; return 1; }
    sleep 0.2
  done
}
