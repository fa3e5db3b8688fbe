/**
 * A guest's own way to an agent: a sidecar within this process, on the store as the guest may use it, and we are its
 * client. It knows the rules of sessions and turns; here is only who waits for which answer.
 */
import { PassThrough } from "node:stream";
import { errorFaces, loggedReason, reasonOf, SidecarError, type ErrorCode } from "../../base/errors.ts";
import { isRecord } from "../../base/json.ts";
import type { Logger } from "../../base/log.ts";
import { version } from "../../base/version.ts";
import { initializeRequest } from "../../acp/v1/initialize.ts";
import { Connection } from "../../rpc/endpoint.ts";
import { Permissions, type OpenPermission } from "./permissions.ts";
import type { ServeGuest } from "./serve-guest.ts";

/** Told of one session while a turn of it runs. */
export interface Listener {
  update(update: unknown): void;
  permission(asked: OpenPermission): void;
}

type Answer = Readonly<Record<string, unknown>>;

interface AttachmentParts {
  readonly serve: ServeGuest;
  readonly maxMessageBytes: number;
  readonly log: Logger;
}

export class Attachment {
  readonly permissions = new Permissions();
  readonly #connection: Connection;
  readonly #stop = new AbortController();
  readonly #served: Promise<void>;
  readonly #listeners = new Map<string, Listener>();
  #usedAtMs = performance.now();

  private constructor({ serve, maxMessageBytes, log }: AttachmentParts) {
    const [toRelay, fromRelay] = [new PassThrough(), new PassThrough()];
    const handlers = {
      request: (method: string, params: unknown, { signal }: { readonly signal: AbortSignal }) =>
        this.#asked(method, params, signal),
      notification: (method: string, params: unknown) => this.#told(method, params),
      invalid: () => undefined,
    };
    this.#connection = new Connection({ input: fromRelay, output: toRelay, maxMessageBytes, log }, handlers);
    const ended = new SidecarError(
      "AGENT_EXITED",
      "The agent was ended, because the server ends or nobody used it",
    );
    this.#served = serve({ input: toRelay, output: fromRelay }, this.#stop.signal).then(
      () => this.#connection.close(ended),
      (error: unknown) => {
        log.error({ error: loggedReason(error, log) }, "a guest's sidecar ended");
        this.#connection.close(ended);
      },
    );
  }

  /** Errors: as `initialize`. */
  static async start(parts: AttachmentParts): Promise<Attachment> {
    const attachment = new Attachment(parts);
    try {
      const clientInfo = { name: "acp-sidecar-http", title: "acp-sidecar", version };
      await attachment.request("initialize", initializeRequest({ clientCapabilities: {}, clientInfo }));
      return attachment;
    } catch (error) {
      await attachment.close();
      throw error;
    }
  }

  get isClosed(): boolean {
    return !this.#connection.isOpen;
  }

  isRunning(sessionId: string): boolean {
    return this.#listeners.has(sessionId);
  }

  get idleMs(): number {
    return this.#listeners.size > 0 ? 0 : performance.now() - this.#usedAtMs;
  }

  /** One turn, to its end. Errors: as the agent's; `TURN_RUNNING`, `SESSION_BUSY`. */
  async prompt(sessionId: string, params: Answer, listener: Listener): Promise<Answer> {
    if (this.isRunning(sessionId))
      throw new SidecarError(
        "TURN_RUNNING",
        `A turn of session ${sessionId} runs already; wait for its end, or cancel it`,
        {
          data: { sessionId },
        },
      );
    this.#listeners.set(sessionId, listener);
    try {
      return await this.request("session/prompt", { ...params, sessionId });
    } finally {
      this.#listeners.delete(sessionId);
      this.#usedAtMs = performance.now();
    }
  }

  /** False where no turn of it runs here. */
  async cancel(sessionId: string): Promise<boolean> {
    if (!this.isRunning(sessionId)) return false;
    this.permissions.cancel(sessionId);
    await this.#connection.notify("session/cancel", { sessionId });
    return true;
  }

  /** A session that no turn needs is let go, for whoever wants it. */
  async letGo(sessionId: string): Promise<void> {
    await this.request("session/close", { sessionId }).catch(() => undefined);
  }

  async request(method: string, params: Answer): Promise<Answer> {
    this.#usedAtMs = performance.now();
    try {
      const answer = await this.#connection.request(method, params);
      return isRecord(answer) ? answer : {};
    } catch (error) {
      throw ownError(error);
    }
  }

  async close(): Promise<void> {
    await this.#connection.endOutput();
    this.#stop.abort();
    await this.#served;
  }

  async #asked(method: string, params: unknown, signal: AbortSignal): Promise<object> {
    if (method !== "session/request_permission")
      throw new SidecarError("METHOD_NOT_FOUND", `A browser has no ${method}`);
    return this.permissions.ask(params, signal, (asked) =>
      this.#listeners.get(asked.sessionId)?.permission(asked),
    );
  }

  #told(method: string, params: unknown): void {
    if (method !== "session/update" || !isRecord(params)) return;
    this.#listeners.get(String(params.sessionId))?.update(params.update);
  }
}

/** What the sidecar says of a failure, as it would say it here. */
function ownError(error: unknown): unknown {
  if (error instanceof SidecarError || !isRecord(error)) return error;
  const { data } = error;
  const { code, ...facts } = isRecord(data) ? data : {};
  const isOurs = typeof code === "string" && Object.hasOwn(errorFaces, code);
  return new SidecarError(isOurs ? (code as ErrorCode) : "AGENT_PROTOCOL", reasonOf(error), {
    data: isOurs ? facts : {},
    cause: error,
  });
}
