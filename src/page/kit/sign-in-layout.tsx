// The layout of the pages before sign-in: one card in the middle of the window, and a warning on a page without TLS.
import { useEffect } from '../hooks.ts'
import { ConnectionLost } from './connection-lost.tsx'
import { type Children, Note } from './layout.tsx'

export function SignInLayout({ title, children }: { title: string; children?: Children }) {
  useEffect(() => {
    document.title = `${title} · Edge Admin`
  }, [title])
  return (
    <main class="sign-in">
      <ConnectionLost />
      {isSecureContext ? null : (
        <Note tone="warning" title="This page was loaded without encryption">
          Browsers keep no session for such a page, and anything you type can be read on the network. Open it with
          https.
        </Note>
      )}
      <section class="card">
        <div class="brand">
          <img src="/console/icon.svg" alt="" />
          <h1>{title}</h1>
        </div>
        {children}
      </section>
    </main>
  )
}
