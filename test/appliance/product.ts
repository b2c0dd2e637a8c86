// The packaged product in a guest: laid out by `make install`, started by systemd as on an appliance. The sample's
// hooks would keep our own scripts from doing the real thing, so they are removed.
import { execFileSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Answer, type CallOptions, call, PREFIX, until } from '../api/client.ts'
import type { Guest } from './guest.ts'

const checkout = join(dirname(fileURLToPath(import.meta.url)), '../..')
// make's own variables would be taken for ours.
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(MAKE|MFLAGS)/.test(name)))

export async function install(guest: Guest, configuration: object): Promise<void> {
  const folder = join(guest.rig, 'product')
  execFileSync('make', ['-s', 'install', `DESTDIR=${folder}`, 'PREFIX=/usr'], { cwd: checkout, env, stdio: 'pipe' })
  await guest.run(`
    set -e
    cp -a /rig/product/. /
    edge-admin init --sample --root /opt/jidoteki/tinyadmin --sysconfdir /usr/local/etc --datadir /data --statedir /var/lib/edge-admin >/dev/null
    rm -f /opt/jidoteki/tinyadmin/bin/*.sh
    cat >/usr/local/etc/edge-admin.json <<'END'
${JSON.stringify(configuration)}
END
    systemctl daemon-reload
    systemctl enable --now edge-admin.service 2>&1
  `)
  await serves(guest)
}

/** Until the product in the guest answers, whatever it answers. */
export const serves = (guest: Guest) =>
  until(
    'the server answers',
    async () => {
      try {
        return (await call(guest.url, 'GET', '/docs')).status
      } catch {
        return false
      }
    },
    180,
  )

/** Calls of the admin surface, signed with the token. */
export const admin =
  (guest: Guest, token: string) =>
  (method: string, path: string, options: CallOptions = {}): Promise<Answer> =>
    call(guest.url, method, PREFIX + path, { sign: token, ...options })
