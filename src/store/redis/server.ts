/** The connection to a Redis server or cluster: commands and scripts, tried again when it was away. */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Retrier, type Attempt } from "../server/retry.ts";
import { storeClosed } from "../refusals.ts";
import type { RedisClient } from "./driver.ts";
import { isMissingScript, redisFailure, setbackOf } from "./failures.ts";
import type { RedisLocation } from "./location.ts";

export interface ServerLimits {
  /** How long the server may be away before calls fail. */
  readonly retryForMs: number;
  readonly connectTimeoutMs: number;
  /** A connection that is asked and says nothing for so long is taken for lost. */
  readonly silenceTimeoutMs: number;
}

export const defaultLimits: ServerLimits = {
  retryForMs: 3_000,
  connectTimeoutMs: 5_000,
  silenceTimeoutMs: 60_000,
};

/** A Lua script; all that it touches is named by its keys, and they are all of one slot. */
export interface Script {
  readonly text: string;
  readonly sha: string;
}

export function script(text: string): Script {
  return { text, sha: createHash("sha1").update(text).digest("hex") };
}

export type Argument = string | number;

/** An open connection, and what it last failed with in the background. */
export interface Connection {
  readonly client: RedisClient;
  readonly clustered: boolean;
  readonly trouble: { last: Error | undefined };
}

const closeGraceMs = 2_000;

export class Server {
  readonly location: RedisLocation;
  /** Keys are spread over several servers, so that a script reaches one session only. */
  readonly clustered: boolean;
  readonly #client: RedisClient;
  readonly #trouble: { last: Error | undefined };
  readonly #retrier: Retrier;
  readonly #running = new Set<Promise<unknown>>();
  #closed = false;

  constructor({ client, clustered, trouble }: Connection, location: RedisLocation, limits: ServerLimits) {
    this.location = location;
    this.clustered = clustered;
    this.#client = client;
    this.#trouble = trouble;
    this.#retrier = new Retrier({ retryForMs: limits.retryForMs, setback: setbackOf });
  }

  command(name: string, ...args: readonly Argument[]): Promise<unknown> {
    return this.retrying(() => this.#client.call(name, args));
  }

  /** Commands that need not be of one slot, nor in order. */
  all(commands: readonly (readonly [string, ...Argument[]])[]): Promise<readonly unknown[]> {
    return this.retrying(async () => {
      // Each command by itself is a write to the socket; only a cluster has several sockets to write to.
      if (this.clustered)
        return Promise.all(commands.map(([name, ...args]) => this.#client.call(name, args)));
      return this.#pipelined(commands);
    });
  }

  /** Commands that go out together on one connection, one after the other; all their keys are of one slot. */
  together(commands: readonly (readonly [string, ...Argument[]])[]): Promise<readonly unknown[]> {
    return this.retrying(async () => {
      // Where there is one connection it needs no pipeline, whose garbage costs more than the commands.
      if (!this.clustered)
        return Promise.all(commands.map(([name, ...args]) => this.#client.call(name, args)));
      return this.#pipelined(commands);
    });
  }

  async #pipelined(commands: readonly (readonly [string, ...Argument[]])[]): Promise<readonly unknown[]> {
    const replies = (await this.#client.pipeline(commands).exec()) ?? [];
    return replies.map(([error, reply]) => {
      if (error !== null) throw error;
      return reply;
    });
  }

  run(given: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    return this.retrying(() => this.once(given, keys, args));
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
    const running = this.#retrier.run(task);
    this.#running.add(running);
    try {
      const result = await running;
      this.#trouble.last = undefined;
      return result;
    } catch (error) {
      throw redisFailure(error, this.location.place, this.#trouble.last);
    } finally {
      this.#running.delete(running);
    }
  }

  /** Calls that have begun, and those in `queued`, get one more try and a moment to end. */
  async close(queued: Promise<unknown> = Promise.resolve()): Promise<void> {
    this.#retrier.stop();
    const timer = new AbortController();
    const grace = sleep(closeGraceMs, undefined, { signal: timer.signal }).catch(() => undefined);
    const ended = queued.then(() => Promise.allSettled(this.#running));
    await Promise.race([ended, grace]);
    timer.abort();
    // What still waits for an answer is rejected by this.
    this.#closed = true;
    this.#client.disconnect();
    await ended;
  }
}
