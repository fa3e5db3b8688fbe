/** The clients on a live session: what the agent says reaches each of them under the id by which it knows the session. */
import { takesSubagents } from "../../acp/v1/initialize.ts";
import { childIn } from "../../acp/child-mark.ts";
import { mayNameSessions, renamed } from "../../acp/children.ts";
import { storedTexts, textsOf, type ArrivedUpdate } from "../../acp/updates.ts";
import type { Connection, RequestOptions } from "../../rpc/endpoint.ts";
import type { ClientFacts } from "../../store/contract.ts";

export interface Client {
  readonly connection: Connection;
  /** What the client said of itself; undefined before `initialize`. */
  facts: ClientFacts | undefined;
  /** The session of ours that is open here and has this id, or the subagent that has it. */
  readonly whose?: (id: string) => string | undefined;
}

type Params = Readonly<Record<string, unknown>>;

/** One client on one session. What is sent settles when the client's stream takes more. */
export class Attachment {
  readonly client: Client;
  /** The id that the client used last: ours, or one that an agent gave. */
  sessionId: string;

  readonly #id: string;

  /** @param id ours */
  constructor(client: Client, sessionId: string, id: string) {
    this.client = client;
    this.sessionId = sessionId;
    this.#id = id;
  }

  sendUpdates(updates: readonly ArrivedUpdate[]): Promise<void> {
    // Updates that name the session itself name it by our id.
    const isKnownByIt = this.sessionId === this.#id || !updates.some(mayNameSessions);
    const named = isKnownByIt
      ? updates
      : updates.map((update) => (mayNameSessions(update) ? renamed(update, this.#nameOf) : update));
    return this.client.connection.sendTexts(textsOf(named, this.sessionId));
  }

  /** Updates as the journal has them. One that was made elsewhere may say that it is another session's, and is not shown. */
  sendStored(data: readonly string[]): Promise<void> {
    const own = data.some(this.#isAnothers) ? data.filter((each) => !this.#isAnothers(each)) : data;
    return this.client.connection.sendTexts(storedTexts(own, this.sessionId));
  }

  /** @param child our id of the subagent's session that it is about */
  notify(method: string, params: Params, child?: string): Promise<void> {
    return this.client.connection.notify(method, { ...params, sessionId: this.#idFor(child) });
  }

  request(method: string, params: Params, options: RequestOptions, child?: string): Promise<unknown> {
    const sessionId = this.#idFor(child);
    return this.client.connection.request(method, { ...params, sessionId }, options);
  }

  /** A client that knows no subagents is asked for their parent. */
  #idFor(child: string | undefined): string {
    return child !== undefined && takesSubagents(this.client.facts?.capabilities) ? child : this.sessionId;
  }

  readonly #isAnothers = (data: string): boolean => {
    const child = childIn(data)?.child;
    const whose = child === undefined ? undefined : this.client.whose?.(child);
    return whose !== undefined && whose !== this.#id;
  };

  readonly #nameOf = (id: string) => (id === this.#id ? this.sessionId : undefined);
}

export class Attachments implements Iterable<Attachment> {
  readonly #id: string;
  readonly #byClient = new Map<Client, Attachment>();
  /** The client that prompted last. */
  #driver: Client | undefined;

  /** @param id of the session, ours */
  constructor(id: string) {
    this.#id = id;
  }

  [Symbol.iterator](): IterableIterator<Attachment> {
    return this.#byClient.values();
  }

  /** The client uses the session, by this id from now on. */
  attach(client: Client, sessionId: string): Attachment {
    const attachment = this.#byClient.get(client) ?? new Attachment(client, sessionId, this.#id);
    attachment.sessionId = sessionId;
    this.#byClient.set(client, attachment);
    return attachment;
  }

  of(client: Client): Attachment | undefined {
    return this.#byClient.get(client);
  }

  noteDriver(client: Client): void {
    this.#driver = client;
  }

  /** The one that is asked what only one can be asked: who prompted last, or else who came first. */
  get driver(): Attachment | undefined {
    const driver = this.#driver && this.#byClient.get(this.#driver);
    return driver ?? [...this.#byClient.values()][0];
  }

  /** Settles when every client takes more. */
  async sendUpdates(updates: readonly ArrivedUpdate[]): Promise<void> {
    await this.#toAll((attachment) => attachment.sendUpdates(updates));
  }

  /** Settles when every client takes more. */
  async sendStored(data: readonly string[]): Promise<void> {
    await this.#toAll((attachment) => attachment.sendStored(data));
  }

  async notify(method: string, params: Params, child?: string): Promise<void> {
    await this.#toAll((attachment) => attachment.notify(method, params, child));
  }

  async #toAll(send: (attachment: Attachment) => Promise<void>): Promise<void> {
    const sending = Array.from(this.#byClient.values(), send);
    await (sending.length === 1 ? sending[0] : Promise.all(sending));
  }
}
