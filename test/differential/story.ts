/** One story: a client, the sidecar, and an odd agent; what was drawn live is held against what a load draws. */
import { expect } from "vitest";
import type { Harness } from "../e2e/harness/harness.ts";
import { RawClient } from "../e2e/harness/raw-client.ts";
import type { Fields, Update } from "../e2e/harness/wire.ts";
import type { OddAgent, Streamed } from "./agent.ts";
import { Drawings } from "./drawings.ts";

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
  | { readonly do: "fork"; readonly session: number }
  /** While no sidecar runs, somebody goes on in the agent's own program. */
  | { readonly do: "elsewhere"; readonly session: number; readonly turns: readonly (readonly Streamed[])[] }
  /** There the agent compacts its session, or somebody takes the last prompt back. */
  | { readonly do: "forget"; readonly session: number; readonly what: "oldest" | "newest" }
  /** A session that was begun there comes to the editor. */
  | {
      readonly do: "adopt";
      readonly by: "resume" | "load";
      readonly turns: readonly (readonly Streamed[])[];
    };

interface Told {
  id: string;
  drawing: Drawings;
  /** What was told to whoever answers in it. */
  marks: string[];
  /** What was done elsewhere since the session was attached last, as the agent will replay it. */
  elsewhere: Update[];
  /** Its agent has changed its own history: what is done there is told from what was forgotten by its place only. */
  isBent: boolean;
}

export class Story {
  readonly #harness: Harness;
  readonly #store: string;
  readonly #cwd: string;
  readonly #agent: readonly string[];
  readonly #odd: OddAgent;
  readonly #sessions: Told[] = [];
  #client: RawClient | undefined;
  #marks = 0;

  constructor(harness: Harness, store: string, odd: OddAgent) {
    this.#harness = harness;
    this.#store = store;
    this.#odd = odd;
    this.#cwd = harness.project();
    this.#agent = ["odd.mjs", JSON.stringify({ ...odd, state: harness.path("odd-state") })];
  }

  async play(steps: readonly Step[]): Promise<void> {
    await this.#start();
    for (let n = 0; n < 2; n += 1) {
      const id = await this.#now.newSession(this.#cwd);
      this.#sessions.push(toldOf(id));
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
    const program = this.#harness.sidecar({ agent: this.#agent, store: this.#store });
    this.#client = new RawClient(program);
    await this.#client.initialize({ protocolVersion: 1, clientCapabilities: { subagents: {} } });
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
    else if (step.do === "fork") await this.#fork(this.#told(step.session));
    else if (step.do === "elsewhere") await this.#elsewhere(this.#told(step.session), step.turns);
    else if (step.do === "forget") await this.#forget(this.#told(step.session), step.what);
    else await this.#adopt(step.by, step.turns);
  }

  /** What is done in the agent's own program comes to the sidecar by a replay, and by nothing else. */
  get #isToldOfElsewhere(): boolean {
    const { can, replays, remembers } = this.#odd;
    return remembers && can.load && !can.resume && replays !== "never";
  }

  async #elsewhere(told: Told, turns: readonly (readonly Streamed[])[]): Promise<void> {
    if (!this.#isToldOfElsewhere || told.isBent) return;
    const theirs = await this.#theirs(told);
    await this.#alone(async (client) => {
      const params = { sessionId: theirs, cwd: this.#cwd, mcpServers: [] };
      // It may be busy for a moment.
      if ((await client.ask("session/load", params)).error !== undefined)
        await client.request("session/load", params);
      for (const updates of turns) await this.#promptAlone(client, theirs, told, updates);
    });
  }

  async #forget(told: Told, what: "oldest" | "newest"): Promise<void> {
    if (!this.#isToldOfElsewhere || told.isBent) return;
    const theirs = await this.#theirs(told);
    // What was done elsewhere and not yet told would be forgotten with it.
    await this.#reload(told);
    await this.#alone(async (client) => {
      await client.request("_odd/forget", { sessionId: theirs, what });
      const { marks } = await client.request("_odd/knows", { sessionId: theirs });
      told.marks = told.marks.filter((mark) => (marks as string[]).includes(mark));
    });
    told.isBent = true;
  }

  async #adopt(by: "resume" | "load", turns: readonly (readonly Streamed[])[]): Promise<void> {
    const { can, replays, remembers, failingLoads } = this.#odd;
    const isToldAll = remembers && can.load && replays !== "never" && failingLoads === 0;
    if (!isToldAll || (by === "resume" && !can.resume) || this.#sessions.length > 3) return;
    const told = toldOf("");
    await this.#alone(async (client) => {
      told.id = await client.newSession(this.#cwd);
      for (const updates of turns) await this.#promptAlone(client, told.id, told, updates);
    });
    await this.#now.request(`session/${by}`, { sessionId: told.id, cwd: this.#cwd, mcpServers: [] });
    await this.#now.ask("_odd/knows", { sessionId: told.id });
    this.#takeElsewhere(told);
    this.#sessions.push(told);
  }

  /** What the agent calls a session. A prompt first: one that it has never had is not there to be gone on with. */
  async #theirs(told: Told): Promise<string> {
    await this.#prompt(told, [], false);
    return (await this.#now.request("_odd/knows", { sessionId: told.id }))["calls"] as string;
  }

  /** The agent's own program, while no sidecar runs; then the sidecar again. */
  async #alone(act: (client: RawClient) => Promise<void>): Promise<void> {
    await this.#harness.stop(this.#now.program);
    const client = new RawClient(this.#harness.direct(this.#agent));
    await client.initialize();
    await act(client);
    await this.#harness.stop(client.program);
    await this.#start();
  }

  async #promptAlone(
    client: RawClient,
    sessionId: string,
    told: Told,
    updates: readonly Streamed[],
  ): Promise<void> {
    // What subagents did elsewhere is told by their own program, if at all; a mode is chosen again as the editor had it.
    const isTold = ({ $as, sessionUpdate }: Streamed) =>
      $as === undefined && sessionUpdate !== "current_mode_update";
    const { mark, said, own } = this.#promptOf(updates.filter(isTold));
    const content = { type: "text", text: said };
    await client.request("session/prompt", { sessionId, prompt: [content] });
    told.marks.push(mark);
    told.elsewhere.push({ sessionUpdate: "user_message_chunk", content }, ...own.map(written));
  }

  #takeElsewhere(told: Told): void {
    for (const update of told.elsewhere.splice(0)) told.drawing.take(update);
  }

  #told(at: number): Told {
    const told = this.#sessions[at % this.#sessions.length];
    if (told === undefined) throw new Error("no session");
    return told;
  }

  async #prompt(told: Told, updates: readonly Streamed[], fails: boolean): Promise<void> {
    const { mark, said } = this.#promptOf(updates, fails);
    const prompt: Fields[] = [{ type: "text", text: said }];
    const from = this.#now.program.out.length;
    const { error } = await this.#now.ask("session/prompt", { sessionId: told.id, prompt });
    expect(error === undefined, `prompt ${error?.message}`).toBe(!fails);
    told.marks.push(mark);
    told.drawing.prompted(prompt);
    const shown = this.#updatesOf(told, from);
    this.#draw(told.drawing, told, from);
    told.drawing.answered();
    // A prompt to a session that was not loaded attaches it: what was done elsewhere is told then.
    const theirs = told.elsewhere
      .splice(0)
      .filter(({ sessionUpdate }) => sessionUpdate === "user_message_chunk");
    expect(shown).toEqual(expect.arrayContaining(theirs));
  }

  #promptOf(updates: readonly Streamed[], fails = false) {
    const mark = `mark-${(this.#marks += 1)}`;
    // "Unique within the session": another turn's call is another call.
    const said = updates.map((each) =>
      "toolCallId" in each ? { ...each, toolCallId: `${mark}.${String(each["toolCallId"])}` } : each,
    );
    const children = new Set(updates.flatMap(({ $as }) => (typeof $as === "string" ? [$as] : [])));
    const announced = Array.from(children, (child) => ({
      sessionUpdate: "subagent_update",
      sessionId: child,
      title: `${child} of ${mark}`,
    }));
    const own = [...announced, ...said];
    return { mark, own, said: JSON.stringify({ mark, updates: own, ...(fails && { end: "error" }) }) };
  }

  /** Loaded once, it draws what was drawn live; and what the agent replays behind its answer adds nothing. */
  async #reload(told: Told): Promise<void> {
    const from = this.#now.program.out.length;
    await this.#now.request("session/load", { sessionId: told.id, cwd: this.#cwd, mcpServers: [] });
    await this.#now.ask("_odd/knows", { sessionId: told.id });
    const loaded = new Drawings();
    this.#draw(loaded, told, from);
    this.#takeElsewhere(told);
    expect(loaded.result()).toEqual(told.drawing.result());
  }

  async #fork(told: Told): Promise<void> {
    if (this.#sessions.length > 3) return;
    // A fork is made of what is known: what was done elsewhere comes with a load.
    if (told.elsewhere.length > 0) await this.#reload(told);
    const { sessionId } = await this.#now.request("session/fork", {
      sessionId: told.id,
      cwd: this.#cwd,
      mcpServers: [],
    });
    const copied = { drawing: told.drawing.copy(), marks: [...told.marks], elsewhere: [] };
    const fork = { ...told, id: sessionId as string, ...copied };
    await this.#now.ask("_odd/knows", { sessionId: fork.id });
    this.#sessions.push(fork);
  }

  #draw(drawing: Drawings, told: Told, from: number): void {
    for (const { method, params } of this.#now.program.out.messages(from)) {
      if (method !== "session/update") continue;
      const { sessionId, update } = params as unknown as { sessionId: string; update: Update };
      if (sessionId !== told.id) drawing.takeOf(sessionId, update);
      else if (isOfIt(update)) drawing.take(update);
    }
  }

  #updatesOf(told: Told, from: number): readonly Update[] {
    return this.#now.program.out.updates(told.id, from).filter(isOfIt);
  }
}

/** That an agent's history differs is told, and is no part of the conversation. */
function isOfIt({ messageId }: Update): boolean {
  return messageId !== "acp-sidecar:agent-history";
}

function toldOf(id: string): Told {
  return { id, drawing: new Drawings(), marks: [], elsewhere: [], isBent: false };
}

/** An update as the agent writes it. */
function written({ $write: _, ...update }: Streamed): Update {
  return update;
}
