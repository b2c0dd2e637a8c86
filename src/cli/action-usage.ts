// What `edge-admin COMMAND ACTION --help` prints: one action, and what it takes.

const READING = `  --key FILE        passphrase file: its first line decrypts the package
  --pub FILE        public key (PEM) that checks the signature
  --legacy-md5      also take packages made with the old key derivation`
const STATE =
  '  --statedir DIR    the state folder of the server (default: that of the installation, else /var/lib/edge-admin)'
const ROOT =
  '  --root DIR        the admin folder: the token lies in its etc (default: that of the installation, else JIDO_ADMIN_PATH, else\n                    /opt/jidoteki/tinyadmin)'

export const ACTION_USAGE: Record<string, Record<string, string>> = {
  token: {
    set: `edge-admin token set [--root DIR]
Reads the new API token from standard input: 1 to 255 characters out of ASCII 33 to 126. Ends a pending first run.
${ROOT}`,
    rotate: `edge-admin token rotate [--root DIR]
Makes a random API token and prints it once. Ends a pending first run.
${ROOT}`,
    metrics: `edge-admin token metrics [--root DIR] [--remove]
Makes a token that reads /metrics and nothing else, prints it once, and revokes the previous one.
${ROOT}
  --remove          end it; make none`,
  },
  user: {
    list: `edge-admin user list [--statedir DIR]
Lists the accounts with their roles.
${STATE}`,
    reset: `edge-admin user reset NAME [--statedir DIR]
Makes a random password, prints it once, switches the account on and ends all its tokens. The server may run or not.
${STATE}`,
  },
  package: {
    build: `edge-admin package build --key updates.key --sign updates.priv --version V --out FILE.enc DIR
  DIR               update.sh and what it installs; version.txt is added
  --key FILE        passphrase file: its first line encrypts the package
  --sign FILE       private key (PEM) that signs it
  --version V       version of the package; may be left out when DIR holds version.txt
  --out FILE        where the package goes
SOURCE_DATE_EPOCH gives the files their time (default 0).`,
    inspect: `edge-admin package inspect FILE --key updates.key [--pub updates.pub]
${READING}`,
    verify: `edge-admin package verify FILE --key updates.key --pub updates.pub [--installed V]
${READING}
  --installed V     version of the appliance: an older or equal package is refused, as the appliance would`,
  },
  license: {
    keygen: `edge-admin license keygen --out PREFIX
Writes PREFIX.priv and PREFIX.pub, and replaces neither.`,
    sign: `edge-admin license sign --key PRIV --in license.json --out license.asc
  --key PRIV        the private key of keygen
  --in FILE         {"app":"…","users":20,"expires":"2038-01-19","name":"…","contact":"…"}, and more texts, numbers, booleans
  --out FILE        where the license goes`,
    verify: `edge-admin license verify --pub PUB FILE
  --pub PUB         the public key of keygen`,
  },
  audit: {
    list: `edge-admin audit list [--statedir DIR] [FILTER]... [--limit N] [--json]
${STATE}
  --actor A         id or name of an account, token, local, nobody or system
  --action A        pools.create …
  --resource R      pools/tank, and everything below it
  --result R        success or failure
  --since TIME, --until TIME   from this instant on, and before that one (2026-01-31T12:00:00Z)
  --before ID       entries older than this one
  --limit N         so many entries (default 100)
  --json            one entry a line, as JSON`,
    verify: `edge-admin audit verify [--statedir DIR | FOLDER | FILE...] [--key PUBLIC] [--checkpoint FILE]
${STATE}
  FOLDER, FILE...   a copied log, or only some of its segments
  --key PUBLIC      the key that was kept, instead of the one beside the log
  --checkpoint FILE a checkpoint that was kept: says how much of what it signed is still there
Exit status: 0 when nothing that is there was changed; its first line says from which entry on ("good" alone is the whole log).
1 when something was changed, is missing or cannot be read: the first bad entry is on standard error. 64 for a wrong call.`,
    key: `edge-admin audit key [--statedir DIR]
Prints the public key: keep it, and a copy of the file "checkpoint", elsewhere.
${STATE}`,
  },
}
