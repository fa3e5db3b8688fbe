/** The connection to a Redis server or cluster: commands and scripts, tried again when it was away. */
import type { SessionId } from "../../base/ids.ts";
import { waitAtMost } from "../../base/time.ts";
import { closeGraceMs, Retrier, serverLimits, type Attempt, type ServerLimits } from "../server/retry.ts";
import { storeClosed } from "../refusals.ts";
import type { RedisClient } from "./driver.ts";
import { isMissingScript, redisFailure, setbackOf } from "./failures.ts";
import { keysFor, type Keys } from "./keys.ts";
import type { RedisLocation } from "./location.ts";

export interface ConnectionLimits extends ServerLimits {
  /** A connection that is asked and says nothing for so long is taken for lost. */
  readonly silenceTimeoutMs: number;
}

export const defaultLimits: ConnectionLimits = {
  ...serverLimits,
  silenceTimeoutMs: 60_000,
};

/** A Lua script; all that it touches is named by its keys, and they are all of one slot. */
interface Script {
  readonly text: string;
  readonly sha: string;
}

export type Argument = string | number;
export type Command = readonly [name: string, ...args: Argument[]];

/** An open client, and what it last failed with in the background. */
export interface OpenClient {
  readonly client: RedisClient;
  readonly trouble: { last: Error | undefined };
}

export class Connection {
  readonly location: RedisLocation;
  readonly keys: Keys;
  /** Keys are spread over several servers, so that a script reaches one session only. */
  readonly clustered: boolean;
  /** How long the server keeps what nobody writes to, in ms; empty: forever. */
  readonly retention: number | "";
  /** Whether lists may read records in the same command; asked when the store is opened. */
  joins = false;
  readonly #client: RedisClient;
  readonly #trouble: OpenClient["trouble"];
  readonly #retrier: Retrier;
  #closed = false;

  constructor(
    { client, trouble }: OpenClient,
    clustered: boolean,
    location: RedisLocation,
    limits: ConnectionLimits,
  ) {
    this.location = location;
    this.keys = keysFor(location.prefix);
    this.retention = location.retentionMs ?? "";
    this.clustered = clustered;
    this.#client = client;
    this.#trouble = trouble;
    this.#retrier = new Retrier({ retryForMs: limits.retryForMs, setback: setbackOf });
  }

  /** The keys of a script that writes to a session, with the list of sessions where it can be reached. */
  writeKeys(id: SessionId): readonly string[] {
    const { activity, record, entries, forks } = this.keys;
    const own = [record(id), entries(id), forks(id)];
    return this.clustered ? own : [...own, activity];
  }

  command(name: string, args: readonly Argument[]): Promise<unknown> {
    return this.retrying(() => this.#client.call(name, args));
  }

  /** Many commands, on any servers and in any order. One by one, each is a write to the socket. */
  all(commands: readonly Command[]): Promise<readonly unknown[]> {
    return this.retrying(() => (this.clustered ? this.#each(commands) : this.#pipelined(commands)));
  }

  /**
   * A few commands that go out on one connection, one after the other; all their keys are of one slot. Where there is
   * only one connection they need no pipeline, which costs more than they do.
   */
  together(commands: readonly Command[]): Promise<readonly unknown[]> {
    return this.retrying(() => (this.clustered ? this.#pipelined(commands) : this.#each(commands)));
  }

  #each(commands: readonly Command[]): Promise<readonly unknown[]> {
    return Promise.all(commands.map(([name, ...args]) => this.#client.call(name, args)));
  }

  async #pipelined(commands: readonly Command[]): Promise<readonly unknown[]> {
    const replies = (await this.#client.pipeline(commands).exec()) ?? [];
    return replies.map(([error, reply]) => {
      if (error !== null) throw error;
      return reply;
    });
  }

  run(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    return this.retrying(() => this.once(script, keys, args));
  }

  /** A script without a second try, for use within `retrying`. */
  async once({ sha, text }: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    try {
      return await this.#client.call("evalsha", [sha, keys.length, ...keys, ...args]);
    } catch (error) {
      if (!isMissingScript(error)) throw error;
      return this.#client.call("eval", [text, keys.length, ...keys, ...args]);
    }
  }

  async retrying<T>(task: (attempt: Attempt) => Promise<T>): Promise<T> {
    if (this.#closed) throw storeClosed("redis");
    try {
      const result = await this.#retrier.run(task);
      this.#trouble.last = undefined;
      return result;
    } catch (error) {
      throw redisFailure(error, this.location.place, this.#trouble.last);
    }
  }

  /** Calls that have begun, and those in `queued`, get one more try and a moment to end. */
  async close(queued: Promise<unknown> = Promise.resolve()): Promise<void> {
    this.#retrier.stop();
    const ended = queued.then(() => this.#retrier.idle());
    await waitAtMost(ended, closeGraceMs);
    // What still waits for an answer is rejected by this.
    this.#closed = true;
    this.#client.disconnect();
    await ended;
  }
}
