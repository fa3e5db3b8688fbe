/** Who may speak to us at all: whoever asks for us by a name of this machine, and no page that came from elsewhere. */
import { Refusal } from "./problems.ts";

/** A page that was fetched from elsewhere reaches this port by a name of its own that leads here, or by a form. */
export class Gate {
  readonly #port: number | undefined;

  /** @param port undefined behind a socket of the file system, which no browser reaches */
  constructor(port: number | undefined) {
    this.#port = port;
  }

  /** Errors: 400 for a Host that is not ours, 403 for what a page from elsewhere sends. */
  check({ headers, method, url }: Pick<Request, "headers" | "method" | "url">): void {
    if (this.#port === undefined) return;
    const host = headers.get("host")?.toLowerCase();
    if (host === undefined || !this.#hosts().includes(host))
      throw new Refusal(
        400,
        `This server is ${this.#hosts()[0]}; ask for it by that name, not by the Host that was sent`,
      );
    const origin = headers.get("origin");
    const site = headers.get("sec-fetch-site");
    const isOwn = origin === null || origin === `http://${host}`;
    // A link that leads here shows a page in which nothing stands.
    const isLink =
      headers.get("sec-fetch-mode") === "navigate" && method === "GET" && !/^[^/]*\/\/[^/]*\/api\//.test(url);
    if (!isOwn || (!isLink && (site === "cross-site" || site === "same-site")))
      throw new Refusal(403, "A page from elsewhere may not speak to this server", { code: "FORBIDDEN" });
  }

  #hosts(): readonly string[] {
    return ["127.0.0.1", "localhost", "[::1]"].map((name) =>
      this.#port === 80 ? name : `${name}:${this.#port}`,
    );
  }
}
