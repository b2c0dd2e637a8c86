// The function that starts programs, where the system refuses to. The trap: what spawn throws at once comes from inside a promise of ours, and
// has to be the same kind of error as what it tells later.
import { expect, it } from 'vitest'
import { CommandError, createRun } from '../../src/drivers/run.ts'
import { toolFailure } from '../../src/features/tool-failure.ts'

const run = createRun(() => true)

it('more arguments than the kernel takes are a failure of the program, without all of them in it', async () => {
  // One of 128 KiB is too long whatever the limits are.
  const error = await run('/bin/true', ['-a', '-b', 'x'.repeat(1 << 18)]).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(CommandError)
  expect(error).toMatchObject({ reason: 'start', stderr: expect.stringContaining('E2BIG') })
  expect((error as CommandError).argv).toEqual(['/bin/true', '-a', '-b'])
  expect(toolFailure(error, 'tank')).toMatchObject({
    status: 503,
    message: 'true is not installed or cannot be started',
  })
})

it('a program that is not there is another failure', async () => {
  await expect(run('/nonexistent', [])).rejects.toMatchObject({ reason: 'missing' })
})
