// What a disk says about its health, from `smartctl -j` of smartmontools 7 and later: ATA, SCSI and NVMe have different
// members. A sleeping disk is never woken. The exit status is a bit mask: bits 0 and 1 say that the call failed, the
// others are findings about the disk.
import { type Tool, toolMessage } from './programs.ts'
import { CommandError } from './run.ts'

export interface SelfTest {
  /** short, long, or smartctl's own word. */
  type: string
  status: 'passed' | 'failed' | 'aborted' | 'running'
  /** The disk's power-on hours when it ended. */
  hours: number | undefined
  message: string
}

export interface SmartReport {
  protocol: 'ATA' | 'SCSI' | 'NVMe' | 'other'
  /** The disk's own verdict. */
  passed: boolean | undefined
  /** Degrees Celsius. */
  temperature: number | undefined
  powerOnHours: number | undefined
  reallocated: number | undefined
  pending: number | undefined
  uncorrectable: number | undefined
  mediaErrors: number | undefined
  /** Percent of its life that is used; may exceed 100. */
  percentUsed: number | undefined
  /** A test is under way; `progress` in percent, where the disk says it. */
  running: { progress: number | undefined } | undefined
  /** The newest first. */
  tests: SelfTest[]
  /** Minutes that a test takes, as the disk says. */
  minutes: { short: number | undefined; long: number | undefined }
}

export type SmartAnswer =
  | { state: 'report'; report: SmartReport }
  | { state: 'standby' }
  /** It has no SMART, or its bridge does not let it through. */
  | { state: 'silent'; reason: string }

export type Smartctl = ReturnType<typeof createSmartctl>

/** Milliseconds. */
const TIMEOUT = 20_000
/** No bit pattern of smartctl's own failures. */
const STANDBY = 3
const CALL_FAILED = 0b11
const TESTS = 21
const EVERY_STATUS = Array.from({ length: 255 }, (_, i) => i + 1)

export function createSmartctl(tool: Tool) {
  async function run(words: string[], device: string): Promise<{ status: number; answer: Json; args: string[] }> {
    const args = ['-j', ...words, device]
    const { stdout, status } = await tool('smartctl', args, {
      timeout: TIMEOUT,
      accept: EVERY_STATUS,
      maxBytes: 1 << 22,
    })
    try {
      const answer: unknown = JSON.parse(stdout)
      if (isObject(answer)) return { status, answer, args }
    } catch {
      // Below.
    }
    throw new CommandError(['smartctl', ...args], 'output')
  }
  return {
    /** `wake`: also ask a disk that sleeps. */
    async read(device: string, { wake = false } = {}): Promise<SmartAnswer> {
      const { status, answer } = await run([...(wake ? [] : ['-n', `standby,${STANDBY}`]), '-a'], device)
      if (!wake && status === STANDBY) return { state: 'standby' }
      if ((status & CALL_FAILED) !== 0) return { state: 'silent', reason: messageOf(answer) ?? 'It has no SMART' }
      if (at(answer, 'smart_support', 'available') === false) return { state: 'silent', reason: 'It has no SMART' }
      const report = readReport(answer)
      return isEmpty(report)
        ? { state: 'silent', reason: messageOf(answer) ?? 'It has no SMART' }
        : { state: 'report', report }
    },

    /** Starts a self-test; the disk does it by itself. Undefined, or why it did not start. */
    async test(device: string, type: 'short' | 'long'): Promise<string | undefined> {
      const { status, answer } = await run(['-t', type], device)
      // Bit 2: the disk refused a command.
      return (status & 0b111) === 0 ? undefined : (messageOf(answer) ?? 'The disk refused the self-test')
    },
  }
}

type Json = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const at = (value: unknown, ...path: string[]): unknown =>
  path.reduce<unknown>((inner, name) => (isObject(inner) ? inner[name] : undefined), value)
function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}
/** One line of bounded length; a disk may say anything. */
function textOf(value: unknown): string {
  return typeof value === 'string'
    ? value
        .replace(/[\p{C}\u2028\u2029]/gu, ' ')
        .trim()
        .slice(0, 200)
    : ''
}
const rows = (value: unknown): Json[] => (Array.isArray(value) ? value.filter(isObject).slice(0, TESTS) : [])

/** smartctl's last error, else its last message. */
function messageOf(answer: Json): string | undefined {
  const all = at(answer, 'smartctl', 'messages')
  const told = (Array.isArray(all) ? all : []).filter(isObject)
  const last = told.findLast(({ severity }) => severity === 'error') ?? told.at(-1)
  return textOf(last?.['string']) || undefined
}

function readReport(answer: Json): SmartReport {
  const word = at(answer, 'device', 'protocol')
  const protocol = (['ATA', 'SCSI', 'NVMe'] as const).find((known) => known === word) ?? 'other'
  const passed = at(answer, 'smart_status', 'passed')
  const temperature = at(answer, 'temperature', 'current')
  return {
    protocol,
    passed: typeof passed === 'boolean' ? passed : undefined,
    temperature: typeof temperature === 'number' && Math.abs(temperature) < 200 ? temperature : undefined,
    powerOnHours: numberOf(at(answer, 'power_on_time', 'hours')),
    ...countersOf(answer),
    percentUsed:
      numberOf(at(answer, 'nvme_smart_health_information_log', 'percentage_used')) ??
      numberOf(answer['scsi_percentage_used_endurance_indicator']) ??
      numberOf(at(answer, 'endurance_used', 'current_percent')),
    running: runningOf(answer),
    tests: testsOf(answer),
    minutes: {
      short: numberOf(at(answer, 'ata_smart_data', 'self_test', 'polling_minutes', 'short')),
      long: numberOf(at(answer, 'ata_smart_data', 'self_test', 'polling_minutes', 'extended')) ?? longMinutes(answer),
    },
  }
}

function longMinutes(answer: Json): number | undefined {
  const seconds = numberOf(answer['scsi_extended_self_test_seconds'])
  const minutes = numberOf(at(answer, 'nvme_self_test', 'extended_minutes'))
  return seconds === undefined ? minutes : Math.ceil(seconds / 60)
}

const isEmpty = ({ passed, temperature, powerOnHours, tests }: SmartReport) =>
  passed === undefined && temperature === undefined && powerOnHours === undefined && tests.length === 0

function countersOf(answer: Json): Pick<SmartReport, 'reallocated' | 'pending' | 'uncorrectable' | 'mediaErrors'> {
  const table = at(answer, 'ata_smart_attributes', 'table')
  const attributes = (Array.isArray(table) ? table : []).filter(isObject)
  const raw = (id: number) =>
    numberOf(
      at(
        attributes.find((one) => one['id'] === id),
        'raw',
        'value',
      ),
    )
  const uncorrected = ['read', 'write', 'verify'].flatMap(
    (kind) => numberOf(at(answer, 'scsi_error_counter_log', kind, 'total_uncorrected_errors')) ?? [],
  )
  return {
    reallocated: raw(5) ?? numberOf(answer['scsi_grown_defect_list']),
    pending: raw(197) ?? numberOf(at(answer, 'scsi_pending_defects', 'count')),
    uncorrectable: raw(198) ?? (uncorrected.length > 0 ? uncorrected.reduce((a, b) => a + b, 0) : undefined),
    mediaErrors: numberOf(at(answer, 'nvme_smart_health_information_log', 'media_errors')),
  }
}

/** The self-test status of ATA is in the upper four bits: 15 while a test runs. */
const RUNNING = 15

function runningOf(answer: Json): SmartReport['running'] {
  const ata = at(answer, 'ata_smart_data', 'self_test', 'status')
  const value = numberOf(at(ata, 'value'))
  if (value !== undefined && value >> 4 === RUNNING) {
    const left = numberOf(at(ata, 'remaining_percent'))
    return { progress: left === undefined ? undefined : Math.max(0, 100 - left) }
  }
  const nvme = answer['nvme_self_test_log']
  if ((numberOf(at(nvme, 'current_self_test_operation', 'value')) ?? 0) > 0)
    return { progress: numberOf(at(nvme, 'current_self_test_completion_percent')) }
  const [first] = scsiTests(answer)
  return first?.status === 'running' ? { progress: undefined } : undefined
}

function testsOf(answer: Json): SelfTest[] {
  const log = answer['ata_smart_self_test_log']
  const ata = rows(at(log, 'extended', 'table') ?? at(log, 'standard', 'table')).map((row) => {
    const status = row['status']
    const value = numberOf(at(status, 'value'))
    return test(
      at(row, 'type', 'string'),
      ataStatus(value, at(status, 'passed')),
      row['lifetime_hours'],
      at(status, 'string'),
    )
  })
  const nvme = rows(at(answer, 'nvme_self_test_log', 'table')).map((row) => {
    const result = row['self_test_result']
    const type = at(row, 'self_test_code', 'string')
    return test(type, nvmeStatus(numberOf(at(result, 'value'))), row['power_on_hours'], at(result, 'string'))
  })
  return [...ata, ...nvme, ...scsiTests(answer)].filter(({ status }) => status !== 'running').slice(0, TESTS)
}

function scsiTests(answer: Json): SelfTest[] {
  const names = Array.from({ length: TESTS }, (_, i) => `scsi_self_test_${i}`)
  return names.flatMap((name) => {
    const row = answer[name]
    if (!isObject(row)) return []
    const words = textOf(at(row, 'result', 'string'))
    const status = scsiStatus(numberOf(at(row, 'result', 'value')), words)
    return [test(at(row, 'code', 'string'), status, at(row, 'power_on_time', 'hours'), words)]
  })
}

function test(type: unknown, status: SelfTest['status'], hours: unknown, message: unknown): SelfTest {
  const word = textOf(type)
  const known = /short/i.test(word) ? 'short' : /extended|long/i.test(word) ? 'long' : word.toLowerCase()
  return { type: known, status, hours: numberOf(hours), message: textOf(message) }
}

function ataStatus(value: number | undefined, passed: unknown): SelfTest['status'] {
  const code = value === undefined ? undefined : value >> 4
  if (code === RUNNING) return 'running'
  if (code === 1 || code === 2) return 'aborted'
  return code === 0 || (code === undefined && passed === true) ? 'passed' : 'failed'
}

/** 5, 6 and 7 are failures; the others are reasons why it was ended. */
function nvmeStatus(value: number | undefined): SelfTest['status'] {
  if (value === 0) return 'passed'
  return value === undefined || (value >= 5 && value <= 7) ? 'failed' : 'aborted'
}

/** Before 7.4 there is no value. */
function scsiStatus(value: number | undefined, words: string): SelfTest['status'] {
  if (value === RUNNING || (value === undefined && /in progress/i.test(words))) return 'running'
  if (value === 1 || value === 2 || (value === undefined && /abort/i.test(words))) return 'aborted'
  return value === 0 || (value === undefined && /^completed(?!.*fail)/i.test(words)) ? 'passed' : 'failed'
}

/** smartctl cannot be run: why, in words for a reader. */
export function smartctlFailure(error: unknown): string | undefined {
  if (!(error instanceof CommandError)) return undefined
  if (error.reason === 'missing') return 'smartmontools is not installed'
  if (error.reason === 'timeout') return 'The disk did not answer in time'
  return toolMessage(error) || 'smartctl gave no usable answer'
}
