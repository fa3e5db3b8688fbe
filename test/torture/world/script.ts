/** What a prompt makes the stamping agent do (test/fixtures/agents/stamping.mjs), by chance. */
import { stampText } from "../checker/stamps.ts";
import type { Random } from "./random.ts";

export type Step = readonly (string | number)[];

export function promptOf(prompt: string, steps: readonly Step[]): object[] {
  const stamp = stampText({ prompt, thing: "p0", count: 1 });
  return [{ type: "text", text: `${stamp} ${JSON.stringify(steps)}` }];
}

/** A turn of a few to a few thousand updates: bursts and drips, thoughts, tools, plans, titles, questions. */
export function randomSteps(random: Random): Step[] {
  const steps: Step[] = [];
  const count = random.int(1, 8);
  for (let at = 0; at < count; at += 1) steps.push(...randomStep(random));
  return steps;
}

/** A turn of some megabytes, and a tool call behind it. */
export function heavySteps(random: Random): Step[] {
  const burst = (): Step => [
    `m${random.int(1, 4)}`,
    random.int(100, 300),
    random.int(4000, 16_000),
    random.int(1, 16),
  ];
  return [burst(), ["t1"], burst()];
}

function randomStep(random: Random): Step[] {
  const n = random.int(1, 4);
  switch (
    random.weighted({ burst: 3, drip: 4, thought: 2, tool: 3, plan: 1, title: 1, question: 1, pause: 1 })
  ) {
    case "burst":
      return [[`m${n}`, random.int(1, 600), random.int(0, 200), random.int(1, 64)]];
    case "drip":
      return [[`m${n}`, random.int(1, 40), random.int(0, 60), random.int(1, 3), random.int(1, 5)]];
    case "thought":
      return [[`h${n}`, random.int(1, 100), random.int(0, 60), random.int(1, 16)]];
    case "tool":
      return Array.from({ length: random.int(1, 4) }, () => [`t${n}`]);
    case "plan":
      return [["l1"]];
    case "title":
      return [["s1"]];
    case "question":
      return [["q1"]];
    case "pause":
      return [["w", random.int(1, 60)]];
  }
}
