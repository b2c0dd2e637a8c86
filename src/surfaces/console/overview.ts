// GET /console/overview, GET /console/certificate.
import { mayAct } from '../../auth/principal.ts'
import { notFound } from '../../errors.ts'
import { describeCertificate } from '../../features/certs/served.ts'
import { readOverview } from '../../features/console-overview/overview.ts'
import { JSON_TYPE, json } from '../../http/reply/reply.ts'
import { type ConsoleDeps, define, PREFIX, TAG } from './context.ts'

const certificateOf = ({ certificate, now }: ConsoleDeps) => {
  const pem = certificate()
  return pem === undefined ? undefined : describeCertificate(pem, now())
}

export const getOverview = define({
  method: 'GET',
  path: `${PREFIX}/overview`,
  id: 'getOverview',
  tag: TAG,
  summary: 'Show how the appliance is, and what needs somebody',
  permission: 'viewer',
  response: JSON_TYPE,
  async handle({ principal }, deps) {
    const { folders, installedVersion, health, history, services, accounts, storage, taskEvents, findings, now } = deps
    const mayMend = principal !== undefined && mayAct(principal, 'administrator')
    return json(
      await readOverview({
        folders,
        version: () => installedVersion.get(),
        health,
        history,
        services,
        storage,
        certificate: () => certificateOf(deps),
        oneTime: () => accounts?.users.all().some(({ one_time }) => one_time) ?? false,
        tasks: () => taskEvents.all(),
        findings: () => (mayMend ? findings() : []),
        now,
      }),
    )
  },
})

export const getCertificate = define({
  method: 'GET',
  path: `${PREFIX}/certificate`,
  id: 'getServedCertificate',
  tag: TAG,
  summary: 'Show the certificate that the port serves now',
  permission: 'viewer',
  response: JSON_TYPE,
  errors: [404],
  handle(_call, deps) {
    const certificate = certificateOf(deps)
    if (!certificate) throw notFound('The port serves no certificate')
    return json(certificate)
  },
})

export const overviewEndpoints = [getOverview, getCertificate]
