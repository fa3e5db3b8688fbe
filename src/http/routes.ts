/** All routes, in the order in which the document has them. */
import { documentOf } from "./openapi.ts";
import { route, type Route } from "./route.ts";
import { contextRoutes } from "./routes/context.ts";
import { eventRoutes } from "./routes/events.ts";
import { goingBackRoutes } from "./routes/going-back.ts";
import { historyRoutes } from "./routes/history.ts";
import { importRoute } from "./routes/import.ts";
import { messageRoutes } from "./routes/messages.ts";
import { probeRoutes } from "./routes/probes.ts";
import { promptRoutes } from "./routes/prompt.ts";
import { sessionRoutes } from "./routes/sessions.ts";
import { wideRoutes } from "./routes/wide.ts";

let document: string | undefined;

const documentRoute = route({
  method: "get",
  path: "/api/openapi.json",
  name: "document",
  summary: "this document",
  isOpen: true,
  answers: ["application/json"],
  handle: async () => ({ text: (document ??= JSON.stringify(documentOf(routes))) }),
});

export const routes: readonly Route[] = [
  ...sessionRoutes,
  ...historyRoutes,
  ...messageRoutes,
  ...contextRoutes,
  ...goingBackRoutes,
  ...promptRoutes,
  ...wideRoutes,
  ...eventRoutes,
  importRoute,
  ...probeRoutes,
  documentRoute,
];
