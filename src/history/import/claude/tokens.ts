/** Tokens of a turn: each record of a message tells all of the message's, and the last one counts. */
import type { Json } from "../../../base/json.ts";
import type { Fields } from "../records.ts";

/** As Claude Code calls them, by what ACP does. */
const names = {
  inputTokens: "input_tokens",
  outputTokens: "output_tokens",
  cachedReadTokens: "cache_read_input_tokens",
  cachedWriteTokens: "cache_creation_input_tokens",
} as const;

type Counts = Record<keyof typeof names, number>;

export class TokenSum {
  readonly #byMessage = new Map<string, Counts>();
  readonly #sum = countsIn({});

  note(messageId: string, usage: Fields): void {
    const [before, now] = [this.#byMessage.get(messageId), countsIn(usage)];
    this.#byMessage.set(messageId, now);
    for (const name of Object.keys(names) as (keyof Counts)[])
      this.#sum[name] += now[name] - (before?.[name] ?? 0);
  }

  get sum(): Json {
    const totalTokens = Object.values(this.#sum).reduce((all, each) => all + each, 0);
    return { totalTokens, ...this.#sum };
  }
}

function countsIn(usage: Fields): Counts {
  const count = (name: string) => (Number.isSafeInteger(usage[name]) ? (usage[name] as number) : 0);
  return {
    inputTokens: count(names.inputTokens),
    outputTokens: count(names.outputTokens),
    cachedReadTokens: count(names.cachedReadTokens),
    cachedWriteTokens: count(names.cachedWriteTokens),
  };
}
