/** The keys, for whoever has no mouse at hand. */
import type { Conversation } from "./conversation.ts";
import { showKeys } from "./dialog.ts";
import { byId } from "./elements.ts";

export interface KeyParts {
  readonly conversation: () => Conversation | undefined;
  readonly leave: () => void;
}

export function onKeys(parts: KeyParts): void {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]") !== null)
      return;
    const target = event.target instanceof HTMLElement ? event.target : document.body;
    const isTyping = target.matches("input, textarea, select");
    const act =
      event.key === "Escape"
        ? () => escaped(target, parts)
        : isTyping
          ? typed(event.key, target)
          : pressed(event.key, target, parts);
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
}

function pressed(key: string, target: HTMLElement, parts: KeyParts): (() => void) | undefined {
  const conversation = parts.conversation();
  switch (key) {
    case "/":
      return () => byId<HTMLInputElement>("search").select();
    case "?":
      return showKeys;
    case "j":
    case "k": {
      const by = key === "j" ? 1 : -1;
      const isReading = conversation !== undefined && byId("main").contains(target);
      return isReading ? () => conversation.step(by) : () => stepInList(by);
    }
    case "g":
      return () => conversation?.beginning();
    case "G":
      return () => conversation?.end();
    case "i":
      return () => document.querySelector<HTMLElement>(".composer textarea")?.focus();
    default:
      return undefined;
  }
}

/** From the search into what it has found. */
function typed(key: string, target: HTMLElement): (() => void) | undefined {
  if (target.id !== "search") return undefined;
  if (key === "ArrowDown") return () => stepInList(1);
  if (key === "Enter") return () => rows()[0]?.click();
  return undefined;
}

/** One step back: out of a field, out of a conversation. */
function escaped(target: HTMLElement, { conversation, leave }: KeyParts): void {
  if (target instanceof HTMLInputElement && target.id === "search" && target.value !== "") {
    target.value = "";
    target.dispatchEvent(new Event("input"));
  } else if (target.matches("input, textarea, select")) target.blur();
  else if (conversation() !== undefined) {
    const id = conversation()?.id ?? "";
    leave();
    setTimeout(() => document.querySelector<HTMLElement>(`[data-id="${CSS.escape(id)}"]`)?.focus(), 0);
  }
}

function rows(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>("#side-list a.row")];
}

function stepInList(by: 1 | -1): void {
  const all = rows();
  const at = all.findIndex((row) => row === document.activeElement);
  const current = at >= 0 ? at : all.findIndex((row) => row.ariaCurrent === "page");
  const next = all[current < 0 ? 0 : Math.min(all.length - 1, Math.max(0, current + by))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}
