/** What a client does all day, by chance: prompts, new sessions, forks, loads, closings, deletions, cancellations. */
import type { TortureClient } from "./client.ts";
import type { Random } from "./random.ts";
import { promptOf, randomSteps } from "./script.ts";

const cwd = "/";
const fewSessions = 2;
const manySessions = 7;

/** Acts, one thing after the other, for as long as the sidecar lives. */
export async function act(client: TortureClient, random: Random): Promise<void> {
  while (client.isAlive) await actOnce(client, random);
}

export async function actOnce(client: TortureClient, random: Random): Promise<void> {
  const sessions = client.run.sessionIds();
  if (sessions.length < fewSessions) return newSession(client);
  const sessionId = random.pick(sessions);
  const isCrowded = sessions.length > manySessions;
  switch (
    random.weighted({
      prompt: 60,
      load: 7,
      close: 5,
      create: isCrowded ? 0 : 6,
      fork: isCrowded ? 0 : 8,
      remove: isCrowded ? 30 : 2,
    })
  ) {
    case "prompt":
      return prompt(client, sessionId, random);
    case "create":
      return newSession(client);
    case "fork":
      return void (await client.ask("session/fork", { sessionId, cwd, mcpServers: [] }));
    case "load":
      return void (await client.load(sessionId));
    case "close":
      return void (await client.ask("session/close", { sessionId }));
    case "remove":
      return void (await client.ask("session/delete", { sessionId }));
  }
}

export async function newSession(client: TortureClient): Promise<void> {
  await client.ask("session/new", { cwd, mcpServers: [] });
}

/** One prompt in eight is cancelled on the way. */
export async function prompt(client: TortureClient, sessionId: string, random: Random): Promise<void> {
  const name = client.run.nextPrompt();
  const answer = client.ask("session/prompt", { sessionId, prompt: promptOf(name, randomSteps(random)) });
  if (random.chance(1 / 8)) {
    const timer = setTimeout(() => client.notify("session/cancel", { sessionId }), random.int(0, 100));
    await answer;
    clearTimeout(timer);
  }
  await answer;
}
