/** docs/agents.md: which agent can what, by itself and through the sidecar. */
import { features } from "./scenario.mjs";

export function report(results, handed) {
  const day = new Date().toISOString().slice(0, 10);
  const names = results.map(({ agent, version }) => `${agent.name} ${version}`);
  const rows = features.map(([feature, title]) => [
    title,
    ...results.map(({ alone, through }) => `${cell(alone[feature])} / ${cell(through[feature])}`),
  ]);
  return [
    "# Agents that it was tried with",
    "",
    `Made by \`npm run agents\` on ${day}: each agent with a model on the same machine that answers from a script, tools`,
    "included, plays one scenario by itself and through the sidecar. A cell says **by itself / through the sidecar**; – where",
    "the agent offers nothing to try, no where it refuses or does otherwise.",
    "",
    table([["", ...names], ...rows]),
    "",
    "## One session, handed from agent to agent",
    "",
    "Each loads the session that those before it were prompted in, and is asked what it knows of them:",
    "",
    (handed ?? [])
      .map(
        ({ agent, knows }, at) =>
          `${at + 1}. ${agent}: ${at === 0 ? "made it" : knows === true ? "knew all" : `did not (${knows})`}`,
      )
      .join("\n"),
    "",
    "## What differs",
    "",
    differences(results),
    "",
  ].join("\n");
}

function cell(value) {
  if (value === undefined) return "–";
  return value === true ? "yes" : "no";
}

function table([head, ...rows]) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Where an agent is worse off behind the sidecar, with what it said; and where it fails both ways. */
function differences(results) {
  const lines = results.flatMap(({ agent, alone, through }) =>
    features.flatMap(([feature, title]) => {
      if (through[feature] === true || through[feature] === undefined) return [];
      const why = typeof through[feature] === "string" ? `: ${through[feature]}` : "";
      return [`- ${agent.name}, ${title}: ${cell(alone[feature])} by itself, no through the sidecar${why}`];
    }),
  );
  return lines.length === 0
    ? "Nothing that an agent can do by itself is lost through the sidecar."
    : lines.join("\n");
}
