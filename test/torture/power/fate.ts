/** What a power cut does to what was not safe yet: five ways, from nothing left to each act by itself. */
import type { Random } from "../world/random.ts";
import type { Fate, Survival, Unsafe } from "./disk.ts";

const blockBytes = 512;

const ways = {
  /** Nothing that was not synced. */
  nothing: () => () => "lost",
  /** Everything; the last write is torn. */
  all: (random, acts) => (at) => (at === acts.length - 1 ? torn(acts[at], random) : "whole"),
  /** Everything up to some act, which is torn. */
  prefix: (random, acts) => {
    const last = random.int(0, acts.length);
    return (at) => (at < last ? "whole" : at === last ? torn(acts[at], random) : "lost");
  },
  /** Of each file and directory everything up to some act: files are written back one by one. */
  files: (random, acts) => {
    const lasts = new Map<number, number>();
    return (at) => {
      const act = acts[at];
      const key = act?.act.node ?? 0;
      const last = lasts.get(key) ?? random.int(0, acts.length);
      lasts.set(key, last);
      return at < last ? "whole" : at === last ? torn(act, random) : "lost";
    };
  },
  /** Each act by itself: there, torn or missing. */
  any: (random, acts) => (at) => {
    const roll = random.fraction();
    return roll < 0.5 ? "whole" : roll < 0.75 ? "lost" : torn(acts[at], random);
  },
} satisfies Record<string, (random: Random, acts: readonly Unsafe[]) => (at: number) => Survival>;

export type FateName = keyof typeof ways;

/** A way by chance, and its name. */
export function randomFate(random: Random): { readonly name: FateName; readonly fate: Fate } {
  const name = random.weighted({ nothing: 2, all: 1, prefix: 3, files: 2, any: 2 });
  const fate: Fate = (acts) => {
    const survivalAt = ways[name](random, acts);
    return acts.map((_, at) => survivalAt(at));
  };
  return { name, fate };
}

/** A beginning of what was written, or the blocks behind one; names change in one piece or not at all. */
function torn(unsafe: Unsafe | undefined, random: Random): Survival {
  const act = unsafe?.act;
  if (act?.act !== "write") return random.chance(0.5) ? "whole" : "lost";
  const { length } = act.bytes;
  const at = random.int(0, length);
  const block = Math.floor(at / blockBytes) * blockBytes;
  return random.chance(0.8) ? { from: 0, to: at } : { from: block, to: length };
}
