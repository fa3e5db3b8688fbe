/** What agents report of what they used. */
import { isRecord } from "../base/json.ts";

/** Of a turn, as far as its agent counts them. */
export function usedTokens(usage: unknown): number | undefined {
  if (!isRecord(usage)) return undefined;
  const { totalTokens, inputTokens, outputTokens } = usage;
  if (typeof totalTokens === "number") return totalTokens;
  if (typeof inputTokens !== "number" || typeof outputTokens !== "number") return undefined;
  return inputTokens + outputTokens;
}

export interface ContextUse {
  readonly used: number;
  readonly size: number;
  readonly cost: string;
}

/** Of an update of ACP's kind `usage_update`. */
export function contextUse(update: Readonly<Record<string, unknown>>): ContextUse | undefined {
  const { used, size, cost } = update;
  if (typeof used !== "number" || typeof size !== "number" || !(size > 0)) return undefined;
  const { amount, currency } = isRecord(cost) ? cost : {};
  const isCost = typeof amount === "number" && typeof currency === "string";
  return { used, size, cost: isCost ? `${amount.toFixed(2)} ${currency.slice(0, 3)}` : "" };
}
