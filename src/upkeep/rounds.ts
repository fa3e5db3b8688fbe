/** Rounds of upkeep behind a process that has sessions: when one is due, nothing else is to be done, and nobody else is at it. */
import { reasonOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { noMeter, type Counting } from "../base/meter.ts";
import { pause } from "../base/time.ts";
import { withheldBy } from "../config/agent-command.ts";
import type { Config } from "../config/config.ts";
import { cacheFolderOf, outboxOf, stateFolderOf, surroundings, type Surroundings } from "../config/paths.ts";
import { Courier } from "../notify/courier.ts";
import type { SessionRegistry } from "../session/registry.ts";
import type { Store } from "../store/contract.ts";
import { guardOf } from "../store/guarded/guard.ts";
import { AlertStates } from "./alert-state.ts";
import { lookAtAlerts, type AlertNow } from "./alerts.ts";
import { knownOf } from "./lease.ts";
import { NotNow, type RoundParts } from "./parts.ts";
import { upkeepRound, type RoundDone } from "./round.ts";

export interface RoundsParts {
  readonly config: Config;
  /** Absent with the store. */
  readonly registry?: SessionRegistry;
  /** The registry's; absent where it cannot be opened, and then only alerts are looked at. */
  readonly store?: Store;
  readonly openError?: unknown;
  /** Whether a turn runs in this process that the registry does not know of. */
  readonly isBusy?: (() => boolean) | undefined;
  readonly log: Logger;
  readonly meter?: Counting;
  readonly env?: Surroundings["env"];
}

/** Who has just had an answer may ask on. */
const quietMs = 10_000;
/** Between two pieces of work. */
const restMs = 20;
/** What is written anew at once takes some ten milliseconds. */
const mostAtOnce = 4 << 20;

type Known = Omit<RoundsParts, "registry" | "store">;

export class Rounds {
  readonly #parts: Known;
  readonly #sessions: { readonly registry: SessionRegistry; readonly store: Store } | undefined;
  readonly #cacheFolder: string | undefined;
  readonly #ended = new AbortController();
  readonly #alerting: { readonly courier: Courier; readonly states: AlertStates } | undefined;

  constructor({ registry, store, ...parts }: RoundsParts) {
    this.#parts = parts;
    // Whose turn it is, and how the medium is, goes by all of it.
    if (registry !== undefined && store !== undefined)
      this.#sessions = { registry, store: guardOf(store)?.inner ?? store };
    const { config, log, env, meter = noMeter } = parts;
    const at = surroundings(env);
    this.#cacheFolder = cacheFolderOf(at);
    const { hooks = [], alerts = [] } = config;
    const [folder, state] = [outboxOf(at), stateFolderOf(at)];
    if (alerts.length === 0 || folder === undefined || state === undefined) return;
    const receivers = [...hooks, ...alerts];
    const courier = new Courier({ folder, receivers, log, meter, withheld: withheldBy(config) });
    void courier.takeOver();
    this.#alerting = { courier, states: new AlertStates(state, config.store) };
  }

  /** A round if one is due and sessions are quiet; then alerts, if they are due. Failures are logged. */
  async tick(): Promise<void> {
    const { config, log } = this.#parts;
    try {
      if (this.#isQuiet() && (await this.#isDue()))
        await this.round({ pace: () => this.#rest(), mostAtOnce });
    } catch (error) {
      if (!this.#ended.signal.aborted) log.error({ reason: reasonOf(error) }, "upkeep failed");
    }
    try {
      await this.alerts(config.upkeepIntervalMs);
    } catch (error) {
      log.error({ reason: reasonOf(error) }, "whether alerts hold cannot be looked at");
    }
  }

  /** Undefined while another process is at it. Errors: `STORE_…` of the store as a whole. */
  async round(how: Partial<Pick<RoundParts, RoundWish>> = {}): Promise<RoundDone | undefined> {
    const { config, log } = this.#parts;
    if (this.#sessions === undefined) return undefined;
    const { signal } = this.#ended;
    const pace = async () => {
      if (signal.aborted) throw new NotNow("it is to end");
      await new Promise((resolve) => setImmediate(resolve));
    };
    const cacheFolder = this.#cacheFolder;
    const done = await upkeepRound({ pace, ...how, ...this.#sessions, config, log, cacheFolder, signal });
    if (done !== undefined) (this.#parts.meter ?? noMeter).add("upkeepRounds", outcomeOf(done));
    return done;
  }

  /** Undefined where there are none, another process is at it, or somebody looked within so long. Errors: the system's own. */
  async alerts(everyMs = 0): Promise<readonly AlertNow[] | undefined> {
    const { config, openError, log, env } = this.#parts;
    if (this.#alerting === undefined) return undefined;
    const store = this.#sessions?.store;
    const cacheFolder = this.#cacheFolder;
    return lookAtAlerts({ ...this.#alerting, config, store, openError, cacheFolder, env, log, everyMs });
  }

  /** What is being done ends soon: the next process goes on. */
  abort(): void {
    this.#ended.abort();
  }

  /** The same, and settles when what is to be told has been tried, or after `graceMs`. */
  async close(graceMs: number): Promise<void> {
    this.abort();
    await this.#alerting?.courier.close(graceMs);
  }

  async #isDue(): Promise<boolean> {
    const { upkeepIntervalMs } = this.#parts.config;
    const { store } = this.#sessions ?? {};
    if (store?.capabilities.persistent !== true) return false;
    const sinceMs = Date.now() - (await knownOf(store)).beganMs;
    // A clock that was set back is no reason to wait.
    return sinceMs >= upkeepIntervalMs || sinceMs < 0;
  }

  #isQuiet(): boolean {
    const { isBusy } = this.#parts;
    return isBusy?.() !== true && this.#sessions?.registry.live.isQuietFor(quietMs) !== false;
  }

  async #rest(): Promise<void> {
    const { signal } = this.#ended;
    await pause(restMs, signal);
    if (signal.aborted) throw new NotNow("it is to end");
    if (!this.#isQuiet()) throw new NotNow("sessions are busy again");
  }
}

function outcomeOf({ steps, isCut }: RoundDone): "ok" | "failed" | "cut" {
  if (steps.some(({ ok }) => !ok)) return "failed";
  return isCut ? "cut" : "ok";
}

type RoundWish = "pace" | "mostAtOnce" | "withBackup" | "onStep" | "onProgress";
