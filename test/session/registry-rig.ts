/** A registry for tests, with a clock that only the test moves. */
import { expect } from "vitest";
import type { Message } from "../../src/session/messages.ts";
import type { RegistryOptions } from "../../src/session/registry-options.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";

export const hourMs = 60 * 60_000;

/** On the memory store unless told. */
export function registryOf(options: Partial<RegistryOptions> = {}) {
  let nowMs = Date.UTC(2030, 0, 1);
  const store = options.store ?? openMemoryStore();
  const registry = new SessionRegistry({ store, now: () => nowMs, ...options });
  return {
    registry,
    store,
    now: () => nowMs,
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

export async function all(messages: AsyncIterable<Message>): Promise<Message[]> {
  const found: Message[] = [];
  for await (const message of messages) found.push(message);
  return found;
}

export const notFound = expect.objectContaining({ code: "SESSION_NOT_FOUND" }) as unknown;
