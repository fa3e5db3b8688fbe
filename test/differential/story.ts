/** One story: a client, the sidecar, and an odd agent; what was drawn live is held against what a load draws. */
import { expect } from "vitest";
import type { Harness } from "../e2e/harness/harness.ts";
import type { RawClient } from "../e2e/harness/raw-client.ts";
import type { Fields, Update } from "../e2e/harness/wire.ts";
import type { OddAgent, Streamed } from "./agent.ts";
import { Drawing } from "./drawing.ts";

export type Step =
  | {
      readonly do: "prompt";
      readonly session: number;
      readonly updates: readonly Streamed[];
      readonly fails: boolean;
    }
  /** Two prompts at once, in two sessions. */
  | { readonly do: "both"; readonly updates: readonly (readonly Streamed[])[] }
  /** Another editor, another process of sidecar and agent; politely or by SIGKILL. */
  | { readonly do: "restart"; readonly kill: boolean }
  | { readonly do: "reload"; readonly session: number }
  | { readonly do: "fork"; readonly session: number };

interface Told {
  id: string;
  drawing: Drawing;
  /** What was told to whoever answers in it. */
  marks: string[];
}

export class Story {
  readonly #harness: Harness;
  readonly #store: string;
  readonly #cwd: string;
  readonly #agent: readonly string[];
  readonly #sessions: Told[] = [];
  #client: RawClient | undefined;
  #marks = 0;

  constructor(harness: Harness, store: string, odd: OddAgent) {
    this.#harness = harness;
    this.#store = store;
    this.#cwd = harness.project();
    this.#agent = ["odd.mjs", JSON.stringify({ ...odd, state: harness.path("odd-state") })];
  }

  async play(steps: readonly Step[]): Promise<void> {
    await this.#start();
    for (let n = 0; n < 2; n += 1) {
      const id = await this.#now.newSession(this.#cwd);
      this.#sessions.push({ id, drawing: new Drawing(), marks: [] });
    }
    for (const step of steps) await this.#step(step);
    for (let cycle = 0; cycle < 2; cycle += 1) {
      await this.#step({ do: "restart", kill: cycle === 1 });
      for (const told of this.#sessions) await this.#reload(told);
    }
    // Whoever answers now has been told all of it, by its own memory or by a handover.
    for (const told of this.#sessions) {
      await this.#prompt(told, [], false);
      const { marks } = await this.#now.request("_odd/knows", { sessionId: told.id });
      expect(marks, "what the agent knows").toEqual(expect.arrayContaining(told.marks));
      await this.#reload(told);
    }
    await this.#harness.stop(this.#now.program);
  }

  get #now(): RawClient {
    if (this.#client === undefined) throw new Error("no client yet");
    return this.#client;
  }

  async #start(): Promise<void> {
    this.#client = await this.#harness.connectRaw({ agent: this.#agent, store: this.#store });
  }

  async #step(step: Step): Promise<void> {
    if (step.do === "restart") {
      if (step.kill) await this.#harness.crash(this.#now.program);
      else await this.#harness.stop(this.#now.program);
      await this.#start();
    } else if (step.do === "both") {
      const [a = [], b = []] = step.updates;
      await Promise.all([this.#prompt(this.#told(0), a, false), this.#prompt(this.#told(1), b, false)]);
    } else if (step.do === "prompt") await this.#prompt(this.#told(step.session), step.updates, step.fails);
    else if (step.do === "reload") await this.#reload(this.#told(step.session));
    else await this.#fork(this.#told(step.session));
  }

  #told(at: number): Told {
    const told = this.#sessions[at % this.#sessions.length];
    if (told === undefined) throw new Error("no session");
    return told;
  }

  async #prompt(told: Told, updates: readonly Streamed[], fails: boolean): Promise<void> {
    const mark = `mark-${(this.#marks += 1)}`;
    // "Unique within the session": another turn's call is another call.
    const own = updates.map((each) =>
      "toolCallId" in each ? { ...each, toolCallId: `${mark}.${String(each["toolCallId"])}` } : each,
    );
    const said = JSON.stringify({ mark, updates: own, ...(fails && { end: "error" }) });
    const prompt: Fields[] = [{ type: "text", text: said }];
    const from = this.#now.program.out.length;
    const { error } = await this.#now.ask("session/prompt", { sessionId: told.id, prompt });
    expect(error === undefined, `prompt ${error?.message}`).toBe(!fails);
    told.marks.push(mark);
    told.drawing.prompted(prompt);
    for (const update of this.#updatesOf(told, from)) told.drawing.take(update);
  }

  /** Loaded once, it draws what was drawn live; and what the agent replays behind its answer adds nothing. */
  async #reload(told: Told): Promise<void> {
    const from = this.#now.program.out.length;
    await this.#now.request("session/load", { sessionId: told.id, cwd: this.#cwd, mcpServers: [] });
    await this.#now.ask("_odd/knows", { sessionId: told.id });
    const loaded = new Drawing();
    for (const update of this.#updatesOf(told, from)) loaded.take(update);
    expect(loaded.result()).toEqual(told.drawing.result());
  }

  async #fork(told: Told): Promise<void> {
    if (this.#sessions.length > 3) return;
    const { sessionId } = await this.#now.request("session/fork", {
      sessionId: told.id,
      cwd: this.#cwd,
      mcpServers: [],
    });
    const fork = { id: sessionId as string, drawing: told.drawing.copy(), marks: [...told.marks] };
    await this.#now.ask("_odd/knows", { sessionId: fork.id });
    this.#sessions.push(fork);
  }

  #updatesOf(told: Told, from: number): readonly Update[] {
    return this.#now.program.out.updates(told.id, from);
  }
}
