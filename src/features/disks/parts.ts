// What the verbs on disks work with.
import type { Leds } from '../../drivers/leds.ts'
import type { Smartctl } from '../../drivers/smartctl.ts'
import type { Zpool } from '../../drivers/zpool.ts'
import type { Tasks } from '../../tasks/tasks.ts'
import type { DiskSources } from './disks.ts'
import type { DiskHealth } from './health.ts'

export interface Disks extends DiskSources {
  zpool: Pick<Zpool, 'statuses' | 'importable'>
  smartctl: Smartctl
  health: DiskHealth
  leds: Leds
  tasks: Tasks
}
