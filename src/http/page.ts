/** What a browser is shown at `/`: the web view, loaded when somebody looks at it. */
import { answered } from "./answer.ts";

/** A page with what it needs within it, and what a browser may do with it: nothing but what is named by its hash. */
export interface WebPage {
  readonly html: string;
  readonly policy: string;
}

export async function webPage(): Promise<WebPage> {
  const { default: page } = await import("../view/index.html");
  return page;
}

export async function pageAnswer(request: Request): Promise<Response> {
  const { html, policy } = await webPage();
  return answered(request, {
    text: html,
    headers: { "content-type": "text/html; charset=utf-8", "content-security-policy": policy },
  });
}
