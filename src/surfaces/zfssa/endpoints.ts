// Every endpoint of the ZFSSA surface: the table behind routing, the OpenAPI document and the generated tests.
import { accessEndpoints } from './access.ts'
import { httpsEndpoints } from './https.ts'
import { passwordEndpoints } from './password.ts'

export const zfssaEndpoints = [...accessEndpoints, ...httpsEndpoints, ...passwordEndpoints]
