# shellcheck shell=sh
# A root whose Node is too old, or that has none: one sentence, status 69, and nothing laid down. Sourced by stage.sh. A newcomer's trap: what is
# compared is every file of the root, so the archive is unpacked before the first look.

play() { # [without]
  [ "${1:-}" != without ] || rm "$BOX/usr/bin/node"
  mkdir -p "$BOX/root"
  cp "$ARCHIVE" "$BOX/root/"
  # shellcheck disable=SC2016 # the root's shell fills it in
  inside sh -c 'cd /root && tar -xzf ./*.tar.gz && mv edge-admin-*/ unpacked'
  note "node: $(inside node --version 2>/dev/null || echo none)"
  row 'install.sh says one sentence, status 69, and lays nothing down' install
  row 'edge-admin says one sentence, status 69' no_command init --root /opt/box
  row 'edge-admin serve says one sentence, status 69' no_command serve --root /opt/box
}

everything() { (cd "$BOX" && find . -xdev -path ./root/unpacked -prune -o -printf '%p %y %m %U:%G %s %T@ %l\n') | sort; }

one_sentence() { # COMMAND...
  sentence_code=0
  inside "$@" >"$WORK/sentence" 2>&1 || sentence_code=$?
  same 69 "$sentence_code"
  same 1 "$(wc -l <"$WORK/sentence" | tr -d ' ')"
  [ "$(wc -c <"$WORK/sentence")" -lt 300 ] || fault "it is long: $(head -c 300 "$WORK/sentence")"
  grep -qi node "$WORK/sentence" || fault "it does not name Node: $(cat "$WORK/sentence")"
  cat "$WORK/sentence"
}
install() {
  everything >"$WORK/before"
  one_sentence sh -c 'cd /root/unpacked && sh ./install.sh'
  everything >"$WORK/after"
  cmp -s "$WORK/before" "$WORK/after" || { diff "$WORK/before" "$WORK/after" | head -n 20; return 1; }
}
no_command() { # ARGUMENT...
  everything >"$WORK/before"
  one_sentence /root/unpacked/scripts/edge-admin "$@"
  everything >"$WORK/after"
  cmp -s "$WORK/before" "$WORK/after" || { diff "$WORK/before" "$WORK/after" | head -n 20; return 1; }
}
