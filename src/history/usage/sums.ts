/** What a session's turns have used, by day, as its agents reported it. */
import { childIn } from "../../acp/child-mark.ts";
import { isOwn as isOfSidecar } from "../../acp/own-mark.ts";
import { isRecord, objectIn } from "../../base/json.ts";
import type { Entry } from "../../store/contract.ts";

export interface Sums {
  turns: number;
  input: number;
  output: number;
  /** As agents sum up, which may hold more than input and output. */
  total: number;
  /** By currency. */
  cost: Record<string, number>;
}

export function noSums(): Sums {
  return { turns: 0, input: 0, output: 0, total: 0, cost: {} };
}

export function addSums(to: Sums, more: Sums): void {
  for (const name of ["turns", "input", "output", "total"] as const) to[name] += more[name];
  for (const [currency, amount] of Object.entries(more.cost)) {
    // An agent may call a currency as every object calls something of its own.
    const value = (Object.hasOwn(to.cost, currency) ? (to.cost[currency] ?? 0) : 0) + amount;
    Object.defineProperty(to.cost, currency, { value, enumerable: true, writable: true, configurable: true });
  }
}

interface Tokens {
  readonly input: number;
  readonly output: number;
  readonly total: number;
}

interface Reported extends Tokens {
  readonly day: string;
  readonly isOwn: boolean;
}

/**
 * Takes a session's entries one after the other. Cost is cumulative in ACP: what counts is by how much it has grown, and
 * after a fall it has begun anew. Tokens are those of the turn, but some agents give the sum of all turns so far.
 */
export class UsageReader {
  readonly #days = new Map<string, Sums>();
  readonly #reported: Reported[] = [];
  readonly #costs = new Map<string, number>();
  readonly #fromSeq: number;

  /** @param inherited up to this entry all was used by the parent's turns */
  constructor(inherited: number) {
    this.#fromSeq = inherited + 1;
  }

  take({ seq, kind, atMs, data }: Entry): void {
    const isOwn = seq >= this.#fromSeq;
    if (kind === "prompt" && isOwn && childIn(data) === undefined && !isOfSidecar({ data }))
      this.#of(dayOf(atMs)).turns += 1;
    else if (kind === "end") this.#end(data, { day: dayOf(atMs), isOwn });
    // A look at the text, because most updates say nothing of it and are long.
    else if (kind === "update" && data.includes('"usage_update"')) this.#update(data, dayOf(atMs), isOwn);
  }

  byDay(): ReadonlyMap<string, Sums> {
    const isSum = growsAlways(this.#reported);
    let before: Tokens = { input: 0, output: 0, total: 0 };
    for (const each of this.#reported.splice(0)) {
      if (each.isOwn) {
        const sums = this.#of(each.day);
        for (const name of ["input", "output", "total"] as const)
          sums[name] += isSum ? each[name] - before[name] : each[name];
      }
      before = each;
    }
    return this.#days;
  }

  #end(data: string, when: Pick<Reported, "day" | "isOwn">): void {
    const { result } = objectIn(data) ?? {};
    const usage = isRecord(result) ? result.usage : undefined;
    if (!isRecord(usage)) return;
    const [input, output] = [countOf(usage.inputTokens), countOf(usage.outputTokens)];
    const total = Math.max(countOf(usage.totalTokens), input + output);
    if (total > 0) this.#reported.push({ input, output, total, ...when });
  }

  #update(data: string, day: string, isOwn: boolean): void {
    const { update } = objectIn(data) ?? {};
    if (!isRecord(update) || update.sessionUpdate !== "usage_update" || !isRecord(update.cost)) return;
    const { amount, currency } = update.cost;
    if (typeof amount !== "number" || !(amount >= 0) || typeof currency !== "string") return;
    const before = this.#costs.get(currency) ?? 0;
    this.#costs.set(currency, amount);
    const grown = amount >= before ? amount - before : amount;
    if (isOwn && grown > 0) addSums(this.#of(day), { ...noSums(), cost: { [currency.slice(0, 20)]: grown } });
  }

  #of(day: string): Sums {
    const sums = this.#days.get(day) ?? noSums();
    this.#days.set(day, sums);
    return sums;
  }
}

/** In three turns or more no figure of a turn's own only grows: each holds those before it. */
function growsAlways(reported: readonly Tokens[]): boolean {
  if (reported.length < 3) return false;
  return reported.every((each, at) => {
    const before = reported[at - 1];
    if (before === undefined) return true;
    return each.input >= before.input && each.output >= before.output && each.total > before.total;
  });
}

function countOf(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : 0;
}

/** By the clock of whoever looks, as a person counts days. */
export function dayOf(atMs: number): string {
  const date = new Date(atMs);
  if (Number.isNaN(date.getTime())) return "1970-01-01";
  const two = (part: number) => String(part).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
