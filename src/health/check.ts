/** What a check is. */
import type { Config } from "../config/config.ts";
import type { Surroundings } from "../config/paths.ts";
import type { Store } from "../store/contract.ts";

/** What is asked about. */
export interface HealthConfig extends Partial<
  Pick<Config, "encryptionKey" | "previousKeys" | "audit" | "auditFile">
> {
  /** Its URL. */
  readonly store: string;
}

export interface HealthOptions {
  /** How long a check may take. 3 s unless told. */
  readonly withinMs?: number;
  /** The user's cache folder, in which the search index is kept. */
  readonly cacheFolder?: string | undefined;
  readonly env?: Surroundings["env"];
  /** Names of checks; all, unless told. */
  readonly only?: readonly string[];
}

/** What a check is handed. Aborted: nobody waits for it any more. */
export interface Looking extends HealthOptions {
  readonly store: Store;
  readonly config: HealthConfig;
  readonly signal: AbortSignal;
}

/** What was found. Says nothing of what a session holds. */
export interface Finding {
  readonly ok: boolean;
  /** For people, one line. */
  readonly words: string;
  /** What is wrong as a sentence of its own, where the words are too short for that. */
  readonly what?: string;
  /** What to do about it. */
  readonly fix?: string;
  /** It could not be looked at, because something else is wrong. */
  readonly isUntried?: true;
}

export interface HealthCheck {
  readonly name: string;
  /** Without it nothing can be served. */
  readonly isVital: boolean | ((config: HealthConfig) => boolean);
  /** May reject: then that is what is wrong. */
  readonly look: (looking: Looking) => Promise<Finding>;
}
