/** What an agent may not do until somebody says so. */
import { isRecord, textOr } from "../base/json.ts";
import { visibleLine } from "../base/visible.ts";
import { diffsOf, pathsOf } from "../session/call-parts.ts";
import { diffOf, rawText } from "./call.ts";
import { button, h } from "./elements.ts";
import { plainCode } from "./long.ts";

export interface OpenPermission {
  readonly permissionId: string;
  readonly toolCall: Readonly<Record<string, unknown>>;
  readonly options: readonly { readonly optionId: string; readonly name: string; readonly kind?: string }[];
}

/** With what it would do, for whoever wants to see that first. */
export function permissionOf(
  { toolCall, options }: OpenPermission,
  decide: (decision: object) => void,
): HTMLElement {
  const title = textOr(toolCall.title, textOr(toolCall.toolCallId, "something"));
  const buttons = options.map(({ optionId, name, kind = "" }) =>
    button(visibleLine(name).slice(0, 100), () => decide({ optionId }), {
      class: kind.startsWith("allow") ? "primary" : "",
    }),
  );
  const { rawInput } = toolCall;
  const paths = pathsOf(toolCall).map((path) => h("p", { class: "path" }, visibleLine(path)));
  const diffs = diffsOf(toolCall).map(diffOf);
  const input =
    isRecord(rawInput) && Object.keys(rawInput).length > 0 && plainCode(rawText(rawInput), "Input");
  const body = h("div", { class: "body" }, diffs.length > 0 ? diffs : paths, input);
  const more =
    body.children.length > 0 &&
    h("details", { class: "attached" }, h("summary", {}, "What it would do"), body);
  const refuse = button("Refuse", () => decide({ cancelled: true }));
  const isRefusable = options.some(({ kind = "" }) => kind.startsWith("reject"));
  const head = h(
    "p",
    {},
    "The agent asks for permission: ",
    h("bdi", { class: "title" }, visibleLine(title).slice(0, 500)),
  );
  return h(
    "div",
    { class: "asked", role: "group", "aria-label": "Permission" },
    head,
    more,
    h("p", { class: "choices" }, buttons, !isRefusable && refuse),
  );
}
