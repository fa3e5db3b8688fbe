/** What only the configuration file says, because it is more than a value: who is told of what, and backups. A leaf. */

export const hookEvents = [
  "turn.ended",
  "permission.asked",
  "session.created",
  "session.archived",
  "session.expired",
  "session.ended",
] as const;

export type HookEvent = (typeof hookEvents)[number];

/** Who is told: a program, which is handed the news on its stdin, or an address that it is posted to. */
export interface Receiver {
  readonly run?: readonly string[];
  readonly post?: string;
  /** Of a POST. May be secret. */
  readonly headers?: Readonly<Record<string, string>>;
  /** How long it may take. */
  readonly timeoutMs: number;
}

export interface Hook extends Receiver {
  readonly on: readonly HookEvent[];
  /** Whether it is told what was said, too: titles, folders, what a turn ended with. */
  readonly content: boolean;
}

export interface Alert extends Receiver {
  /** As condition.ts reads it. */
  readonly when: string;
}

export interface BackupPlan {
  /** URL of a store of files; the time stands in the name of each copy. */
  readonly to: string;
  readonly everyMs: number;
  /** How many copies stay. */
  readonly keep: number;
}

export interface Structures {
  readonly hooks?: readonly Hook[];
  readonly alerts?: readonly Alert[];
  readonly backup?: BackupPlan;
}

export type StructureName = keyof Structures;
export const structureNames: readonly StructureName[] = ["hooks", "alerts", "backup"];

export function isStructureName(name: string): name is StructureName {
  return (structureNames as readonly string[]).includes(name);
}
