/** What others on this machine may know of a relay and ask of it: `local/` speaks with them. */
import { ownMeta } from "../acp/own-mark.ts";
import { Deferred } from "../base/deferred.ts";
import { isRecord } from "../base/json.ts";
import type { RelayContext } from "./context.ts";
import { detach } from "./methods/end.ts";
import type { LiveSession } from "./live/session.ts";
import { runningTurns } from "./live/turns.ts";

export interface LiveFacts {
  readonly id: string;
  /** Since when a turn runs; absent where none does. */
  readonly turnSinceMs?: number;
  readonly clients: number;
  /** What waits in its queues. */
  readonly waiting: number;
}

export interface RelayFacts {
  readonly heartbeatAtMs: number;
  /** What the client calls itself. */
  readonly client?: { readonly name: string; readonly version?: string };
  readonly agentPid?: number;
  readonly sessions: readonly LiveFacts[];
}

/** A relay as others on this machine have it. */
export class Outside {
  /** Settles when the client has had its first answer: what can wait until then does. */
  readonly answered = new Deferred();
  /** When its leases were extended last. */
  heartbeatAtMs = Date.now();
  readonly #ctx: RelayContext;

  constructor(ctx: RelayContext) {
    this.#ctx = ctx;
  }

  /** Whether the client waits for an answer. */
  get isBusy(): boolean {
    return this.#ctx.searching.idle.isOpen;
  }

  facts(): RelayFacts {
    const { client, agent, sessions } = this.#ctx;
    const { info } = client.facts ?? {};
    const { name, version } = isRecord(info) ? info : {};
    const named =
      typeof name === "string" ? { name, ...(typeof version === "string" && { version }) } : undefined;
    const agentPid = agent.process?.pid;
    return {
      heartbeatAtMs: this.heartbeatAtMs,
      ...(named && { client: named }),
      ...(agentPid !== undefined && { agentPid }),
      sessions: [...sessions.all()].filter(({ isHeld }) => isHeld).map(liveFacts),
    };
  }

  /**
   * Ends a session here, because somebody has asked for it elsewhere: its turns are cancelled as a client does it, what
   * was said is sealed, the lease is given back. The client is told in words. False where it is not live here.
   */
  async end(id: string): Promise<boolean> {
    const { sessions, options, log } = this.#ctx;
    const live = [...sessions.all()].find((each) => each.id === id);
    if (live?.isHeld !== true) return false;
    await tell(live, sessionEnded);
    await detach(this.#ctx, live, options.cancelGraceMs);
    log.info({ sessionId: live.id }, "session ended from outside");
    return true;
  }

  /** The process is to end, and says so in its sessions. */
  async tellOfEnd(): Promise<void> {
    await Promise.all([...this.#ctx.sessions.all()].map((live) => tell(live, processEnded)));
  }
}

function liveFacts(live: LiveSession): LiveFacts {
  const [turn] = runningTurns(live);
  return {
    id: live.id,
    ...(turn !== undefined && { turnSinceMs: turn.sinceMs }),
    clients: [...live.attachments].length,
    waiting: live.waiting,
  };
}

const sessionEnded =
  "This session was ended by `acp-sidecar sessions end`, or in the web view. What was said is kept: your next prompt goes on with it, unless somebody else has it open then.";
const processEnded =
  "The sidecar of this session was ended by `acp-sidecar stop`. What was said is kept: load the session again to go on.";

/** As the sidecar's own words, in no journal. Whoever does not read holds nothing up. */
async function tell(live: LiveSession, words: string): Promise<void> {
  const content = { type: "text", text: `\n\n${words}\n\n` };
  const update = { update: { sessionUpdate: "agent_message_chunk", content }, _meta: ownMeta };
  await live.outbound(async () => {
    void live.attachments.sendStored([JSON.stringify(update)]);
  });
}
