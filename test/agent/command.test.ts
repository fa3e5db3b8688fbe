import { describe, expect, it } from "vitest";
import { agentOf } from "../../src/config/agent-command.ts";
import { environmentOf, spawnOf } from "../../src/agent/command.ts";

const windows = {
  Path: 'C:\\Tools;"C:\\Program Files\\nodejs";C:\\Users\\me\\AppData\\Roaming\\npm',
  PATHEXT: ".COM;.EXE;.BAT;.CMD",
  ComSpec: "C:\\Windows\\system32\\cmd.exe",
};
const files = [
  "C:\\Tools\\native.exe",
  "C:\\Program Files\\nodejs\\npx.cmd",
  "C:\\Users\\me\\AppData\\Roaming\\npm\\opencode",
  "C:\\Users\\me\\AppData\\Roaming\\npm\\opencode.cmd",
  "C:\\project\\node_modules\\.bin\\agent.cmd",
  ".\\here.exe",
];

function onWindows(command: string, ...args: string[]) {
  return spawnOf({ command, args }, "win32", windows, (path) => files.includes(path));
}

/** What cmd.exe makes of a line: carets taken off outside of quotes that they do not hide. */
function read(line: string): string {
  let out = "";
  let inQuotes = false;
  for (let at = 0; at < line.length; at += 1) {
    const char = line[at] ?? "";
    if (char === "^" && !inQuotes) {
      at += 1;
      out += line[at] ?? "";
      continue;
    }
    if (char === '"') inQuotes = !inQuotes;
    if (!inQuotes && /[&|<>%]/.test(char)) throw new Error(`the shell acts on ${char} in ${line}`);
    out += char;
  }
  return out;
}

/** How a program takes its command line apart. */
function argsIn(line: string): string[] {
  const args: string[] = [];
  let arg = "";
  let [inQuotes, hasArg] = [false, false];
  for (let at = 0; at < line.length; at += 1) {
    let backslashes = 0;
    for (; line[at] === "\\"; at += 1) backslashes += 1;
    const char = line[at];
    if (char === '"') {
      arg += "\\".repeat(Math.floor(backslashes / 2));
      if (backslashes % 2 === 1) arg += '"';
      else [inQuotes, hasArg] = [!inQuotes, true];
      continue;
    }
    arg += "\\".repeat(backslashes);
    if (char === undefined) break;
    if (char === " " && !inQuotes) {
      if (hasArg || arg !== "") args.push(arg);
      [arg, hasArg] = ["", false];
    } else arg += char;
  }
  return hasArg || arg !== "" ? [...args, arg] : args;
}

const odd = [
  "plain",
  "two words",
  "",
  'say "hi"',
  "C:\\dir\\",
  'a\\"b',
  "100%PATH%",
  "a&b|c>d",
  "^caret^",
  "!x!",
];

describe("a command", () => {
  it("is spawned as it is where the system finds and runs scripts itself", () => {
    const command = { command: "opencode.cmd", args: ["acp", "a b"] };
    for (const platform of ["linux", "darwin"] as const) {
      expect(spawnOf(command, platform, {}, () => true)).toEqual({
        ...command,
        windowsVerbatimArguments: false,
      });
    }
  });

  it("is found on Windows by PATH and PATHEXT, but not in the folder that we are started in", () => {
    expect(onWindows("native").command).toBe("C:\\Tools\\native.exe");
    expect(onWindows("NATIVE.EXE").command).toBe("NATIVE.EXE");
    expect(onWindows("native.exe").command).toBe("C:\\Tools\\native.exe");
    expect(onWindows("here").command).toBe("here");
    expect(onWindows("missing", "x")).toEqual({
      command: "missing",
      args: ["x"],
      windowsVerbatimArguments: false,
    });
  });

  it("that is a script on Windows is run by its shell, in which its arguments mean nothing", () => {
    for (const [command, script, readings] of [
      ["opencode", "C:\\Users\\me\\AppData\\Roaming\\npm\\opencode.cmd", 1],
      ["npx", "C:\\Program Files\\nodejs\\npx.cmd", 1],
      ["C:/project/node_modules/.bin/agent", "C:\\project\\node_modules\\.bin\\agent.cmd", 2],
    ] as const) {
      const spawn = onWindows(command, ...odd);
      expect([spawn.command, spawn.windowsVerbatimArguments]).toEqual([windows.ComSpec, true]);
      expect(spawn.args.slice(0, 3)).toEqual(["/d", "/s", "/c"]);
      const line = (spawn.args[3] ?? "").slice(1, -1);
      const shell = read(line);
      expect(shell.startsWith(readings === 1 ? `${script} ` : script)).toBe(true);
      const rest = shell.slice(script.length + 1);
      expect(argsIn(readings === 1 ? rest : read(rest))).toEqual(odd);
    }
  });
});

describe("an agent's environment", () => {
  it("is ours without our own settings, and with what is configured for it", () => {
    const ours = { PATH: "/bin", ACP_SIDECAR_STORE: "postgres://me:pw@h/db", Acp_Sidecar_Log_Level: "debug" };
    const command = { command: "x", args: [], env: { KEY: "value", ACP_SIDECAR_NESTED: "wanted" } };
    expect(environmentOf(command, ours)).toEqual({
      PATH: "/bin",
      KEY: "value",
      ACP_SIDECAR_NESTED: "wanted",
    });
  });

  it("does not have a variable that a key of the store or a token is in, whoever names it", () => {
    const ours = { PATH: "/bin", MY_TOKEN: "secret", NEW_KEY: "secret", Old_Key: "secret", OTHER: "o" };
    const agent = { command: "x", args: [] };
    const keys = {
      token: "env:MY_TOKEN",
      encryptionKey: "env:NEW_KEY",
      previousKeys: ["file:/OTHER", "env:OLD_KEY"],
    };
    expect(environmentOf(agentOf({ agent, ...keys }) ?? agent, ours)).toEqual({ PATH: "/bin", OTHER: "o" });
    expect(environmentOf(agentOf({ agent }) ?? agent, ours)).toEqual(ours);
  });
});
