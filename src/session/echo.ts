/** Agents that say a prompt back as the user's message: editors have shown it already, so it is shown once. */
import { isRecord, type Json } from "../base/json.ts";

export class Echo {
  #blocks: readonly Json[];

  constructor(prompt: readonly Json[]) {
    this.#blocks = prompt;
  }

  /** Whether a user's message of the agent is the prompt, or the next part of it. Each part is heard once. */
  hears(content: Json): boolean {
    if (sameBlock(content, { type: "text", text: this.#blocks.map(textIn).join("") })) {
      this.#blocks = this.#blocks.filter((block) => textIn(block) === "");
      return true;
    }
    const at = this.#blocks.findIndex((block) => sameBlock(block, content));
    if (at < 0) return false;
    this.#blocks = this.#blocks.slice(at + 1);
    return true;
  }
}

function textIn(block: Json): string {
  return isRecord(block) && block.type === "text" && typeof block.text === "string" ? block.text : "";
}

/** Agents trim what they say back; of what is no text, what it is known by counts. */
function sameBlock(a: Json, b: Json): boolean {
  if (!isRecord(a) || !isRecord(b) || a.type !== b.type) return false;
  if (a.type === "text") return textIn(a) !== "" && textIn(a).trim() === textIn(b).trim();
  const [ofA, ofB] = [a, b].map((block) => (isRecord(block.resource) ? block.resource : block));
  return (["uri", "data"] as const).some(
    (name) => typeof ofA?.[name] === "string" && ofA[name] === ofB?.[name],
  );
}
