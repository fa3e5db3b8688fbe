/** The promise, judged over the wire and by the torture harnesses. */
import type { RequirementTable } from "./manifest.ts";

export const durabilityRequirements: RequirementTable = {
  "durability.md: The promise": {
    "durable-acknowledged": "what the client was sent is there after the sidecar was killed",
    "durable-once": "nothing is there twice, and order is kept",
    "durable-whole": "a batch is there whole or not at all; a seal never loses or doubles",
    "durable-deleted": "a deleted session never comes back",
    "durable-damage": "damage is reported by name; the undamaged rest stays readable",
  },
  "durability.md: The promise, by failure": {
    "durable-sidecar-killed": "killed in a streamed turn, the turn so far can be loaded",
    "durable-agent-killed": "killing the agent loses nothing that it had sent",
    "durable-store-fault": "a store that fails gives a clear error, and work goes on when it is back",
    "durable-power": "a machine that loses power keeps all turns that were answered",
    "durable-levels":
      "every durability level keeps what was acknowledged when the sidecar is killed in order",
  },
};
