/** What the API answers, as far as the view reads it. */
import type { Item } from "../history/pages/items.ts";

export type { Item } from "../history/pages/items.ts";

export interface Session {
  readonly id: string;
  readonly title?: string;
  readonly cwd: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly state: "idle" | "open" | "running";
  readonly archived: boolean;
  readonly headSeq: number;
  readonly sealedSeq: number;
  readonly agent?: { readonly info?: unknown; readonly command?: string };
  readonly client?: { readonly info?: unknown };
  readonly lineage?: { readonly parentId: string; readonly atSeq: number };
  readonly lease?: {
    readonly holder: { readonly host: string; readonly pid: number };
    readonly sinceMs: number;
    /** The server itself has it. */
    readonly isHere: boolean;
  };
}

export interface SessionPage {
  readonly sessions: readonly Session[];
  readonly nextCursor?: string;
}

export interface HistoryPage {
  readonly items: readonly Item[];
  readonly before?: number;
  readonly after: number;
  readonly isMoreAfter: boolean;
  /** What comes behind the newest entry is told behind this event. */
  readonly follow?: string;
  readonly headSeq: number;
  readonly sealedSeq: number;
  readonly rewinds: readonly { readonly at: number; readonly toSeq: number }[];
}

export interface Found {
  readonly sessions: readonly {
    readonly id: string;
    readonly title?: string;
    readonly cwd: string;
    readonly updatedAtMs: number;
    readonly hits: readonly {
      readonly seq: number;
      readonly role: string;
      readonly atMs: number;
      readonly snippet: readonly { readonly text: string; readonly isMatch: boolean }[];
    }[];
    readonly isMore: boolean;
  }[];
  readonly isMore: boolean;
}

export interface TokenRights {
  readonly permissions: readonly string[];
  readonly isOwners: boolean;
  /** Whose session a prompt takes over. */
  readonly onBusy: "idle" | "error" | "takeover";
  /** Whether prompts are answered. */
  readonly hasAgent: boolean;
}
