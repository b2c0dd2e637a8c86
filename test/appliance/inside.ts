// Runs the tests of inside.config.ts in a guest and passes their words and their status on: `tsx
// test/appliance/inside.ts [FILE...]`; with `--bench`, what of `make bench` wants a real ZFS. The guest sees the
// checkout as it is now, read-only, below a layer that takes what tests write.
import { Guest } from './guest.ts'
import { pathOfDisk } from './qemu.ts'

const DISKS = ['disk1', 'disk2', 'disk3', 'disk4', 'removable1', 'removable2']
const files = process.argv.slice(2)
const isBench = files[0] === '--bench'
const TESTS = `node_modules/vitest/vitest.mjs run --config test/appliance/inside.config.ts \\
      --reporter=verbose --reporter=./test/harness/reporter.ts ${files.join(' ')}`
if (files.some((file) => !/^[\w./-]+$/.test(file))) throw new Error('odd file names')

const guest = await Guest.boot({ disks: DISKS, memory: 3072 })
const leave = (signal: NodeJS.Signals) => guest.end().finally(() => process.exit(signal === 'SIGINT' ? 130 : 143))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, leave)
try {
  const { status } = await guest.exec(
    `
    set -e
    modprobe -a overlay zfs target_core_mod target_core_file target_core_iblock iscsi_target_mod iscsi_tcp
    mkdir -p /run/work && mount -t tmpfs -o size=512m tmpfs /run/work
    mkdir -p /run/work/upper /run/work/work /work
    mount -t overlay -o lowerdir=/checkout,upperdir=/run/work/upper,workdir=/run/work/work overlay /work
    systemctl start smbd nfs-server
    cd /work
    export EDGE_REAL=1 EDGE_DISKS='${DISKS.map(pathOfDisk).join(' ')}' NO_COLOR=1
    exec node ${isBench ? 'node_modules/tsx/dist/cli.mjs test/bench/main.ts snapshots' : TESTS} 2>&1
  `,
    // rig.sh has the limit.
    { timeout: 2 ** 31 - 1, tell: (text) => process.stdout.write(text) },
  )
  process.exitCode = status
} finally {
  await guest.end()
}
