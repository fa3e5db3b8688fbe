/** A wrapper as one writes it with the official SDK, an agent to the client and a client to the agent; stores nothing. */
import { spawn } from "node:child_process";
import { Readable, Writable } from "node:stream";
import { agent as agentApp, client as clientApp, methods, ndJsonStream } from "@agentclientprotocol/sdk";

const [command, ...args] = process.argv.slice(2);
const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
child.on("exit", (code) => process.exit(code ?? 1));
process.stdin.on("end", () => child.stdin.end());

const { initialize, session } = methods.agent;
const toAgent = clientApp({ name: "sdk-relay" })
  .onNotification(methods.client.session.update, ({ params }) =>
    toClient.client.notify(methods.client.session.update, params),
  )
  .connect(ndJsonStream(Writable.toWeb(child.stdin), Readable.toWeb(child.stdout)));

const forward = (method) => [method, ({ params }) => toAgent.agent.request(method, params)];
const toClient = agentApp({ name: "sdk-relay" })
  .onRequest(...forward(initialize))
  .onRequest(...forward(session.new))
  .onRequest(...forward(session.prompt))
  .connect(ndJsonStream(Writable.toWeb(process.stdout), Readable.toWeb(process.stdin)));
