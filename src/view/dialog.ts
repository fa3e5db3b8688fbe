/** Asks for something before it is done. */
import { button, h, type Child } from "./elements.ts";

/** "yes", or undefined for somebody who has thought better of it. */
export function asked(title: string, act: string, ...fields: readonly Child[]): Promise<"yes" | undefined> {
  return new Promise((resolve) => {
    const submit = h("button", { type: "submit", class: "primary", value: "yes" }, act);
    const cancel = button("Cancel", () => dialog.close());
    const form = h(
      "form",
      { method: "dialog" },
      h("h2", {}, title),
      fields,
      h("p", { class: "choices" }, cancel, submit),
    );
    const dialog = h("dialog", { "aria-label": title }, form);
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes" ? "yes" : undefined);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

const keys = [
  ["/", "search"],
  ["j, k", "next, previous session; in a conversation: message"],
  ["Enter", "open"],
  ["g, G", "beginning, end of the conversation"],
  ["i", "write a prompt"],
  ["Esc", "back to the list; out of a field"],
  ["?", "these keys"],
] as const;

export function showKeys(): void {
  const rows = keys.flatMap(([key, what]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, what)]);
  const close = button("Close", () => dialog.close(), { class: "primary" });
  const dialog = h(
    "dialog",
    { "aria-label": "Keys" },
    h("h2", {}, "Keys"),
    h("dl", {}, rows),
    h("p", { class: "choices" }, close),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
