// One virtual machine of a test: boot, run commands in it, pull disks, cut the power, boot again, end. Its disks
// outlive a power cut and a reboot, and go with end().
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  constants,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { until } from '../api/client.ts'
import { deviceOfDisk, isRemovable, nodeOfDisk, pathOfDisk, qemuArguments } from './qemu.ts'
import { qmp } from './qmp.ts'

/** Seconds after which a boot is taken to hang, and those after which anything is given up. A boot takes twelve on a quiet machine. */
const HANG = 240
const PATIENCE = 600

const checkout = join(dirname(fileURLToPath(import.meta.url)), '../..')

/** What rig.sh found or built. */
function built(name: 'EDGE_VM_IMAGE' | 'EDGE_VM_QEMU'): string {
  const folder = process.env[name]
  if (!folder) throw new Error(`${name} is not set: these tests are started by make test-appliance`)
  return folder
}

export interface Outcome {
  status: number
  stdout: string
  stderr: string
}

export interface GuestOptions {
  /** Names beginning with `removable` can be pulled. */
  disks?: string[]
  /** Bytes of each; they take only what is written. */
  diskSize?: number
  /** MiB */
  memory?: number
}

export class Guest {
  readonly folder = mkdtempSync(join(tmpdir(), 'edge-admin-vm-'))
  /** Files that the guest sees in /rig. */
  readonly rig = join(this.folder, 'rig')
  private readonly options: Required<GuestOptions>
  /** Those that are plugged in. */
  private readonly disks: Set<string>
  private ports = { agent: 0, https: 0 }
  private process: ChildProcess | undefined

  private constructor(options: GuestOptions) {
    this.options = { disks: [], diskSize: 2 ** 31, memory: 2048, ...options }
    this.disks = new Set(this.options.disks)
    mkdirSync(this.rig)
    copyFileSync(join(built('EDGE_VM_IMAGE'), 'root.img'), join(this.folder, 'root.img'), constants.COPYFILE_FICLONE)
    for (const disk of this.disks) this.makeImage(disk)
  }

  private makeImage(disk: string): void {
    writeFileSync(this.image(disk), '')
    truncateSync(this.image(disk), this.options.diskSize)
  }

  static async boot(options: GuestOptions = {}): Promise<Guest> {
    const guest = new Guest(options)
    try {
      await guest.start()
    } catch (error) {
      await guest.end()
      throw error
    }
    return guest
  }

  /** Where the guest's port 8443 is reached from here. */
  get url(): string {
    return `https://127.0.0.1:${this.ports.https}`
  }

  private image = (disk: string) => join(this.folder, `${disk}.img`)

  /** A kernel that stops in its own boot is started once more: emulated, on a busy machine, that happens, and says nothing about us. */
  async start(): Promise<void> {
    const first = await this.comesUp(HANG)
    if (first === undefined) return
    process.stderr.write(`rig: a guest did not boot in ${HANG} s, and is started once more: ${first}\n`)
    await this.cut()
    const second = await this.comesUp(PATIENCE)
    if (second !== undefined) throw new Error(`a guest did not boot, twice: ${second}`)
  }

  /** What is on the console when it does not; throws when QEMU ends. */
  private async comesUp(seconds: number): Promise<string | undefined> {
    const [agent, https] = await freePorts()
    this.ports = { agent, https }
    const args = qemuArguments({
      image: built('EDGE_VM_IMAGE'),
      folder: this.folder,
      shares: { rig: this.rig, checkout },
      ports: this.ports,
      disks: [...this.disks],
      memory: this.options.memory,
    })
    // Ends with us, however we end.
    const argv = ['--pdeathsig', 'KILL', join(built('EDGE_VM_QEMU'), 'qemu'), ...args]
    const child = spawn('setpriv', argv, { stdio: ['ignore', 'ignore', 'pipe'] })
    this.process = child
    let words = ''
    child.stderr.on('data', (chunk: Buffer) => {
      words += chunk
    })
    let ended = false
    child.once('exit', () => {
      ended = true
    })
    const deadline = Date.now() + seconds * 1000
    while (!(await this.answers())) {
      if (ended) throw new Error(`QEMU ended: ${words}\n${this.console()}`)
      if (Date.now() > deadline) return this.console()
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    return undefined
  }

  private async answers(): Promise<boolean> {
    try {
      return (await fetch(`http://127.0.0.1:${this.ports.agent}/`, { signal: AbortSignal.timeout(2000) })).ok
    } catch {
      return false
    }
  }

  /** The last lines of the guest's console. */
  console(lines = 30): string {
    try {
      return readFileSync(join(this.folder, 'console.log'), 'utf8').split('\n').slice(-lines).join('\n')
    } catch {
      return ''
    }
  }

  /** Runs a script in the guest's bash, as root. `tell` hears what it says while it runs. */
  async exec(
    script: string,
    { timeout = PATIENCE * 1000, tell }: { timeout?: number; tell?: (text: string) => void } = {},
  ): Promise<Outcome> {
    // Not fetch: it gives up on an answer that says nothing for five minutes.
    const sent = request({
      host: '127.0.0.1',
      port: this.ports.agent,
      method: 'POST',
      agent: false,
      signal: AbortSignal.timeout(timeout),
    })
    sent.end(script)
    const [body] = (await once(sent, 'response')) as [IncomingMessage]
    const outcome = { status: -1, stdout: '', stderr: '' }
    body.setEncoding('utf8')
    let rest = ''
    for await (const chunk of body) {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop()!
      for (const line of lines) {
        const { stdout = '', stderr = '', status } = JSON.parse(line) as Partial<Outcome>
        outcome.stdout += stdout
        outcome.stderr += stderr
        if (status !== undefined) outcome.status = status
        tell?.(stdout + stderr)
      }
    }
    return outcome
  }

  /** The output of a script that must succeed. */
  async run(script: string, options: { timeout?: number } = {}): Promise<string> {
    const { status, stdout, stderr } = await this.exec(script, options)
    if (status !== 0) throw new Error(`status ${status} of: ${script}\n${stdout}${stderr}`)
    return stdout
  }

  qmp(execute: string, args: Record<string, unknown> = {}): Promise<unknown> {
    return qmp(join(this.folder, 'qmp'), execute, args)
  }

  /** Pulls a disk out. */
  async pull(disk: string): Promise<void> {
    if (!isRemovable(disk)) throw new Error(`${disk} is not removable`)
    await this.qmp('device_del', { id: `dev-${disk}` })
    await until(`${disk} is gone`, async () => (await this.exec(`test ! -e ${pathOfDisk(disk)}`)).status === 0, 60)
    this.disks.delete(disk)
  }
  /** Puts a pulled disk back, with what was on it. */
  async plug(disk: string): Promise<void> {
    await this.qmp('device_add', deviceOfDisk(disk))
    await until(`${disk} is there`, async () => (await this.exec(`test -e ${pathOfDisk(disk)}`)).status === 0, 60)
    this.disks.add(disk)
  }
  /** Plugs in a new disk, at the first port that is free: where one was pulled. */
  async insert(disk: string): Promise<void> {
    this.makeImage(disk)
    await this.qmp('blockdev-add', nodeOfDisk(disk, this.image(disk)))
    await this.plug(disk)
  }

  bootId = () => this.run('cat /proc/sys/kernel/random/boot_id')

  /** Until the guest, which something made reboot, is up again. A boot that hangs gets what start() gives it. */
  async rebooted(before: string): Promise<void> {
    const isUp = async () => {
      try {
        return (await this.exec('cat /proc/sys/kernel/random/boot_id', { timeout: 10_000 })).stdout !== before
      } catch {
        return false
      }
    }
    const left = () => this.console(Number.POSITIVE_INFINITY).split('reboot: Restarting system').length
    const earlier = left()
    let down: number | undefined
    await until(
      'the guest has rebooted',
      async () => {
        if (await isUp()) return true
        // The kernel's last words: from here on it is no longer the product's affair.
        if (down === undefined && left() > earlier) down = Date.now()
        if (down === undefined || Date.now() < down + HANG * 1000) return false
        process.stderr.write(`rig: a guest did not boot in ${HANG} s, and is reset: ${this.console()}\n`)
        await this.qmp('system_reset')
        down = Number.POSITIVE_INFINITY
        return false
      },
      HANG + PATIENCE,
    )
  }

  /** Takes the power away: what the guest had not written to a disk is lost. */
  async cut(): Promise<void> {
    const child = this.process
    this.process = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
  }

  async end(): Promise<void> {
    await this.cut()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Two ports that nobody has at this moment. */
async function freePorts(): Promise<[number, number]> {
  const take = async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    return server
  }
  const free = async (server: Server) => {
    const { port } = server.address() as AddressInfo
    server.close()
    await once(server, 'close')
    return port
  }
  const servers = [await take(), await take()] as const
  return [await free(servers[0]), await free(servers[1])]
}
