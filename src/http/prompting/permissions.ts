/** What agents have asked permission for and nobody has decided yet. */
import { isRecord, textOr } from "../../base/json.ts";
import { newSessionId } from "../../base/ids.ts";

/** As it is told to whoever may decide. */
export interface OpenPermission {
  readonly permissionId: string;
  readonly sessionId: string;
  readonly askedAtMs: number;
  /** Of what is to be allowed, as ACP has it. */
  readonly toolCall: Readonly<Record<string, unknown>>;
  readonly options: readonly { readonly optionId: string; readonly name: string; readonly kind?: string }[];
}

type Outcome =
  | { readonly outcome: "cancelled" }
  | { readonly outcome: "selected"; readonly optionId: string };

interface Waiting {
  readonly asked: OpenPermission;
  readonly decide: (outcome: Outcome) => void;
}

/** An agent that asks for more at once is refused. */
const mostOpen = 1000;

export class Permissions {
  readonly #open = new Map<string, Waiting>();

  /** Settles when it is decided; `cancelled` where the agent withdraws it. @param onAsked told of it at once */
  ask(params: unknown, signal: AbortSignal, onAsked: (asked: OpenPermission) => void): Promise<object> {
    const asked = permissionIn(params);
    if (this.#open.size >= mostOpen) return Promise.resolve({ outcome: { outcome: "cancelled" } });
    return new Promise((resolve) => {
      const decide = (outcome: Outcome) => {
        this.#open.delete(asked.permissionId);
        signal.removeEventListener("abort", withdraw);
        resolve({ outcome });
      };
      const withdraw = () => decide({ outcome: "cancelled" });
      this.#open.set(asked.permissionId, { asked, decide });
      signal.addEventListener("abort", withdraw, { once: true });
      onAsked(asked);
    });
  }

  of(sessionId: string): readonly OpenPermission[] {
    return [...this.#open.values()]
      .map(({ asked }) => asked)
      .filter((asked) => asked.sessionId === sessionId);
  }

  /** False where nobody asks that any more. */
  decide(sessionId: string, permissionId: string, outcome: Outcome): boolean {
    const waiting = this.#open.get(permissionId);
    if (waiting === undefined || waiting.asked.sessionId !== sessionId) return false;
    waiting.decide(outcome);
    return true;
  }

  /** The turn is cancelled: ACP wants all that it asked answered so. */
  cancel(sessionId: string): void {
    for (const { asked, decide } of [...this.#open.values()])
      if (asked.sessionId === sessionId) decide({ outcome: "cancelled" });
  }
}

function permissionIn(params: unknown): OpenPermission {
  const { sessionId, toolCall, options } = isRecord(params) ? params : {};
  return {
    permissionId: newSessionId(),
    sessionId: textOr(sessionId, ""),
    askedAtMs: Date.now(),
    toolCall: isRecord(toolCall) ? toolCall : {},
    options: (Array.isArray(options) ? options : []).flatMap((each) => {
      if (!isRecord(each) || typeof each.optionId !== "string") return [];
      const { optionId, name, kind } = each;
      return [{ optionId, name: textOr(name, optionId), ...(typeof kind === "string" && { kind }) }];
    }),
  };
}
