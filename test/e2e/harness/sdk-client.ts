/** A client on the official SDK: an independent implementation that has to understand what we emit. */
import {
  client,
  methods,
  ndJsonStream,
  RequestError,
  type ClientConnection,
  type ClientContext,
  type ClientRequestContext,
  type InitializeRequest,
  type InitializeResponse,
  type NewSessionRequest,
  type NewSessionResponse,
  type PromptResponse,
  type SessionNotification,
} from "@agentclientprotocol/sdk";
import type { Program } from "./program.ts";
import { textOf, type Fields, type Update } from "./wire.ts";

/** Answers one of the agent's requests; throwing makes it an error. */
export type Answer = (params: Fields, context: { readonly signal: AbortSignal }) => unknown;

export interface SdkClientOptions {
  /** By method; what is not named is answered with "method not found". */
  readonly answers?: Readonly<Record<string, Answer>>;
}

export interface Asked {
  readonly method: string;
  readonly params: Fields;
}

const capabilities = { fs: { readTextFile: true, writeTextFile: true }, terminal: true };

export const defaultInitialize: InitializeRequest = {
  protocolVersion: 1,
  clientCapabilities: { ...capabilities, elicitation: { form: {} } },
  clientInfo: { name: "judge", title: "Outside judge", version: "9.9.9" },
};

export class SdkClient {
  readonly program: Program;
  readonly agent: ClientContext;
  readonly connection: ClientConnection;
  /** The requests that reached the SDK's handlers, in order. */
  readonly asked: Asked[] = [];
  /** The updates that the SDK understood, in order. */
  readonly understood: SessionNotification[] = [];
  readonly #answers: Readonly<Record<string, Answer>>;

  constructor(program: Program, { answers = {} }: SdkClientOptions = {}) {
    this.program = program;
    this.#answers = answers;
    this.connection = this.#app().connect(streamOf(program));
    this.agent = this.connection.agent;
  }

  initialize(params: InitializeRequest = defaultInitialize): Promise<InitializeResponse> {
    return this.agent.request(methods.agent.initialize, params);
  }

  newSession(cwd: string, more: Partial<NewSessionRequest> = {}): Promise<NewSessionResponse> {
    return this.agent.request(methods.agent.session.new, { cwd, mcpServers: [], ...more });
  }

  prompt(sessionId: string, ...texts: string[]): Promise<PromptResponse> {
    const prompt = texts.map((text) => ({ type: "text" as const, text }));
    return this.agent.request(methods.agent.session.prompt, { sessionId, prompt });
  }

  /** Prompts and returns what the agent said in answer, chunks joined. */
  async say(sessionId: string, text: string): Promise<string> {
    const from = this.program.out.length;
    await this.prompt(sessionId, text);
    return textOf(this.program.out.updates(sessionId, from));
  }

  cancel(sessionId: string): Promise<void> {
    return this.agent.notify(methods.agent.session.cancel, { sessionId });
  }

  load(sessionId: string, cwd: string): Promise<unknown> {
    return this.agent.request(methods.agent.session.load, { sessionId, cwd, mcpServers: [] });
  }

  resume(sessionId: string, cwd: string): Promise<unknown> {
    return this.agent.request(methods.agent.session.resume, { sessionId, cwd, mcpServers: [] });
  }

  /** Loads and returns the updates that came before the answer. */
  async replay(sessionId: string, cwd: string): Promise<Update[]> {
    const from = this.program.out.length;
    await this.load(sessionId, cwd);
    const updates = this.program.out.updates(sessionId, from);
    return updates;
  }

  /** Resolves when an update of the session satisfies; counts from `from` on. */
  async untilUpdate(sessionId: string, fits: (update: Update) => boolean, from = 0): Promise<void> {
    await this.program.out.waitFor(
      "such update",
      ({ method, params }) =>
        method === "session/update" &&
        params?.["sessionId"] === sessionId &&
        fits(params["update"] as Update),
      { from },
    );
  }

  #app() {
    const known = methods.client;
    return client({ name: "judge" })
      .onNotification(known.session.update, ({ params }) => void this.understood.push(params))
      .onNotification("*", () => {})
      .onRequest(known.session.requestPermission, this.#answer())
      .onRequest(known.fs.readTextFile, this.#answer())
      .onRequest(known.fs.writeTextFile, this.#answer())
      .onRequest(known.terminal.create, this.#answer())
      .onRequest(known.terminal.output, this.#answer())
      .onRequest(known.terminal.waitForExit, this.#answer())
      .onRequest(known.terminal.kill, this.#answer())
      .onRequest(known.terminal.release, this.#answer())
      .onRequest(known.elicitation.create, this.#answer())
      .onRequest("*", this.#answer());
  }

  #answer<Params, Response>() {
    return async (context: ClientRequestContext<Params>): Promise<Response> => {
      const params = context.params as Fields;
      this.asked.push({ method: context.method, params });
      const answer = this.#answers[context.method];
      if (answer === undefined) throw RequestError.methodNotFound(context.method);
      return (await answer(params, { signal: context.signal })) as Response;
    };
  }
}

function streamOf(program: Program) {
  const output = new WritableStream<Uint8Array>({ write: (chunk) => program.write(Buffer.from(chunk)) });
  const input = new ReadableStream<Uint8Array>({
    start(controller) {
      program.child.stdout.on("data", (chunk: Buffer) => controller.enqueue(new Uint8Array(chunk)));
      program.child.stdout.once("end", () => controller.close());
    },
  });
  return ndJsonStream(output, input);
}
