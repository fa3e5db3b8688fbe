/** Whether a layer is used: after a failure it is left alone for a while, so that it slows nothing down. */
import { isSidecarError, reasonOf } from "../../base/errors.ts";

export class Health {
  failures = 0;
  lastFailure: string | undefined;
  readonly #retryMs: number;
  #downUntilMs = 0;

  constructor(retryMs: number) {
    this.#retryMs = retryMs;
  }

  get isUp(): boolean {
    return this.#downUntilMs === 0 || performance.now() >= this.#downUntilMs;
  }

  failed(error: unknown): void {
    this.failures += 1;
    this.lastFailure = reasonOf(error);
    this.#downUntilMs = performance.now() + this.#retryMs;
  }

  succeeded(): void {
    this.#downUntilMs = 0;
  }
}

/** A refusal that is about one session and says nothing against the layer. */
export function isOfOneSession(error: unknown): boolean {
  return isSidecarError(
    error,
    "SESSION_NOT_FOUND",
    "SESSION_EXISTS",
    "SESSION_BUSY",
    "LEASE_LOST",
    "STORE_CONFLICT",
    "STORE_FULL",
  );
}
