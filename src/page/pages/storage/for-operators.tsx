// Guards a page that creates something: users without the role see a note instead of a form that would be refused.
import { type Children, Note, Page } from '../../kit/layout.tsx'
import { may } from '../../session.ts'

export const ForOperators = ({ title, children }: { title: string; children?: Children }) =>
  may('operator') ? (
    children
  ) : (
    <Page title={title}>
      <Note>
        <span>Your account can view storage but not change it.</span>
      </Note>
    </Page>
  )
