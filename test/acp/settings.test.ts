import { describe, expect, it } from "vitest";
import {
  choosableOptions,
  chosenBy,
  mayChooseMode,
  mayChooseModel,
  saidBy,
  titleIn,
  withOptions,
} from "../../src/acp/settings.ts";

const modes = { currentModeId: "ask", availableModes: [{ id: "ask" }, { id: "code" }] };
const models = { currentModelId: "s", availableModels: [{ modelId: "s" }, { modelId: "l" }] };
const configOptions = [
  { id: "effort", currentValue: "low", options: [{ value: "low" }, { options: [{ value: "high" }] }] },
  { id: "fast", currentValue: false },
];

describe("what an agent spells of settings", () => {
  it("says what is chosen, as far as it does", () => {
    const options = { effort: "low", fast: false };
    expect(saidBy({ modes, models, configOptions })).toEqual({
      modeId: "ask",
      modelId: "s",
      configOptions: options,
    });
    expect(saidBy({ modes: null, models: 1, configOptions: {} })).toEqual({});
    expect(chosenBy({ sessionUpdate: "config_option_update", configOptions })).toEqual({
      configOptions: options,
    });
    expect(chosenBy({ sessionUpdate: "current_mode_update", currentModeId: "code" })).toEqual({
      modeId: "code",
    });
    expect(chosenBy({ sessionUpdate: "current_mode_update", currentModeId: 1 })).toBeUndefined();
    expect(chosenBy({ sessionUpdate: "plan", configOptions })).toBeUndefined();
  });

  it("offers what is not chosen, and nothing is known of what it does not speak of", () => {
    expect(["ask", "code", "none"].map((id) => mayChooseMode({ modes }, id))).toEqual([false, true, false]);
    expect(["s", "l"].map((id) => mayChooseModel({ models }, id))).toEqual([false, true]);
    expect(mayChooseMode({}, "code")).toBeUndefined();
    expect(choosableOptions({})).toBeUndefined();
    const may = choosableOptions({ configOptions });
    expect([may?.("effort", "low"), may?.("effort", "high"), may?.("effort", "none")]).toEqual([
      false,
      true,
      false,
    ]);
    expect([may?.("fast", true), may?.("unknown", true)]).toEqual([true, false]);
  });

  it("stays as it is when an answer describes no options", () => {
    const state = { configOptions };
    for (const answer of [undefined, null, {}, { configOptions: {} }])
      expect(withOptions(state, answer)).toBe(state);
    expect(withOptions(state, { configOptions: [] })).toEqual({ configOptions: [] });
  });

  it("gives, takes away or leaves a title", () => {
    const of = (fields: object) => titleIn({ sessionUpdate: "session_info_update", ...fields });
    expect([of({ title: "a" }), of({ title: null }), of({}), of({ title: 1 })]).toEqual([
      "a",
      null,
      undefined,
      undefined,
    ]);
    expect(titleIn({ sessionUpdate: "plan", title: "a" })).toBeUndefined();
  });
});
