// The command line of the virtual machine. No KVM, which hangs where this is developed; everything is emulated, so the
// kernel comes unpacked, nothing is loaded that a test does not need, and there is one processor: a second one makes
// every process take twice as long (QEMU then has to keep their memory in order), and a kernel now and then waits for
// it for ever.
import { join } from 'node:path'

export interface Machine {
  /** The rig's finished image: vmlinux, initrd.img. */
  image: string
  /** Where this guest keeps its disks and its sockets. */
  folder: string
  /** Read-only for the guest, at /rig and at /checkout. */
  shares: { rig: string; checkout: string }
  /** Ports of this machine's loopback. */
  ports: { agent: number; https: number }
  disks: string[]
  memory: number
}

/** The disks that can be pulled and put back; the others are there as long as the guest. */
export const isRemovable = (disk: string) => disk.startsWith('removable')
/** What a disk is called in the guest. */
export const pathOfDisk = (disk: string) =>
  `/dev/disk/by-id/${isRemovable(disk) ? 'scsi-0QEMU_QEMU_HARDDISK_' : 'virtio-'}${disk}`

export function deviceOfDisk(disk: string): Record<string, string> {
  return isRemovable(disk)
    ? { driver: 'scsi-hd', bus: 'scsi.0', drive: disk, id: `dev-${disk}`, serial: disk, device_id: disk }
    : { driver: 'virtio-blk-pci', drive: disk, id: `dev-${disk}`, serial: disk }
}

/** What is below such a device. */
export const nodeOfDisk = (disk: string, file: string) => ({
  driver: 'raw',
  'node-name': disk,
  discard: 'unmap',
  file: { driver: 'file', filename: file },
})

const option = (values: Record<string, string>) =>
  Object.entries(values)
    .map(([name, value]) => (name === 'driver' ? value : `${name}=${value}`))
    .join(',')

export function qemuArguments({ image, folder, shares, ports, disks, memory }: Machine): string[] {
  const drive = (name: string, file: string) => ['-blockdev', JSON.stringify(nodeOfDisk(name, file))]
  const share = (tag: string, path: string) => [
    '-virtfs',
    `local,path=${path},mount_tag=${tag},security_model=none,readonly=on,multidevs=remap`,
  ]
  // restrict: the guest reaches nothing but us.
  const forward = (port: number, inside: number) => `hostfwd=tcp:127.0.0.1:${port}-:${inside}`
  return [
    // Node's simdutf takes a processor with SSE 4.2 and PCLMULQDQ for one that has POPCNT: without it, Node dies by SIGILL at some texts.
    ...['-accel', 'tcg,thread=multi,tb-size=512', '-cpu', 'qemu64,+aes,+ssse3,+sse4.1,+sse4.2,+pclmulqdq,+popcnt'],
    ...['-machine', 'q35', '-smp', '1', '-m', String(memory), '-nodefaults', '-display', 'none'],
    ...['-serial', `file:${join(folder, 'console.log')}`, '-qmp', `unix:${join(folder, 'qmp')},server=on,wait=off`],
    ...['-kernel', join(image, 'vmlinux'), '-initrd', join(image, 'initrd.img')],
    '-append',
    'console=ttyS0 quiet panic=1 mitigations=off nokaslr tsc=reliable nowatchdog audit=0 random.trust_cpu=on net.ifnames=0',
    ...drive('root', join(folder, 'root.img')),
    ...['-device', 'virtio-blk-pci,drive=root,serial=root'],
    ...['-device', 'virtio-scsi-pci,id=scsi'],
    ...disks.flatMap((disk) => [...drive(disk, join(folder, `${disk}.img`)), '-device', option(deviceOfDisk(disk))]),
    ...['-netdev', `user,id=way-in,restrict=on,${forward(ports.agent, 7000)},${forward(ports.https, 8443)}`],
    ...['-device', 'virtio-net-pci,netdev=way-in,romfile=,mac=52:54:00:00:00:01'],
    // For tests that change the network. QEMU answers DHCP there.
    ...['-netdev', 'user,id=for-tests,restrict=on,net=10.9.0.0/24,dhcpstart=10.9.0.50'],
    ...['-device', 'virtio-net-pci,netdev=for-tests,romfile=,mac=52:54:00:00:00:02'],
    ...share('rig', shares.rig),
    ...share('checkout', shares.checkout),
    ...['-device', 'virtio-rng-pci'],
  ]
}
