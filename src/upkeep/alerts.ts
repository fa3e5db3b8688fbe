/** Alerts: whoever is configured is told once when something begins to be wrong, and once when it is over. */
import os from "node:os";
import { newId } from "../base/ids.ts";
import type { Logger } from "../base/log.ts";
import { redactStoreUrl } from "../base/redact.ts";
import { conditionFrom, holdsFor, type Condition } from "../config/condition.ts";
import type { Alert } from "../config/structures.ts";
import type { Courier } from "../notify/courier.ts";
import { addressOf } from "../notify/letter.ts";
import type { AlertState, AlertStates, Owed } from "./alert-state.ts";
import { Measures, type Measured, type MeasuringParts } from "./measures.ts";

export interface AlertParts extends Omit<MeasuringParts, "syncMs" | "env"> {
  readonly env: MeasuringParts["env"] | undefined;
  readonly states: AlertStates;
  readonly courier: Courier;
  readonly log: Logger;
  /** Nothing is looked at that was looked at within so long. */
  readonly everyMs?: number;
}

/** How an alert stands now. */
export interface AlertNow {
  readonly when: string;
  /** Undefined where it cannot be told: then it stays as it was. */
  readonly holds?: boolean;
  readonly sinceMs?: number;
  /** What was told now. */
  readonly told?: "began" | "ended";
  readonly words?: string;
}

interface Known {
  readonly alert: Alert;
  readonly condition: Condition;
  /** The same after a restart. */
  readonly key: string;
}

/** Undefined while another process is at it, or it is not due. Errors: the system's own, where the state cannot be kept. */
export function lookAtAlerts(parts: AlertParts): Promise<readonly AlertNow[] | undefined> {
  const { states, everyMs = 0 } = parts;
  return states.alone(async (state) => {
    const sinceMs = Date.now() - state.lookedAtMs;
    if (sinceMs >= 0 && sinceMs < everyMs) return undefined;
    return look(parts, state);
  });
}

async function look(parts: AlertParts, before: AlertState): Promise<readonly AlertNow[]> {
  const { config, states } = parts;
  const alerts = (config.alerts ?? []).flatMap(known);
  const measures = new Measures(
    { ...parts, env: parts.env ?? process.env, syncMs: before.syncMs },
    alerts.map(({ condition }) => condition),
  );
  const nowMs = Date.now();
  const holding: Record<string, number> = {};
  const owed: Owed[] = [];
  const all: AlertNow[] = [];
  for (const each of alerts) {
    const measured = await measures.of(each.condition);
    const beganMs = before.sinceMs[each.key];
    const holds = measured === undefined ? undefined : holdsFor(each.condition, measured.value);
    const told = changed(holds, beganMs);
    const sinceMs = beganMs ?? nowMs;
    if (told !== undefined) owed.push(owedFor(parts, each, { told, sinceMs, measured }));
    if (holds ?? beganMs !== undefined) holding[each.key] = sinceMs;
    all.push({
      when: each.alert.when,
      ...(holds !== undefined && { holds }),
      ...(holding[each.key] !== undefined && { sinceMs }),
      ...(told !== undefined && { told }),
      ...(measured?.words !== undefined && { words: measured.words }),
    });
  }
  const state = { lookedAtMs: nowMs, sinceMs: holding, syncMs: await measures.syncMs() };
  const toTell = [...before.owed, ...owed];
  // It is on disk that it is to be told, then that it is being told: after a kill it is told again, with its id.
  await states.write({ ...state, owed: toTell });
  await tell(parts, alerts, toTell);
  if (toTell.length > 0) await states.write({ ...state, owed: [] });
  return all;
}

function known(alert: Alert): Known[] {
  const condition = conditionFrom(alert.when);
  return typeof condition === "string"
    ? []
    : [{ alert, condition, key: `${alert.when} ${addressOf(alert)}` }];
}

function changed(holds: boolean | undefined, beganMs: number | undefined): AlertNow["told"] {
  if (holds === true && beganMs === undefined) return "began";
  return holds === false && beganMs !== undefined ? "ended" : undefined;
}

interface Change {
  readonly told: "began" | "ended";
  readonly sinceMs: number;
  readonly measured: Measured | undefined;
}

function owedFor(
  { config, log }: AlertParts,
  { alert, key }: Known,
  { told, sinceMs, measured }: Change,
): Owed {
  const { when } = alert;
  const value = measured !== undefined && Number.isFinite(measured.value) ? measured.value : undefined;
  const facts = { when, ...(value !== undefined && { measured: value }) };
  if (told === "began") log.warn(facts, "an alert has begun");
  else log.warn(facts, "an alert is over");
  const news = {
    event: `alert.${told}`,
    ...facts,
    ...(measured?.words !== undefined && { words: measured.words }),
    since: new Date(sinceMs).toISOString(),
    store: redactStoreUrl(config.store),
    host: os.hostname(),
  };
  return { id: newId(), key, news };
}

async function tell({ courier }: AlertParts, alerts: readonly Known[], owed: readonly Owed[]): Promise<void> {
  for (const { id, key, news } of owed) {
    const to = alerts.find((each) => each.key === key);
    // Nobody is configured for it any more.
    if (to !== undefined) courier.send(to.alert, news, id);
  }
  await courier.stored();
}
