/** Sessions of which some were asked by others: each stands with the one at the top, which nobody has asked. */

interface Kin {
  readonly id: string;
  /** The one that has asked it. */
  readonly parentId?: string | undefined;
}

export interface Family<K extends Kin> {
  readonly root: K;
  /** Also those that its subagents have asked. */
  readonly subagents: readonly K[];
}

/** One whose parent is not among them has a family of its own; so has each of a circle, in which nobody has asked anybody. */
export function familiesOf<K extends Kin>(all: readonly K[]): Family<K>[] {
  const byId = new Map(all.map((each) => [each.id, each]));
  const above = ({ parentId = "" }: K) => byId.get(parentId);
  const roots = new Map<K, K>();
  for (const one of all) {
    const line = new Set<K>();
    let top: K | undefined = one;
    for (; top !== undefined && !line.has(top) && !roots.has(top); top = above(top)) line.add(top);
    const isCircle = top !== undefined && !roots.has(top);
    const root = top === undefined ? [...line].at(-1) : roots.get(top);
    for (const each of line) roots.set(each, isCircle || root === undefined ? each : root);
  }
  const families = new Map<K, K[]>();
  for (const one of all) {
    const root = roots.get(one) ?? one;
    const subagents = families.get(root) ?? [];
    families.set(root, subagents);
    if (one !== root) subagents.push(one);
  }
  return [...families].map(([root, subagents]) => ({ root, subagents }));
}
