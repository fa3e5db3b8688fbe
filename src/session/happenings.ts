/** What happened in a session, as people speak of it: the words of the teller (`teller.ts`), and of all that stand on it. */
import type { Role, TurnEnd } from "../acp/entries.ts";
import type { UpdateData } from "../acp/kinds.ts";
import type { Json } from "../base/json.ts";

export type Speaker = Role | "thought";

/** Where a thing belongs. */
export interface Place {
  /** `seq` of its entry: with the session's id this is its address. */
  readonly seq: number;
  readonly atMs: number;
  /** The turn in which it happened, by the `seq` of its prompt; 0 before the first one. */
  readonly turn: number;
  /** The subagent's session whose it is; absent for the session's own. */
  readonly child?: string;
  /** The tool call within which an agent says that it did this, where its subagents have no sessions of their own. */
  readonly parentCallId?: string;
}

/** Words of one speaker. */
export interface Said extends Place {
  readonly type: "said";
  readonly by: Speaker;
  /** ACP's content blocks, as they came. */
  readonly content: readonly Json[];
  /** The agent's or client's; a prompt or message that came without one has the one under which a replay shows it. */
  readonly messageId: string | undefined;
  /** A message of its own, to which nothing is added: a prompt, or one put in by the library. */
  readonly isWhole: boolean;
  /** It goes on with what the same session said last. */
  readonly goesOn: boolean;
}

/** A tool call, or news of one. What is not said anew is as it was said before in the same turn. */
export interface Called extends Place {
  readonly type: "call";
  readonly callId: string;
  /** The call's id where the agent has said no title. */
  readonly title: string;
  /** ACP's words (`read`, `edit`, `execute` …; `pending`, `completed` …); undefined where none was said. */
  readonly kind: string | undefined;
  readonly status: string | undefined;
  /** When it was first heard of. */
  readonly startedAtMs: number;
  /** When this was heard of last: of a call of a turn that is final, with all that was said of it since. */
  readonly lastMs: number;
  /** Of a call that was told before. */
  readonly isNews: boolean;
  /** All that this update says, in full: see `call-parts.ts` for what stands in it. */
  readonly update: UpdateData["update"];
}

/** A subagent is announced, or its state changes. What is not said anew is as it was said before. */
export interface SubagentTold extends Place {
  readonly type: "subagent";
  /** Its session: the `child` of all that it says and does. */
  readonly session: string;
  readonly title: string | undefined;
  /** ACP's word: `running`, `idle` …; undefined where none was said. */
  readonly state: string | undefined;
  /** The tool call that started it, as far as a call has said so by now. */
  readonly byCallId: string | undefined;
  readonly isNews: boolean;
}

/** A message between the sessions of agents, or a piece of it. */
export interface Sent extends Place {
  readonly type: "sent";
  readonly messageId: string | undefined;
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly content: readonly Json[];
  /** It is added to what was sent under the same id. */
  readonly goesOn: boolean;
}

export interface PermissionOption {
  readonly id: string;
  readonly name: string;
  /** ACP's word: `allow_once`, `allow_always`, `reject_once`, `reject_always`. */
  readonly kind: string | undefined;
}

/** The agent asked for a permission. */
export interface Asked extends Place {
  readonly type: "asked";
  readonly requestId: string | number | null;
  readonly callId: string | undefined;
  readonly title: string;
  readonly options: readonly PermissionOption[];
  /** What is to be allowed, as the agent says it: the fields of a tool call. */
  readonly toolCall: Readonly<Record<string, unknown>>;
}

/** The answer to what was asked. */
export interface Decided extends Place {
  readonly type: "decided";
  readonly requestId: string | number | null;
  readonly callId: string | undefined;
  readonly outcome: "allowed" | "rejected" | "cancelled" | "failed";
  readonly option: PermissionOption | undefined;
}

export interface PlanStep {
  readonly text: string;
  /** ACP's word. */
  readonly status: string;
}

/** A plan, told whole each time. */
export interface Planned extends Place {
  readonly type: "plan";
  /** Absent for the plan of the turn. */
  readonly planId: string | undefined;
  readonly steps: readonly PlanStep[];
  /** Of a plan that is a text, or a file. */
  readonly text: string | undefined;
  readonly isRemoved: boolean;
}

/** The agent has put a summary in the place of what came before. */
export interface Compacted extends Place {
  readonly type: "compaction";
  readonly compactionId: string;
  readonly status: string | undefined;
  /** Content blocks. */
  readonly summary: readonly Json[];
  /** This is added to the summary; else it is all of it. */
  readonly goesOn: boolean;
  readonly error: string | undefined;
}

/** A mode, an option or a title that was set. */
export interface Set extends Place {
  readonly type: "set";
  readonly method: string;
  readonly what: string;
  readonly value: string;
}

/** What is from here on, until the same kind is told again: usage, title, mode, commands. */
interface StateTold extends Place {
  readonly type: "state";
  readonly kind: string;
  readonly update: UpdateData["update"];
}

/** The session went back: what came after `toSeq` does not count from here on. */
interface Rewound extends Place {
  readonly type: "rewind";
  readonly toSeq: number;
}

/** Content blocks that stand for the conversation up to `throughSeq`, asked for by us. */
export interface Summarised extends Place {
  readonly type: "summary";
  readonly throughSeq: number;
  readonly content: readonly Json[];
  readonly by: string | undefined;
}

/** The turn has ended. */
export interface Ended extends Place {
  readonly type: "end";
  readonly end: TurnEnd;
}

/** One thing that happened. An entry tells at most one. */
export type Happening =
  | Said
  | Called
  | SubagentTold
  | Sent
  | Asked
  | Decided
  | Planned
  | Compacted
  | Set
  | StateTold
  | Rewound
  | Summarised
  | Ended;
