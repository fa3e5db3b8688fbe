/** Whether a store can serve, and whether all around it is as it should be: one list of checks for whoever asks. */
import { reasonOf } from "../base/errors.ts";
import type { Store } from "../store/contract.ts";
import type { Finding, HealthCheck, HealthConfig, HealthOptions, Looking } from "./check.ts";
import { auditCheck, indexCheck, keyCheck } from "./checks-beside.ts";
import { clockCheck, diskCheck, leftOverCheck } from "./checks-machine.ts";
import { answersCheck, soundCheck, writableCheck } from "./checks-store.ts";
import { fixFor } from "./fixes.ts";

export type { Finding, HealthConfig, HealthOptions } from "./check.ts";

export interface Checked extends Finding {
  readonly name: string;
  readonly isVital: boolean;
  /** How long it took. */
  readonly ms: number;
}

export interface Health {
  /** `degraded`: something is wrong, and sessions are served; `failed`: they are not. */
  readonly status: "ok" | "degraded" | "failed";
  readonly checks: readonly Checked[];
}

/** One after the other; where one finds something wrong, those after it are not tried. */
const ofStore: readonly HealthCheck[] = [answersCheck, soundCheck, writableCheck];
/** Beside them, at once. */
const others: readonly HealthCheck[] = [
  diskCheck,
  clockCheck,
  indexCheck,
  keyCheck,
  auditCheck,
  leftOverCheck,
];

const defaultWithinMs = 3000;

/** Never rejects. Nothing of what it tries stays in the store. */
export async function health(
  store: Store,
  config: HealthConfig,
  options: HealthOptions = {},
): Promise<Health> {
  const parts = { ...options, store, config };
  const [first, rest] = await Promise.all([
    inOrder(parts),
    Promise.all(others.filter(({ name }) => isAsked(name, parts)).map((check) => checked(check, parts))),
  ]);
  const checks = [...first, ...rest];
  const wrong = checks.filter(({ ok }) => !ok);
  const isFailed = wrong.some(({ isVital }) => isVital);
  return { status: wrong.length === 0 ? "ok" : isFailed ? "failed" : "degraded", checks };
}

type Parts = Omit<Looking, "signal">;

async function inOrder(parts: Parts): Promise<Checked[]> {
  const all: Checked[] = [];
  for (const check of ofStore.filter(({ name }) => isAsked(name, parts))) {
    const wrong = all.find(({ ok }) => !ok);
    const { name } = check;
    if (wrong === undefined) all.push(await checked(check, parts));
    // That it fails is told already, where it begins.
    else
      all.push({
        name,
        ok: true,
        words: `not tried: ${wrong.name} is wrong`,
        isUntried: true,
        ms: 0,
        isVital: vital(check, parts),
      });
  }
  return all;
}

function isAsked(name: string, { only }: Parts): boolean {
  return only === undefined || only.includes(name);
}

async function checked(check: HealthCheck, parts: Parts): Promise<Checked> {
  const { withinMs = defaultWithinMs } = parts;
  const beganMs = performance.now();
  const late = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<Finding>((resolve) => {
    timer = setTimeout(() => resolve({ ok: false, words: `no answer within ${withinMs} ms` }), withinMs);
  });
  try {
    const looked = check.look({ ...parts, signal: late.signal }).catch(foundBy);
    const finding = await Promise.race([looked, tooLong]);
    const ms = Math.round((performance.now() - beganMs) * 10) / 10;
    return { name: check.name, ...finding, ms, isVital: vital(check, parts) };
  } finally {
    clearTimeout(timer);
    late.abort();
  }
}

function foundBy(error: unknown): Finding {
  return { ok: false, words: reasonOf(error), fix: fixFor(error) };
}

function vital({ isVital }: HealthCheck, { config }: Parts): boolean {
  return typeof isVital === "function" ? isVital(config) : isVital;
}

/** Whoever asks often, or all at once, is given what was found a moment ago: a check writes and reads. */
export class HealthWatch {
  readonly #ask: () => Promise<Health>;
  readonly #freshMs: number;
  #asked: Promise<Health> | undefined;
  #atMs = -Infinity;

  /** @param freshMs for how long a finding is told again */
  constructor(ask: () => Promise<Health>, freshMs = 5000) {
    this.#ask = ask;
    this.#freshMs = freshMs;
  }

  now(): Promise<Health> {
    if (this.#asked === undefined || performance.now() - this.#atMs > this.#freshMs) {
      this.#atMs = Infinity;
      this.#asked = this.#ask().finally(() => (this.#atMs = performance.now()));
    }
    return this.#asked;
  }
}
