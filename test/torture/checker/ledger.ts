/** Reads a history as it grows: what it entitles the client to, and what was wrong on the wire already. */
import { isRecord } from "../../../src/base/json.ts";
import type { Message } from "../../e2e/harness/wire.ts";
import { ExpectedSession } from "./expected.ts";
import { idKey, type HistoryEvent, type Rule, type Violation } from "./history.ts";
import { stampsIn } from "./stamps.ts";

/** A request of the client that has not been answered. */
interface Open {
  readonly method: string;
  readonly sessionId: string | undefined;
  /** The session's deletion had been answered when this was asked. */
  readonly afterDeletion: boolean;
  /** For a fork: what its parent had when it was asked. */
  readonly parent?: ExpectedSession;
}

const notFound = -32002;

export class Ledger {
  readonly sessions = new Map<string, ExpectedSession>();
  readonly violations: Violation[] = [];
  readonly batches: { readonly sessionId: string; readonly stamps: readonly string[] }[] = [];
  isDamaged = false;
  readonly #open = new Map<string, Open>();
  readonly #answered = new Set<string>();

  note(event: HistoryEvent): void {
    if (event.kind === "asked") this.#asked(event.client, event.message);
    else if (event.kind === "told") this.#told(event.client, event.message);
    else if (event.kind === "batch") this.batches.push(event);
    else if (event.kind === "unsure") this.#unsure(event.sessionId);
    else this.isDamaged ||= event.damages === true;
  }

  /** Requests of `client` that wait for their answer. */
  openRequests(client: string): { readonly id: string; readonly method: string }[] {
    return [...this.#open]
      .filter(([key]) => key.startsWith(`${client} `))
      .map(([key, { method }]) => ({ id: key.slice(client.length + 1), method }));
  }

  #asked(client: string, { id, method, params }: Message): void {
    if (method === undefined || id === undefined) return;
    const sessionId = typeof params?.["sessionId"] === "string" ? params["sessionId"] : undefined;
    const session = this.sessions.get(sessionId ?? "");
    const parent =
      method === "session/fork" && session !== undefined ? { parent: session.forkBy(client) } : {};
    const afterDeletion = session?.deleted === true;
    this.#open.set(idKey(client, id), { method, sessionId, afterDeletion, ...parent });
    if (method === "session/delete" && session !== undefined) {
      session.deleteAsked = true;
      session.mayBeGone = true;
    }
    if (method === "session/prompt")
      for (const { prompt } of stampsIn(JSON.stringify(params))) session?.prompts.add(prompt);
  }

  #told(client: string, message: Message): void {
    if (message.method === undefined) return this.#answer(client, message);
    const id = message.params?.["sessionId"];
    const session = typeof id === "string" ? this.sessions.get(id) : undefined;
    if (session === undefined) return;
    const isLive = !this.#isLoading(client, session.id);
    for (const stamp of stampsIn(JSON.stringify(message.params))) {
      if (stamp.thing.startsWith("p") && isLive)
        this.#blame(2, session.id, "a prompt came back to the client", []);
      const wrong = session.note(client, stamp, isLive);
      if (wrong !== undefined) this.#blame(2, session.id, wrong, [`${stamp.prompt}.${stamp.thing}`]);
    }
  }

  #answer(client: string, { id, result, error }: Message): void {
    const key = idKey(client, id);
    const open = this.#open.get(key);
    if (open === undefined) {
      if (this.#answered.has(key)) this.#blame("wire", "", `request ${key} was answered twice`, [key]);
      return;
    }
    this.#open.delete(key);
    this.#answered.add(key);
    const session = this.sessions.get(open.sessionId ?? "");
    if (error === undefined) this.#succeeded(client, open, result, session);
    else if (error.code === notFound && session !== undefined) this.#missing(open, session);
  }

  #succeeded(client: string, open: Open, result: unknown, session: ExpectedSession | undefined): void {
    const { method } = open;
    if (method === "session/new" || method === "session/fork") this.#born(open, result, session);
    if (session === undefined) return;
    if (method === "session/delete") session.deleted = true;
    if (method === "session/prompt") {
      for (const stamp of stampsIn(JSON.stringify(result))) session.note(client, stamp, true);
    }
    if (open.afterDeletion && takesUp.has(method)) {
      this.#blame(4, session.id, `${method} succeeded after the session had been deleted`, []);
    }
  }

  #born({ parent }: Open, result: unknown, parentNow: ExpectedSession | undefined): void {
    const id = isRecord(result) ? String(result["sessionId"]) : "";
    this.sessions.set(id, parent?.born(id, parentNow) ?? new ExpectedSession(id));
  }

  #missing({ method }: Open, session: ExpectedSession): void {
    if (method === "session/delete" || session.deleted) return;
    if (session.deleteAsked) session.deleted = true;
    else if (!session.mayBeGone)
      this.#blame(1, session.id, `${method} was told that there is no such session`, []);
  }

  #isLoading(client: string, sessionId: string): boolean {
    for (const [key, open] of this.#open) {
      if (open.sessionId === sessionId && open.method === "session/load" && key.startsWith(`${client} `))
        return true;
    }
    return false;
  }

  #unsure(sessionId: string): void {
    const session = this.sessions.get(sessionId);
    if (session !== undefined) session.mayBeGone = true;
  }

  #blame(rule: Rule, sessionId: string, what: string, about: readonly string[]): void {
    this.violations.push({ rule, sessionId, what, about });
  }
}

const takesUp: ReadonlySet<string> = new Set([
  "session/load",
  "session/resume",
  "session/fork",
  "session/prompt",
]);
