// What `edge-admin COMMAND --help` prints: the command's options, without its summary, which is in cli.ts.

const FOLDERS = `  --root DIR        the admin folder (etc, log, tmp, bin, home/sftp/uploads)
  --sysconfdir DIR  configuration of the system, where edge-admin.json lies
  --datadir DIR     what is backed up and restored
  --statedir DIR    what is ours alone: tasks, locks
                    Each is by default what install.sh was told. Where nothing was installed: JIDO_ADMIN_PATH, else /opt/jidoteki/tinyadmin;
                    /usr/local/etc; /data; /var/lib/edge-admin.`

export const USAGE_OF: Record<string, string> = {
  serve: `edge-admin serve [OPTION]...
${FOLDERS}
  --host H          address to listen on
  --port N          port to listen on
  --no-tls          plain HTTP, on loopback only
  --programs DIR    zpool, zfs and the other storage programs are those of DIR (trying things out)
  --insecure-http-beyond-loopback  plain HTTP on other addresses, too
  --config FILE     this configuration instead of <sysconfdir>/edge-admin.json
  --default-log FILE  where the log goes when the configuration has no log.file (the init script's; without either, standard output)
  --ready-fd N      write a line to this open regular file, 3 to 9, once the port is open (the init script's); no pipe, no socket
  --compat original answer as the original does where it is laxer (for comparing only)`,
  init: `edge-admin init [--root DIR] [--sysconfdir DIR] [--datadir DIR] [--statedir DIR] [--sample]
Makes what is missing and never changes what is there.
${FOLDERS}
  --sample          add a version, test keys, a configuration, data, and hooks that only write a log.
                    The other folders are then taken to be sysconf, data and state below --root, which has to be named.`,
  check: `edge-admin check [OPTION]...
edge-admin check --from-original DIR [OPTION]...
Looks at folders, owners, programs, scripts, keys, lists, hooks, clock, certificate, license, configuration and port.
It changes nothing and runs no hook. Root sees most; what another user may not look at is said.
${FOLDERS}
  --config FILE     this configuration instead of <sysconfdir>/edge-admin.json
  --programs DIR    as that of edge-admin serve
  --from-original DIR  what a migration of the original's admin folder DIR would change
  --json            all that was looked at, as JSON; each finding has an id that stays the same
Exit status 0 when nothing is wrong (notes are not), 1 when something is. 64 for a wrong call.`,
  token: `edge-admin token set [--root DIR]      reads the new token from standard input
edge-admin token rotate [--root DIR]   makes a random token and prints it once
edge-admin token metrics [--root DIR] [--remove]   makes (or ends) a token that reads /metrics and nothing else
An API token has 1 to 255 characters out of ASCII 33 to 126. Setting one ends a pending first run.`,
  user: `edge-admin user list [--statedir DIR]
edge-admin user reset NAME [--statedir DIR]
reset makes a random password, prints it once, switches the account on and ends all its tokens. The server may run or not.`,
  package: `edge-admin package build --key updates.key --sign updates.priv --version V --out FILE.enc DIR
edge-admin package inspect FILE --key updates.key [--pub updates.pub]
edge-admin package verify FILE --key updates.key --pub updates.pub [--installed V]
  DIR               update.sh and what it installs; version.txt is added
  --key FILE        passphrase file: its first line encrypts the package
  --sign FILE       private key (PEM) that signs it
  --pub FILE        public key (PEM) that checks the signature
  --version V       version of the package; may be left out when DIR holds version.txt
  --installed V     version of the appliance: an older or equal package is refused, as the appliance would
  --legacy-md5      inspect, verify: also take packages made with the old key derivation
SOURCE_DATE_EPOCH gives the files their time (default 0).`,
  license: `edge-admin license keygen --out PREFIX                         writes PREFIX.priv and PREFIX.pub
edge-admin license sign --key PRIV --in license.json --out license.asc
edge-admin license verify --pub PUB FILE
license.json: {"app":"…","users":20,"expires":"2038-01-19","name":"…","contact":"…"}, and more texts, numbers, booleans.
The appliance looks for the public key in <root>/etc/license.pub.`,
  audit: `edge-admin audit list [--statedir DIR] [FILTER]... [--limit N] [--json]
edge-admin audit verify [--statedir DIR | FOLDER | FILE...] [--key PUBLIC] [--checkpoint FILE]
edge-admin audit key [--statedir DIR]   prints the public key: keep it, and a copy of the file "checkpoint", elsewhere
  --actor A         id or name of an account, token, nobody or system
  --action A        pools.create …
  --resource R      pools/tank, and everything below it
  --result R        success or failure
  --since TIME, --until TIME   from this instant on, and before that one (2026-01-31T12:00:00Z)
  --before ID       entries older than this one
  FOLDER, FILE...   a copied log, or only some of its segments
  --key PUBLIC      the key that was kept, instead of the one beside the log
  --checkpoint FILE a checkpoint that was kept: says how much of what it signed is still there
  --actor also takes local: what was done on the machine itself, by edge-admin user reset and token
Exit status of verify: 0 when nothing that is there was changed; its first line says from which entry on ("good" alone
is the whole log). 1 when something was changed, is missing or cannot be read: the first bad entry is on standard error. 64 for a wrong call.`,
  call: `edge-admin call METHOD PATH [-F name=@FILE | -F name=VALUE | --json JSON]... [OPTION]...
  PATH              version, update/log, backup?wait=30 … (with --user: pools, datasets/tank …), or a whole path that starts with /
  -F name=@FILE     send FILE; -F name=VALUE sends a text
  --json JSON       send it, or the file with --json @FILE: what the storage API takes
  --user NAME       log in to the storage API (/api/v1/pools …), which knows accounts and not the token
  --password-file FILE its password; else the variable EDGE_ADMIN_PASSWORD; else standard input
  -o FILE           save the body (not printed, not kept when it is incomplete)
  --url URL         default https://127.0.0.1:8443
  --token-file FILE the token, or an appliance's etc/api.token; else the variable EDGE_ADMIN_TOKEN; else no credentials
  --token-in-query  send the token itself instead of the hash
  --ca FILE         trust this certificate (PEM)
  --insecure        do not check the server's certificate
Exit status 0 for a 2xx answer, else 1. The body goes to standard output, the status line to standard error.`,
  'export-original': `edge-admin export-original [--root DIR] [--sysconfdir DIR] [--statedir DIR] [--group G] [--new-token | --undo]
Reads the API token from standard input (the appliance keeps only its digest), checks it, and writes everything that the original's server and
scripts read in their form, with their owners: all of it or nothing. Once more changes nothing. Refused while a server has the folder.
  --root DIR        the admin folder (default: that of the installation, else JIDO_ADMIN_PATH, else /opt/jidoteki/tinyadmin)
  --sysconfdir DIR  configuration of the system (default: that of the installation, else /usr/local/etc)
  --statedir DIR    the state folder of the server (default: that of the installation, else /var/lib/edge-admin)
  --group G         name or number of the group of the original's server (default: the group of etc/ in the admin folder)
  --new-token       the token that is read is a new one: nothing is checked, and it is set
  --undo            only puts back what an export that was interrupted had done; reads no token`,
  swap: 'edge-admin swap in|keep|back [--contents] DIR [ROOT]',
  judge: 'edge-admin judge SCRIPT FILE [UID GID]',
  take: 'edge-admin take UID GID FROM TO',
  permit: 'edge-admin permit TASKFOLDER DATASET FOLDER',
  screen: 'edge-admin screen FILE ENTRIES BYTES',
  archive: 'edge-admin archive FOLDER ENTRIES BYTES [FILE] <NAMES',
  plain: 'edge-admin plain FILE ENTRIES BYTES',
}
