/** The floor: hono answering one text from memory. Its file is named as the argument. */
import fs from "node:fs";
import { serve } from "@hono/node-server";
import { Hono } from "hono";

const text = fs.readFileSync(process.argv[2], "utf8");
const app = new Hono();
app.get("*", (context) => context.body(text, 200, { "content-type": "application/json" }));
serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => {
  process.stdout.write(`Listening on http://127.0.0.1:${port}/\n`);
});
