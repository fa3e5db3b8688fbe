/** Stands for an editor: starts the command line that follows, passes bytes both ways, and can be killed. */
import { spawn } from "node:child_process";
import process from "node:process";

const [file, ...args] = process.argv.slice(2);
const child = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"] });
process.stdin.pipe(child.stdin);
child.stdout.pipe(process.stdout);
child.stdin.on("error", () => {});
child.on("exit", () => process.exit(0));
