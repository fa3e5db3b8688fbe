/** The conformance suite: one function that judges any store with any test runner. */
import { appendAndSeal } from "./append-and-seal.ts";
import { untyped } from "./arguments.ts";
import { runCheck, type Capability, type StoreUnderTest } from "./check.ts";
import { concurrency } from "./concurrency.ts";
import { copies } from "./copies.ts";
import { deletion } from "./deletion.ts";
import { expiry } from "./expiry.ts";
import { failure } from "./failure.ts";
import { leases } from "./leases.ts";
import { lifecycle } from "./lifecycle.ts";
import { limits } from "./limits.ts";
import { lineage } from "./lineage.ts";
import { lists } from "./lists.ts";
import { metadata } from "./metadata.ts";
import { migration } from "./migration.ts";
import { model } from "./model.ts";
import { reads } from "./reads.ts";
import { records } from "./records.ts";
import { room } from "./room.ts";
import { sharing } from "./sharing.ts";

export type { Capability, Check, Medium, StoreUnderTest } from "./check.ts";

/** The two functions that the suite needs of a test runner; those of vitest, jest and node:test will do. */
export interface TestRunner {
  readonly describe: (title: string, body: () => void) => unknown;
  readonly it: (title: string, body: () => Promise<void>) => unknown;
}

export const capabilities: readonly Capability[] = [
  records,
  appendAndSeal,
  reads,
  lists,
  metadata,
  leases,
  expiry,
  copies,
  limits,
  concurrency,
  failure,
  untyped,
  lineage,
  deletion,
  lifecycle,
  sharing,
  migration,
  room,
  model,
];

/**
 * Registers every check of the Store contract with `runner`, against the stores that `subject` opens:
 *
 *     storeConformance({ describe, it }, { name: "mine", open: () => openMine(), capabilities })
 */
export function storeConformance(runner: TestRunner, subject: StoreUnderTest): void {
  runner.describe(`${subject.name} keeps the Store contract`, () => {
    for (const { name, checks } of capabilities) {
      runner.describe(name, () => {
        for (const check of checks) {
          if (check.needs !== undefined && !subject.capabilities[check.needs]) {
            runner.it(`NOT CHECKED, declared not ${check.needs}: ${check.title}`, async () => {});
          } else {
            runner.it(check.title, () => runCheck(check, subject));
          }
        }
      });
    }
  });
}
