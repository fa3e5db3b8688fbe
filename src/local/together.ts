/** A process that serves many clients, each by a sidecar of its own: it answers for all of them at one endpoint. */
import { Meter } from "../base/meter.ts";
import type { LateLocal, Serving } from "./late.ts";
import type { SubjectFacts } from "./serving.ts";

export class Together {
  /** What all of them count. */
  readonly meter = new Meter();
  readonly #servings = new Set<Serving>();

  /** Until it is closed. It is never told to end by itself. */
  add(serving: Serving): Pick<LateLocal, "close" | "toldToEnd"> {
    this.#servings.add(serving);
    const close = async () => void this.#servings.delete(serving);
    return { close, toldToEnd: new Promise(() => undefined) };
  }

  facts(): SubjectFacts {
    const all = [...this.#servings].map((serving) => serving.facts());
    const heard = all.flatMap(({ heartbeatAtMs }) => heartbeatAtMs ?? []);
    return {
      sessions: all.flatMap(({ sessions }) => sessions),
      ...(heard.length > 0 && { heartbeatAtMs: Math.min(...heard) }),
    };
  }

  /** Ends a session in order; false where it is not live here. */
  async end(id: string): Promise<boolean> {
    for (const serving of this.#servings) if (await serving.end(id)) return true;
    return false;
  }

  /** Clients are told that the process will end. */
  async tellOfEnd(): Promise<void> {
    await Promise.all([...this.#servings].map((serving) => serving.tellOfEnd()));
  }
}
