# Masks secrets in a text: `awk -v secrets=FILE [-v count=FILE] -f redact.awk`, with one literal secret per line in
# FILE. Works in mawk, gawk and busybox awk with LC_ALL=C. Patterns are matched on a lower-case copy, so both must keep
# the same length.

BEGIN {
  MASK = "[redacted]"
  # A shorter secret would match half of every log; the patterns below still mask it where it is named.
  LEAST = 3
  for (i = 1; i < 256; i++) code[sprintf("%c", i)] = i
  while ((getline line < secrets) > 0) {
    if (length(line) < LEAST) continue
    know(line)
    # As it is encoded in a URL, with either case of the digits.
    if (line ~ /[^A-Za-z0-9._~-]/) { know(encoded(line, "%%%02X")); know(encoded(line, "%%%02x")) }
  }
  close(secrets)
  # Longest first: a secret may contain another one.
  for (i = 2; i <= literals; i++) {
    line = literal[i]
    for (j = i - 1; j > 0 && length(literal[j]) < length(line); j--) literal[j + 1] = literal[j]
    literal[j + 1] = line
  }
}

function know(line) { if (!(line in known)) { known[line] = 1; literal[++literals] = line } }
function encoded(line, form,    out, i, c) {
  for (i = 1; i <= length(line); i++) {
    c = substr(line, i, 1)
    out = out (c ~ /[A-Za-z0-9._~-]/ ? c : sprintf(form, code[c]))
  }
  return out
}

function mask_literal(text, secret,    out, at) {
  out = ""
  while ((at = index(text, secret)) > 0) {
    out = out substr(text, 1, at - 1) MASK
    text = substr(text, at + length(secret))
  }
  return out text
}

# The length of the value at the start of TEXT. Quoted: up to the closing quote. STOP: the characters that end a bare
# one.
function value_length(text, stop,    quote, i, c) {
  quote = substr(text, 1, 1)
  if (quote == "\"" || quote == "\047") {
    for (i = 2; i <= length(text); i++) {
      c = substr(text, i, 1)
      if (c == "\\") i++
      else if (c == quote) return i
    }
    return length(text)
  }
  for (i = 1; i <= length(text); i++) if (index(stop, substr(text, i, 1)) > 0) break
  return i - 1
}

# Every `NAME<separator>value` in TEXT, with the value masked. PATTERN matches the name and the separator.
function mask_value(text, pattern, stop,    out, n, quote) {
  out = ""
  while (match(tolower(text), pattern)) {
    out = out substr(text, 1, RSTART + RLENGTH - 1)
    text = substr(text, RSTART + RLENGTH)
    n = value_length(text, stop)
    if (n == 0) continue
    quote = substr(text, 1, 1)
    if (quote != "\"" && quote != "\047") quote = ""
    out = out quote MASK quote
    text = substr(text, n + 1)
  }
  return out text
}

function mask_keys(text,    out, at, rest) {
  out = ""
  for (;;) {
    if (inside_key) {
      if (!match(text, /-----END [A-Z ]*PRIVATE KEY-----/)) return out
      out = out substr(text, RSTART, RLENGTH)
      text = substr(text, RSTART + RLENGTH)
      inside_key = 0
    }
    if (!match(text, /-----BEGIN [A-Z ]*PRIVATE KEY-----/)) return out text
    out = out substr(text, 1, RSTART + RLENGTH - 1) MASK
    text = substr(text, RSTART + RLENGTH)
    inside_key = 1
    key_lines = 0
  }
}

# The end of a private key whose beginning was rotated away: recognizable only at its last line, so possible key lines
# are held back.
function show(text) {
  if (text ~ /^[A-Za-z0-9+\/]+=*\r?$/ && length(text) <= 80) {
    if (waiting >= 200) flush()
    wait[++waiting] = text
    return
  }
  if (waiting && text ~ /^-----END [A-Z ]*PRIVATE KEY-----/) {
    waiting = 0
    print MASK
  }
  flush()
  print text
}
function flush(   i) {
  for (i = 1; i <= waiting; i++) print wait[i]
  waiting = 0
}

{
  # No key is longer: a line that only looks like the beginning of one must not hide the rest of a log.
  if (inside_key && ++key_lines > 200) inside_key = 0
  if (inside_key && $0 !~ /-----END /) next
  text = mask_keys($0)
  for (i = 1; i <= literals; i++) if (index(text, literal[i]) > 0) text = mask_literal(text, literal[i])
  small = tolower(text)
  # Tested first with index(): most lines contain no secret, and a search is cheaper than a match.
  if (index(small, "token") || index(small, "hash") || index(small, "secret") || index(small, "phrase")) {
    text = mask_value(text, "(token|hash|secret|phrase)=", " \t&;,<>\"\047)")
    text = mask_value(text, "(token|secret|phrase)\\\\*[\"\047][ \t]*:[ \t]*", " \t,}]")
  }
  if (index(small, "passw")) {
    text = mask_value(text, "passw[a-z0-9_.-]*=", " \t&")
    # `password: two words`: the end of the value is unknown.
    text = mask_value(text, "passw[a-z0-9_.-]*\\\\*[\"\047]?([ \t]*:|[ \t]*=[ \t]|[ \t]+=)[ \t]*", "")
  }
  if (index(small, "bearer ")) text = mask_value(text, "bearer[ \t]+", " \t,;\"\047")
  if (index(small, "authorization") || index(small, "x-auth-") || index(small, "cookie")) {
    text = mask_value(text, "(authorization|x-auth-[a-z-]*|cookie)[\"\047]?[ \t]*[:=][ \t]*", "")
  }
  show(text)
}

END { flush() }
