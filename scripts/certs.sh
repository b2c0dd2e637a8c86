#!/bin/sh
# Checks a certificate and its key, tests them in a real handshake, then puts them in place: `certs.sh run TASKDIR`.
# Clients of the original read the lines in update_certs.log; `appliance.pem` and `stunnel.conf` in them are only words,
# not our files.
LOCK=certs
NEEDS='node openssl'
[ -z "${SUDO_UID:-}" ] || unset EDGE_NETROOT
# shellcheck source=lib.sh
. "$(dirname -- "$0")/lib.sh"

PKI=$EDGE_SYSCONFDIR/pki/tls
WARN_SECONDS=2592000 # 30 days
MAX_CERTIFICATES=16

status() { printf '%s\n' "$1" | put "$EDGE_ROOT/etc/status_certs.txt" 644; }

note() { # TEXT: a line without time and label, as the original writes most of them; in the task's own log as well
  log_text update_certs.log "$1"
  printf '%s\n' "$1"
}

refuse() { # [TEXT]
  [ $# -eq 0 ] || note "$1"
  log_line update_certs.log 'Invalid or missing TLS certificate files'
  : >"$TASK/refused"
  fail E1000 'Invalid or missing TLS certificate files'
}

# Normalizes a file: no byte order mark, LF line ends, and each block on lines of its own (`cat` of files without a
# final line end puts END and BEGIN on one line).
plain_pem() { # FILE
  tr -d '\r' <"$1" | awk -v "mark=$(printf '\357\273\277')" '
    NR == 1 && index($0, mark) == 1 { $0 = substr($0, length(mark) + 1) }
    { sub(/^[ \t]+-----/, "-----"); gsub(/----------BEGIN /, "-----\n-----BEGIN "); print }'
}

# Writes every block of one kind in FILE as PREFIX1.pem, PREFIX2.pem …; prints their number. Text around the blocks is
# left out.
split_pem() { # FILE KIND PREFIX
  plain_pem "$1" | awk -v "kind=$2" -v "prefix=$3" -v "most=$MAX_CERTIFICATES" '
    /^-----BEGIN / { inside = ($0 ~ ("^-----BEGIN " kind "-----[ \t]*$")); if (inside) out = prefix (++n) ".pem" }
    inside && n <= most { sub(/[ \t]+$/, ""); print >out }
    /^-----END / { if (inside) close(out); inside = 0 }
    END { print n + 0 }'
}

# openssl, without passphrase prompts and without the system's certificates.
certificate() { openssl x509 -noout "$@" </dev/null 2>/dev/null; }
private_key() { openssl pkey -passin pass: "$@" </dev/null 2>/dev/null; }
hash_of() { openssl dgst -sha256 -r | cut -d ' ' -f 1; }
fingerprint() { openssl x509 -noout -fingerprint -sha256 2>/dev/null; }

issued_by() { # ISSUER CERTIFICATE
  openssl verify -partial_chain -no_check_time -no-CApath -no-CAfile -trusted "$1" "$2" </dev/null >/dev/null 2>&1
}

strong_enough() { # CERTIFICATE: RSA of 2048 bits, elliptic curves of 256
  strong_text=$(certificate -text -in "$1")
  strong_bits=$(printf '%s\n' "$strong_text" | sed -n 's/.*Public-Key: *(\([0-9]*\) bit.*/\1/p' | head -n 1)
  case $(printf '%s\n' "$strong_text" | sed -n 's/.*Public Key Algorithm: *//p' | head -n 1) in
    rsaEncryption | rsassaPss) [ "${strong_bits:-0}" -ge 2048 ] ;;
    id-ecPublicKey) [ "${strong_bits:-0}" -ge 256 ] ;;
    ED25519 | ED448) ;;
    *) return 1 ;;
  esac
}

# openssl checks the start date of a certificate only when it verifies one, and reports it as error 9.
begins_later() { # FILE
  openssl verify -partial_chain -no-CApath -no-CAfile -trusted "$1" "$1" </dev/null 2>&1 | grep -q 'error 9 at'
}

warn_of_dates() { # NAME FILE
  warn_end=$(certificate -enddate -in "$2")
  if begins_later "$2"; then
    note "WARNING: $1 is not valid yet: $(certificate -startdate -in "$2")"
  fi
  if ! certificate -checkend 0 -in "$2" >/dev/null; then
    note "WARNING: $1 is expired: $warn_end"
  elif ! certificate -checkend "$WARN_SECONDS" -in "$2" >/dev/null; then
    note "WARNING: $1 expires within 30 days: $warn_end"
  fi
}

check_public() {
  note 'Checking public key: appliance.pem'
  CHAIN=$(split_pem "$TASK/input/appliance.pem" CERTIFICATE "$TASK/try/chain")
  [ "$CHAIN" -ge 1 ] || refuse 'Public key file holds no certificate in PEM'
  [ "$CHAIN" -le "$MAX_CERTIFICATES" ] || refuse "Public key file holds more than $MAX_CERTIFICATES certificates"
  number=1
  while [ "$number" -le "$CHAIN" ]; do
    certificate -in "$TASK/try/chain$number.pem" || refuse "Certificate $number of the public key file cannot be read"
    number=$((number + 1))
  done
  strong_enough "$TASK/try/chain1.pem" || refuse 'Public key is too weak, or of an unknown kind'
}

check_private() {
  note 'Checking private key: appliance.key'
  if grep -q -e 'BEGIN ENCRYPTED PRIVATE KEY' -e '^Proc-Type:.*ENCRYPTED' "$TASK/input/appliance.key"; then
    refuse 'Private key is encrypted'
  fi
  [ "$(split_pem "$TASK/input/appliance.key" '([A-Z]+ )?PRIVATE KEY' "$TASK/try/key")" -eq 1 ] ||
    refuse 'Private key file does not hold one private key in PEM'
  private_key -in "$TASK/try/key1.pem" -noout || refuse 'Private key cannot be read'
}

check_pair() {
  public_hash=$(certificate -pubkey -in "$TASK/try/chain1.pem" | openssl pkey -pubin -outform DER 2>/dev/null | hash_of)
  private_hash=$(private_key -in "$TASK/try/key1.pem" -pubout -outform DER | hash_of)
  note "Public key SHA256 hash:  $public_hash  -"
  note "Private key SHA256 hash: $private_hash  -"
  [ "$public_hash" = "$private_hash" ] || refuse 'Public/private key SHA256 hash mismatch'
}

check_order() {
  : >"$TASK/try/chain.pem"
  number=1
  while [ "$number" -le "$CHAIN" ]; do
    if [ "$number" -gt 1 ]; then
      issued_by "$TASK/try/chain$number.pem" "$TASK/try/chain$((number - 1)).pem" ||
        refuse "Certificate $((number - 1)) was not issued by certificate $number"
      cat "$TASK/try/chain$number.pem" >>"$TASK/try/chain.pem"
      warn_of_dates "certificate $number of appliance.pem" "$TASK/try/chain$number.pem"
    else
      warn_of_dates appliance.pem "$TASK/try/chain1.pem"
    fi
    number=$((number + 1))
  done
  cat "$TASK/try/chain1.pem" "$TASK/try/chain.pem" >"$TASK/try/enterprise.crt"
}

check_ca() {
  : >"$TASK/try/served-ca.pem"
  [ -f "$TASK/input/ca.pem" ] || return 0
  note 'Checking CA certificate: ca.pem'
  CA=$(split_pem "$TASK/input/ca.pem" CERTIFICATE "$TASK/try/ca")
  { [ "$CA" -ge 1 ] && [ "$CA" -le "$MAX_CERTIFICATES" ]; } ||
    refuse "CA certificate file does not hold 1 to $MAX_CERTIFICATES certificates in PEM"
  : >"$TASK/try/enterprise-ca.crt"
  number=1
  while [ "$number" -le "$CA" ]; do
    certificate -in "$TASK/try/ca$number.pem" || refuse "Certificate $number of the CA certificate file cannot be read"
    warn_of_dates ca.pem "$TASK/try/ca$number.pem"
    cat "$TASK/try/ca$number.pem" >>"$TASK/try/enterprise-ca.crt"
    number=$((number + 1))
  done
  # Sent only if it belongs to the chain: an unrelated certificate breaks strict clients.
  if issued_by "$TASK/try/enterprise-ca.crt" "$TASK/try/chain$CHAIN.pem"; then
    [ "$(fingerprint <"$TASK/try/ca1.pem")" = "$(fingerprint <"$TASK/try/chain$CHAIN.pem")" ] ||
      cat "$TASK/try/enterprise-ca.crt" >"$TASK/try/served-ca.pem"
  else
    note 'WARNING: ca.pem did not issue appliance.pem'
  fi
  bundle=$(system_bundle)
  cat ${bundle:+"$bundle"} "$TASK/try/enterprise-ca.crt" >"$TASK/try/ca-bundle.crt"
}

system_bundle() { # prints the file of the authorities that this system trusts
  for bundle_file in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem; do
    [ ! -f "${EDGE_NETROOT:-}$bundle_file" ] || { printf '%s' "${EDGE_NETROOT:-}$bundle_file"; return; }
  done
}

# A browser may know the authority, but it does not fetch certificates between that and ours.
warn_of_gap() {
  gap_last=$TASK/try/chain$CHAIN.pem
  gap_bundle=$(system_bundle)
  # Self-signed: nothing is above it.
  [ "$(certificate -subject_hash -in "$gap_last")" = "$(certificate -issuer_hash -in "$gap_last")" ] || [ -s "$TASK/try/served-ca.pem" ] ||
    { [ -f "$TASK/try/enterprise-ca.crt" ] && issued_by "$TASK/try/enterprise-ca.crt" "$gap_last"; } ||
    { [ -n "$gap_bundle" ] && issued_by "$gap_bundle" "$gap_last"; } ||
    note "WARNING: the issuer of certificate $CHAIN of appliance.pem is not sent along: an intermediate certificate may be missing"
}

# Starts a TLS server with the new pair on a socket in our own folder, and a client that checks what it receives.
try_handshake() (
  cd "$TASK/try" || exit 1
  cat chain.pem served-ca.pem >sent.pem
  set -- -cert chain1.pem -key key1.pem -pass pass: -no_tls1 -no_tls1_1 -naccept 1 -quiet
  [ ! -s sent.pem ] || set -- "$@" -cert_chain sent.pem
  # A relative path, because a socket's name is limited to about a hundred characters.
  timeout -s KILL 20 openssl s_server -unix try.sock "$@" </dev/null >server.txt 2>&1 9>&- &
  server=$!
  round=0
  until [ -S try.sock ]; do
    { kill -0 "$server" 2>/dev/null && [ "$round" -lt 100 ]; } || { cat server.txt; exit 1; }
    sleep 0.1 2>/dev/null || sleep 1
    round=$((round + 1))
  done
  timeout -s KILL 10 openssl s_client -unix try.sock </dev/null >client.txt 2>&1 9>&-
  answer=$?
  kill "$server" 2>/dev/null
  wait "$server" 2>/dev/null
  { [ "$answer" -eq 0 ] && grep -q 'Cipher is [A-Z]' client.txt && ! grep -q 'Cipher is (NONE)' client.txt; } || {
    cat server.txt client.txt
    exit 1
  }
  [ "$(fingerprint <client.txt)" = "$(fingerprint <chain1.pem)" ]
)

reload_daemons() { # the vendor's hook, else nginx and stunnel, read the certificates again
  hook certs
  [ $? -eq 127 ] || return 0
  for daemon in /run/nginx.pid:nginx /run/stunnel.pid:stunnel /run/stunnel4.pid:stunnel /run/stunnel4/stunnel.pid:stunnel; do
    read -r daemon_pid 2>/dev/null <"${EDGE_NETROOT:-}${daemon%:*}" || continue
    case $daemon_pid in '' | *[!0-9]* | 0 | 1) continue ;; esac
    case $(cat "/proc/$daemon_pid/comm" 2>/dev/null) in
      "${daemon#*:}" | "${daemon#*:}4") kill -HUP "$daemon_pid" 2>/dev/null || : ;;
    esac
  done
}

stage_file() { # SOURCE TARGET [secret]
  [ -e "$2" ] || printf '%s\n' "$2" >>"$TASK/first"
  place 640 "$@"
}
stage() (
  # Programs that read the key may only be members of its group, so the group needs access to the folders.
  if original_group >/dev/null; then umask 022; fi
  (umask 077 && cat "$TASK/try/key1.pem" "$TASK/try/enterprise.crt" "$TASK/try/served-ca.pem" >"$TASK/try/enterprise.pem") &&
    stage_file "$TASK/try/key1.pem" "$PKI/private/enterprise.key" secret &&
    stage_file "$TASK/try/enterprise.crt" "$PKI/certs/enterprise.crt" &&
    stage_file "$TASK/try/enterprise.pem" "$PKI/enterprise.pem" secret || exit 1
  [ -f "$TASK/try/enterprise-ca.crt" ] || exit 0
  place 644 "$TASK/try/enterprise-ca.crt" "$PKI/cacerts/enterprise-ca.crt" &&
    place 644 "$TASK/try/ca-bundle.crt" "$PKI/cacerts/ca-bundle.crt"
)

# New files get the group that the original's script gives them (jidoteki.md 5.5), so that its server, nginx and stunnel
# can read them.
share_first() {
  [ -f "$TASK/first" ] && share_group=$(original_group) || return 0
  share_staff=$(sed -n 's/^staff:[^:]*:\([0-9]*\):.*/\1/p' /etc/group)
  while IFS= read -r share_file; do
    case $share_file in
      */enterprise.pem) chown -h "0:$share_group" "$share_file" ;;
      *) chown -h "0:${share_staff:-$share_group}" "$share_file" ;;
    esac || return 1
  done <"$TASK/first"
}

# Where the original's stunnel looks for it.
link_for_original() {
  link_name=${EDGE_NETROOT:-}/enterprise.pem
  { [ -n "${EDGE_NETROOT:-}" ] || [ "$EDGE_SYSCONFDIR" = /usr/local/etc ]; } && original_group >/dev/null || return 0
  [ -e "$link_name" ] || [ -L "$link_name" ] || ln -s "$PKI/enterprise.pem" "$link_name" || echo "no link was made: $link_name"
}

run() {
  status running
  log_line update_certs.log 'Validating and adding TLS certificates'
  checkpoint certs-started
  { [ -s "$TASK/input/appliance.pem" ] && [ -s "$TASK/input/appliance.key" ]; } || refuse
  rm -rf "$TASK/try"
  (umask 077 && mkdir "$TASK/try") || fail E1000 'The certificate could not be stored'
  check_public
  check_private
  check_pair
  check_order
  check_ca
  warn_of_gap
  checkpoint certs-checked

  step 40 'trying the certificate'
  note 'Dry-run TLS certificate: stunnel.conf'
  try_handshake || refuse 'No TLS connection comes about with this certificate and key'
  checkpoint certs-tried

  step 70 'putting the certificate in place'
  { stage && swap_in && share_first; } || fail E1000 'The certificate could not be stored'
  checkpoint certs-placed

  swap_commit || fail E1000 'The certificate could not be stored'
}

recover() { swap_undo; }

on_end() {
  # The private key must not stay behind in the task's folder.
  rm -rf "$TASK/try" "$TASK/input/appliance.key"
  if [ "$1" = completed ]; then
    log_line update_certs.log 'Add TLS certificates successful'
    link_for_original
    reload_daemons
    persist_end "$1"
    status success
    return
  fi
  [ -f "$TASK/refused" ] || log_line update_certs.log 'Adding TLS certificates failed'
  persist_end "$1"
  status failed
}

main "$@"
