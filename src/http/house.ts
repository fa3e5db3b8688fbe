/** What all requests share. */
import type { Logger } from "../base/log.ts";
import type { Counting } from "../base/meter.ts";
import type { Config } from "../config/config.ts";
import type { OwnEndpoint } from "../local/machine.ts";
import type { Feeds } from "./events/feeds.ts";
import type { Attachments } from "./prompting/attachments.ts";
import type { Guests } from "./guests.ts";
import type { Idempotency } from "./idempotency.ts";
import type { Probes } from "./probes.ts";
import type { Pages } from "./rendered.ts";

export interface House {
  readonly config: Omit<Config, "store">;
  readonly guests: Guests;
  readonly log: Logger;
  readonly meter: Counting;
  /** Where what is derived is kept: the user's cache folder. */
  readonly cacheFolder: string | undefined;
  readonly probes: Probes;
  readonly pages: Pages;
  readonly feeds: Feeds;
  readonly attachments: Attachments;
  readonly idempotency: Idempotency;
  /** What this process would say of itself to others of its machine. */
  readonly own?: OwnEndpoint | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}
