/** What a browser is shown at `/`. The web view takes this place. */
import { createHash } from "node:crypto";

/** A page with what it needs within it, and what a browser may do with it: nothing but what is named by its hash. */
export interface WebPage {
  readonly html: string;
  readonly policy: string;
}

const style = "body{font:1rem/1.5 system-ui,sans-serif;margin:4rem auto;max-width:40rem;padding:0 1rem}";

/** A seam for the view, which is loaded when somebody looks at it. */
export async function webPage(): Promise<WebPage> {
  const hash = createHash("sha256").update(style).digest("base64");
  return {
    html: `<!doctype html><html lang="en"><meta charset="utf-8"><title>acp-sidecar</title><style>${style}</style><h1>acp-sidecar</h1><p>The API is at <code>/api/</code>, what it can do in <a href="/api/openapi.json">/api/openapi.json</a>.</p></html>`,
    policy: `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  };
}

export async function pageAnswer(_request: Request): Promise<Response> {
  const { html, policy } = await webPage();
  return new Response(html, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy,
      "cache-control": "no-cache",
    },
  });
}
