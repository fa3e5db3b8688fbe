/** The least that a wrapper can do: starts the agent named on its command line and copies bytes both ways. */
import { spawn } from "node:child_process";

const [command, ...args] = process.argv.slice(2);
const agent = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
process.stdin.pipe(agent.stdin);
agent.stdout.pipe(process.stdout);
agent.on("exit", (code) => process.exit(code ?? 1));
