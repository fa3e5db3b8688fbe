/** An answer that is sent again and again: its bytes, also compressed, and its headers are made once. */
import { createHash } from "node:crypto";
import type { Awaitable } from "../base/awaitable.ts";
import { fewestBytes, headersFor, isKnown, notChanged, responseOf, takesGzip } from "./response.ts";
import { zipped } from "./zipped.ts";

export class Ready {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #tag: string;
  readonly #headers: Readonly<Record<string, string>>;
  #zipped: Awaitable<Uint8Array<ArrayBuffer>> | undefined;

  /** @param headers besides the usual ones of an answer, with names in lower case */
  constructor(text: string, headers: Readonly<Record<string, string>> = {}) {
    this.#bytes = Buffer.from(text);
    this.#tag = tagOf(this.#bytes);
    this.#headers = headersFor({ "content-type": "application/json", ...headers, etag: this.#tag });
  }

  get bytes(): number {
    return this.#bytes.byteLength;
  }

  to(request: Request): Response | Promise<Response> {
    const known = request.headers.get("if-none-match");
    if (known !== null && isKnown(known, this.#tag)) return notChanged(this.#headers);
    if (this.bytes >= fewestBytes && takesGzip(request)) return this.#compressed();
    return responseOf(this.#bytes, 200, this.#headers);
  }

  async #compressed(): Promise<Response> {
    this.#zipped ??= zipped(this.#bytes);
    return responseOf(await this.#zipped, 200, { ...this.#headers, "content-encoding": "gzip" });
  }
}

/** A strong one would promise the same bytes, compressed or not. */
export function tagOf(text: string | Uint8Array): string {
  return `W/"${createHash("sha1").update(text).digest("base64url")}"`;
}
