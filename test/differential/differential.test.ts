/**
 * What a reference client draws live must equal what it draws after a load, whatever the agent streams and however it
 * bends the protocol, through restarts and forks. A failure prints its seed and the smallest story that shows it;
 * DIFFERENTIAL_SEED and DIFFERENTIAL_RUNS play others, and more.
 */
import fc from "fast-check";
import { describe, it } from "vitest";
import { useHarness } from "../e2e/harness/harness.ts";
import { oddAgent, streamed } from "./agent.ts";
import { Story, type Step } from "./story.ts";

const harness = useHarness();
/** The same stories each time, as the harnesses of `.ci/run` have theirs; a longer run takes seeds of its own. */
const few = { runs: 3, seed: 20261127 };
const more = {
  runs: Number(process.env["DIFFERENTIAL_RUNS"] ?? 12),
  seed: Number(process.env["DIFFERENTIAL_SEED"] ?? 20261126),
};

const session = fc.nat(3);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("prompt" as const),
      session,
      updates: streamed,
      fails: fc.constantFrom(false, false, false, true),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("both" as const),
      updates: fc.tuple(streamed, streamed),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("restart" as const), kill: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reload" as const), session }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("fork" as const), session }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("elsewhere" as const),
      session,
      turns: fc.array(streamed, { minLength: 1, maxLength: 2 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("forget" as const),
      session,
      what: fc.constantFrom("oldest", "newest"),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("adopt" as const),
      by: fc.constantFrom("resume", "load"),
      turns: fc.array(streamed, { minLength: 1, maxLength: 2 }),
    }),
  },
);

describe("a session that is kept", () => {
  const plays = ({ runs, seed }: typeof few) => {
    // One that plays is played to its end: what it has started would outlive the test otherwise.
    const until = Date.now() + (runs > 20 ? 600_000 : 60_000);
    return fc.assert(
      fc.asyncProperty(
        oddAgent,
        fc.array(step, { minLength: 1, maxLength: 6 }),
        fc.constantFrom("sqlite", "file"),
        async (odd, steps, medium) => {
          if (Date.now() > until) return;
          const store = medium === "sqlite" ? harness.storeUrl() : `file:${harness.path("store")}`;
          await new Story(harness, store, odd).play(steps);
        },
      ),
      { numRuns: runs, seed },
    );
  };

  it("is drawn after a load as it was drawn live", { timeout: 900_000 }, () => plays(few));
  it("is so in more of such stories", { timeout: 900_000, tags: ["long"] }, () => plays(more));
});
