/** What the handlers of one client connection share. */
import type { AgentSupervisor } from "../agent/supervisor.ts";
import type { Logger } from "../base/log.ts";
import type { Counting } from "../base/meter.ts";
import type { Secrets } from "../base/secrets.ts";
import type { RequestId } from "../rpc/messages.ts";
import type { SessionRegistry } from "../session/registry.ts";
import type { Front } from "../session/ways-out.ts";
import type { Client } from "./live/attachments.ts";
import type { Holding } from "./live/holding.ts";
import type { KnownSessions } from "./live/sessions.ts";
import type { Readers } from "./live/readers.ts";
import type { Unclaimed } from "./live/unclaimed.ts";
import type { Projects } from "./projects.ts";
import type { Searching } from "./searching.ts";

export interface RelayOptions {
  /**
   * Who shows people what is said here: an editor, unless told. Otherwise it is our own program, which words failures
   * itself, and whose users load nothing to have it back.
   */
  readonly front?: Front;
  readonly cancelGraceMs: number;
  readonly handoverBytes: number;
  /** Whether `/sidecar …` is answered here; it is, unless told. */
  readonly commands?: "on" | "off";
  /** Longest prompt. */
  readonly maxEntryBytes: number;
  readonly leaseTtlMs: number;
  /** How long an agent may take nothing of what waits for it before it counts as deaf. The client is not read meanwhile. */
  readonly deafMs: number;
  /** The user's cache folder; without one the index of a search is in memory. */
  readonly cacheFolder?: string | undefined;
  /** Whether files that a session knows are looked at when its turns end; they are not, unless told. */
  readonly contextSnapshots?: "on" | "off";
  /** Who is told of files that have changed by other hands: nobody, unless told. */
  readonly contextNote?: "off" | "prompt" | "load";
  /** Whether folders of known files are watched for that; they are not, unless told. */
  readonly contextWatch?: "on" | "off";
  /** Whether the folder of a new session is looked at in a quiet moment, and what was seen kept in the cache folder. */
  readonly warmsFolders?: boolean;
  /** After so much quiet that index is brought up to date; 10 s unless told. */
  readonly indexAfterMs?: number;
}

export interface RelayContext {
  readonly options: RelayOptions;
  /** Who asks. What belongs to a session goes through its attachments. */
  readonly client: Client;
  readonly agent: AgentSupervisor;
  readonly registry: SessionRegistry;
  readonly sessions: KnownSessions;
  readonly holding: Holding;
  readonly readers: Readers;
  readonly unclaimed: Unclaimed;
  readonly searching: Searching;
  readonly projects: Projects;
  readonly log: Logger;
  /** Told of what is counted and timed. */
  readonly meter: Counting;
  /** Of this client's sessions and of the configuration: taken out of all that is not the conversation. */
  readonly secrets: Secrets;
  /** The client's ids of the requests that are with the agent, by the ids under which the agent has them. */
  readonly forwarded: Map<RequestId, RequestId>;
  /** Sessions of the agent that are being adopted, by its ids; settles when it is done. */
  readonly adopting: Map<string, Promise<unknown>>;
}
