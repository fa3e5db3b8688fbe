/** Values of labels of requests over HTTP. */

/** As the routes have them, never as somebody has asked for them. */
export const httpRoutes: readonly string[] = [
  "/",
  "/api/events",
  "/api/import",
  "/api/openapi.json",
  "/api/search",
  "/api/sessions",
  "/api/sessions/:id",
  "/api/sessions/:id/archive",
  "/api/sessions/:id/cancel",
  "/api/sessions/:id/context",
  "/api/sessions/:id/context/changes",
  "/api/sessions/:id/context/refresh",
  "/api/sessions/:id/events",
  "/api/sessions/:id/export",
  "/api/sessions/:id/extend",
  "/api/sessions/:id/fork",
  "/api/sessions/:id/history",
  "/api/sessions/:id/links",
  "/api/sessions/:id/messages",
  "/api/sessions/:id/messages/:messageId",
  "/api/sessions/:id/permissions",
  "/api/sessions/:id/permissions/:permissionId",
  "/api/sessions/:id/prompt",
  "/api/sessions/:id/rewind",
  "/api/sessions/:id/share",
  "/api/status",
  "/api/token",
  "/api/usage",
  "/healthz",
  "/metrics",
  "/readyz",
  "other",
];

export const httpMethods: readonly string[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "other"];
