/** What a browser is shown at `/`: the web view, loaded when somebody looks at it. */
import { Ready } from "./ready.ts";

/** A page with what it needs within it, and what a browser may do with it: nothing but what is named by its hash. */
export interface WebPage {
  readonly html: string;
  readonly policy: string;
}

export async function webPage(): Promise<WebPage> {
  const { default: page } = await import("../view/index.html");
  return page;
}

/** It is the same for all who look: made ready once, compressed too. */
export class ViewAnswer {
  #ready: Promise<Ready> | undefined;

  async to(request: Request): Promise<Response> {
    this.#ready ??= readyPage();
    return (await this.#ready).to(request);
  }
}

async function readyPage(): Promise<Ready> {
  const { html, policy } = await webPage();
  return new Ready(html, {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": policy,
  });
}
