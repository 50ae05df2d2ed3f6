import { expect, it } from "vitest";
import { schema } from "../test/schema";
import { factorNames, type Grid, isGrid, placedInForm, planOf, runsOf, valuesIn } from "./grid";
import { allFields, formModel } from "./schema";

const fields = allFields(formModel(schema));
const config = {
  data: { benchmark: "cos_e" },
  training: { seed: 7, learning_rate: 1e-4 },
  evaluation: { benchmarks: ["cos_e"], examples: 10 },
};
const plan = (grid: Grid) =>
  planOf({ name: "", project: "P", config, schedule: { priority: 3 }, grid, fields });

it("makes a factor of every field with several values", () => {
  const grid = {
    "training.learning_rate": "1e-5, 1e-4",
    "objective.contrastive.enabled": "off, on",
    "teacher.weights": "base, ema",
  };
  expect(runsOf(grid)).toBe(8);
  expect(plan(grid)).toMatchObject({
    name: "contrastive learning × teacher weights × learning rate · cos_e",
    project: "P",
    base: config,
    seeds: [7],
    schedule: { priority: 3 },
    metrics: ["eval/*/accuracy", "eval/reference/nll", "train/loss"],
    factors: {
      learning_rate: {
        "1e-5": { training: { learning_rate: 1e-5 } },
        "1e-4": { training: { learning_rate: 1e-4 } },
      },
      contrastive: {
        off: { objective: { contrastive: { enabled: false } } },
        on: { objective: { contrastive: { enabled: true } } },
      },
      weights: {
        base: { teacher: { weights: "base" } },
        ema: { teacher: { weights: "ema" } },
      },
    },
  });
});

it("takes seeds for seeds", () => {
  expect(plan({ "training.seed": "1, 2, 3" })).toMatchObject({ factors: {}, seeds: [1, 2, 3] });
  expect(runsOf({ "training.seed": "1, 2, 3", "model.lora.rank": "8,16" })).toBe(6);
});

it("reads values once each, and one value is no grid", () => {
  expect(valuesIn(" 1e-5 , 1e-5,, 2 ")).toEqual(["1e-5", "2"]);
  expect(isGrid({ "model.lora.rank": "8" })).toBe(false);
  expect(isGrid({ "model.lora.rank": "8, 16" })).toBe(true);
  expect(runsOf({})).toBe(1);
});

it("names fields that end alike by more of their path", () => {
  expect(
    factorNames([
      "objective.contrastive.weight",
      "objective.feature_matching.weight",
      "training.batch_size",
      "generation.batch_size",
    ]),
  ).toEqual({
    "objective.contrastive.weight": "contrastive.weight",
    "objective.feature_matching.weight": "feature_matching.weight",
    "training.batch_size": "training.batch_size",
    "generation.batch_size": "generation.batch_size",
  });
});

it("names levels as plans allow, paths by their end, and keeps empty", () => {
  const found = plan({
    "data.path": "/a/b/x.jsonl, /c/x.jsonl",
    "training.max_steps": "10, empty",
  }).factors;
  expect(Object.keys(found?.path ?? {})).toEqual(["x.jsonl", "c-x.jsonl"]);
  expect(found?.max_steps).toMatchObject({ empty: { training: { max_steps: null } } });
});

it("puts a plan's problems at the form's fields", () => {
  const made = plan({ "training.learning_rate": "0.5, 2" });
  const at = (field: string) =>
    placedInForm({ code: "x", message: "", remedy: "", field, line: null }, made).field;
  expect(at("base.data.path")).toBe("data.path");
  expect(at("factors.learning_rate.0.5.training.learning_rate")).toBe("training.learning_rate");
  expect(at("factors.learning_rate.0.5.objective.loss")).toBe("objective.loss");
  expect(at("body.factors.learning_rate.2")).toBe("training.learning_rate");
  expect(at("body.seeds.0")).toBe("training.seed");
  expect(at("name")).toBe("name");
});
