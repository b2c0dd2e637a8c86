# shellcheck shell=sh
# Reads update packages: the outer tar while it is decrypted, the signature, the inner archive, the order of versions.
# Nothing in a package is trusted until package_verify has succeeded. So no archiver sees the outer tar: dd cuts it at
# positions that we compute, into names that we choose, and every byte that is neither data nor a valid header has to be
# zero.

# Standard input is one block of 512 bytes. Prints `data SIZE` or `sign SIZE` for the header of one of the two files,
# `end` for a block of zeros, `other` for the header of anything else, `broken` for anything that is not a header.
package_header() {
  od -A n -v -t u1 | awk '
    function zeros(from, to) {
      while (from < to && b[from] == 0) from++
      return from == to
    }
    function octal(from, to,   value, digits) {
      for (; from < to && b[from] >= 48 && b[from] <= 55; from++) { value = value * 8 + b[from] - 48; digits++ }
      for (; from < to; from++) if (b[from] != 0 && b[from] != 32) return -1
      return digits ? value : -1
    }
    # A number too large for its octal field is binary, after 0x80.
    function number(from, to) { return b[from] == 128 || octal(from, to) >= 0 }
    function text(from, to) {
      while (from < to && b[from] > 31 && b[from] != 127) from++
      return zeros(from, to)
    }
    function string(from, to,   value) {
      for (; from < to && b[from]; from++) value = value sprintf("%c", b[from])
      return zeros(from, to) ? value : ""
    }
    # "123456" and then NUL and space, in either order: no other form, so that every bit of the header is checked.
    function checksum(   i, sum) {
      for (i = 0; i < 512; i++) sum += i >= 148 && i < 156 ? 32 : b[i]
      for (i = 148; i < 154; i++) if (b[i] < 48 || b[i] > 55) return 0
      return b[154] + b[155] == 32 && (b[154] == 0 || b[155] == 0) && octal(148, 154) == sum
    }
    function magic(   value) {
      value = string(257, 263)
      return value == "ustar" && b[263] == 48 && b[264] == 48 || value == "ustar " && b[263] == 32 && !b[264] || zeros(257, 265)
    }
    { for (i = 1; i <= NF; i++) b[n++] = $i + 0 }
    END {
      if (n == 512 && zeros(0, 512)) { print "end"; exit }
      if (n != 512 || !checksum() || !magic()) { print "broken"; exit }
      size = octal(124, 136)
      name = string(0, 100)
      sane = (b[156] == 48 || !b[156]) && zeros(157, 257) && octal(100, 108) >= 0 && number(108, 116) && number(116, 124)
      sane = sane && size > 0 && octal(136, 148) >= 0 && text(265, 297) && text(297, 329) && zeros(345, 512)
      sane = sane && (zeros(329, 345) || octal(329, 337) >= 0 && octal(337, 345) >= 0)
      if (sane && name == "software_package.tar.gz") printf "data %.0f\n", size
      else if (sane && name == "software_package.tar.gz.sign" && size <= 16384) printf "sign %.0f\n", size
      else print "other"
    }'
}

package_take() { # BYTES FILE: exactly so many of standard input; 1 when it ends before, 3 when they cannot be stored
  : >"$2" || return 3
  if [ "$1" -ge 131072 ]; then
    dd bs=131072 count=$(($1 / 131072)) iflag=fullblock status=none >>"$2" || return 3
  fi
  if [ $(($1 % 131072)) -gt 0 ]; then
    dd bs=$(($1 % 131072)) count=1 iflag=fullblock status=none >>"$2" || return 3
  fi
  [ "$(stat -c %s "$2")" -eq "$1" ]
}

package_is_zero() { [ "$(tr -d '\000' <"$1" | wc -c)" -eq 0 ]; } # FILE

# Splits standard input, the decrypted package, into FOLDER/data and FOLDER/sign. Stops at the first error. 1: not a
# package, or truncated; 2: unexpected content; 3: no space.
package_split() { # FOLDER LIMIT
  split_started=
  while :; do
    package_take 512 "$1/block" || return
    split_header=$(package_header <"$1/block")
    case $split_header in
      'data '* | 'sign '*) ;;
      end) break ;;
      broken) [ -n "$split_started" ] && return 2 || return 1 ;;
      *) return 2 ;;
    esac
    split_started=1
    split_file=$1/${split_header% *}
    split_size=${split_header#* }
    [ ! -e "$split_file" ] && [ "$split_size" -le "$2" ] || return 2
    package_take "$split_size" "$split_file" || return
    package_take $(((512 - split_size % 512) % 512)) "$1/block" || return
    package_is_zero "$1/block" || return 2
  done
  [ -f "$1/data" ] && [ -f "$1/sign" ] || return 2
  # A second block of zeros, then zeros up to the archiver's record size. No archiver writes more than 1 MiB.
  dd bs=1048576 count=1 iflag=fullblock status=none >"$1/block" || return 3
  split_size=$(stat -c %s "$1/block")
  [ "$split_size" -ge 512 ] && [ "$split_size" -lt 1048576 ] && [ $((split_size % 512)) -eq 0 ] || return 2
  package_is_zero "$1/block" || return 2
}

package_decrypt() { # PACKAGE KEYFILE FOLDER KEY-DERIVATION...; status as package_split
  decrypt_package=$1
  decrypt_key=$2
  decrypt_folder=$3
  shift 3
  rm -rf "$decrypt_folder"
  mkdir -m 700 "$decrypt_folder" || return 3
  {
    openssl enc -d -aes-256-cbc "$@" -pass "file:$decrypt_key" -in "$decrypt_package"
    echo $? >"$decrypt_folder/rc"
  } | package_split "$decrypt_folder" "$(stat -c %s "$decrypt_package")" || return
  [ "$(cat "$decrypt_folder/rc")" = 0 ]
}

package_verify() { # FOLDER PUBLICKEY
  openssl dgst -sha256 -verify "$2" -signature "$1/sign" "$1/data" >/dev/null
}

package_unpack() { # FOLDER TARGET LIMIT
  unpack_option=
  tar --help 2>&1 | grep -q -e --no-same-permissions && unpack_option=--no-same-permissions
  {
    gzip -dc <"$1/data"
    echo $? >"$1/rc"
  } | {
    dd bs=65536 count=$(($3 / 65536 + 1)) iflag=fullblock status=none
    echo $? >"$1/rc-limit"
  } | tar -x -o ${unpack_option:+"$unpack_option"} -f - -C "$2" || return 1
  [ "$(cat "$1/rc" "$1/rc-limit")" = "0
0" ]
}

# Prints the line of standard input with the newest version, in the order of GNU `sort -V`, which other implementations
# support only in part: runs of digits compare as numbers, `~` comes before everything, even the end, letters before
# other characters, a suffix like `.enc` only counts if the rest is equal.
version_newest() {
  awk '
    function order(c) {
      if (c == "" || c ~ /[0-9]/) return 0
      if (c == "~") return -1
      return c ~ /[A-Za-z]/ ? code[c] : code[c] + 256
    }
    function compare(x, y,   i, j, d, p, q) {
      i = j = 1
      while (i <= length(x) || j <= length(y)) {
        while (substr(x, i, 1) ~ /[^0-9]/ || substr(y, j, 1) ~ /[^0-9]/) {
          d = order(substr(x, i, 1)) - order(substr(y, j, 1))
          if (d) return d
          i++; j++
        }
        for (p = ""; substr(x, i, 1) ~ /[0-9]/; i++) p = p substr(x, i, 1)
        for (q = ""; substr(y, j, 1) ~ /[0-9]/; j++) q = q substr(y, j, 1)
        sub(/^0+/, "", p); sub(/^0+/, "", q)
        if (length(p) != length(q)) return length(p) - length(q)
        if (p "" != q "") return p "" < q "" ? -1 : 1
      }
      return 0
    }
    function stem(x) {
      while (match(x, /\.[A-Za-z~][A-Za-z0-9~]*$/) && RSTART > 1) x = substr(x, 1, RSTART - 1)
      return x
    }
    function newer(x, y,   d) {
      if (x == "" || y == "") return x != y && y == ""
      d = compare(stem(x), stem(y))
      if (!d) d = compare(x, y)
      return d ? d > 0 : x "" > y ""
    }
    BEGIN { for (i = 1; i < 256; i++) code[sprintf("%c", i)] = i }
    NR == 1 || newer($0, best) { best = $0 "" }
    END { if (NR) print best }'
}
