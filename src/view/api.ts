/** What is asked of the server, and what it refuses. */
import { asGuest, takeEarly } from "./early.ts";
import { EventLines, type StreamEvent } from "./sse.ts";

/** What went wrong, in the server's words: one line that says what to do. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, detail: string) {
    super(detail);
    this.status = status;
    this.code = code;
  }
}

export interface Asked {
  readonly method?: string;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Said before one has come: without a line for so long the stream is dead, and asked for again. */
const silentMs = 60_000;

export class Api {
  readonly #token: string;
  readonly #onStranger: () => void;

  /** @param onStranger the token is known no more */
  constructor(token: string, onStranger: () => void) {
    this.#token = token;
    this.#onStranger = onStranger;
  }

  async json<T>(path: string, asked: Asked = {}): Promise<T> {
    const response = await this.response(path, asked);
    return (response.status === 204 ? undefined : await response.json()) as T;
  }

  /** Errors: `ApiError`, with status 0 where nobody answers. */
  async response(path: string, { method = "GET", body, signal, headers }: Asked = {}): Promise<Response> {
    const early = method === "GET" ? takeEarly(path, this.#token, signal) : undefined;
    const guest = asGuest(this.#token);
    const asked =
      early ??
      fetch(path, {
        method,
        ...guest,
        headers: {
          ...guest.headers,
          ...(body !== undefined && { "content-type": "application/json" }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        ...(signal !== undefined && { signal }),
      });
    const response = await asked.catch((error: unknown) => {
      if (error instanceof DOMException) throw error;
      throw new ApiError(0, "UNREACHABLE", "The server does not answer; is acp-sidecar http still running?");
    });
    if (response.ok || response.status === 304) return response;
    if (response.status === 401) this.#onStranger();
    throw await refusalOf(response);
  }

  /** Events until the stream ends or is given up. Errors: `ApiError`. */
  async *events(path: string, signal: AbortSignal, asked: Asked = {}): AsyncGenerator<StreamEvent> {
    const headers = { accept: "text/event-stream", ...asked.headers };
    const { body } = await this.response(path, { ...asked, signal, headers });
    if (body === null) return;
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    const lines = new EventLines();
    try {
      for (;;) {
        const { done, value } = await within(silentMs, reader.read());
        if (done) return;
        yield* lines.push(value);
      }
    } finally {
      await reader.cancel().catch(() => undefined);
    }
  }
}

async function within<T>(ms: number, wanted: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new ApiError(0, "SILENT", "The stream has fallen silent")), ms);
  });
  try {
    return await Promise.race([wanted, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function refusalOf(response: Response): Promise<ApiError> {
  const problem = (await response.json().catch(() => ({}))) as { detail?: unknown; code?: unknown };
  const detail =
    typeof problem.detail === "string" ? problem.detail : `The server answered ${response.status}`;
  return new ApiError(response.status, typeof problem.code === "string" ? problem.code : "", detail);
}
