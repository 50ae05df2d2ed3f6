import { describe, expect, it } from "vitest";
import type { Problem } from "../api/types";
import type { FieldModel } from "./schema";
import { configOf, fromText, placeProblems, valuesOf } from "./values";

const make = (path: string, more: Partial<FieldModel>): FieldModel => ({
  path,
  title: path,
  description: "",
  unit: "",
  advanced: false,
  kind: "text",
  nullable: false,
  fallback: "",
  required: false,
  options: [],
  bounds: "",
  ...more,
});

const FIELDS = [
  make("training.max_steps", { kind: "integer", nullable: true }),
  make("training.learning_rate", { kind: "number" }),
  make("model.lora.target_modules", { kind: "list" }),
  make("data.shuffle", { kind: "boolean" }),
];

describe("values and configuration", () => {
  const config = {
    version: 1,
    training: { max_steps: null, learning_rate: 2e-5 },
    model: { lora: { target_modules: ["q", "v"] } },
    data: { shuffle: true },
  };

  it("survive the way through the form", () => {
    expect(configOf(FIELDS, valuesOf(FIELDS, config), config)).toEqual(config);
  });

  it("show small numbers as one would type them", () => {
    expect(valuesOf(FIELDS, config)["training.learning_rate"]).toBe("2e-5");
  });

  it("do not touch the configuration that they started from", () => {
    const before = structuredClone(config);
    configOf(FIELDS, { ...valuesOf(FIELDS, config), "training.max_steps": "7" }, config);
    expect(config).toEqual(before);
  });

  it("leave what cannot be read to the server", () => {
    const [steps, rate] = FIELDS as [FieldModel, FieldModel];
    expect(fromText(steps, "")).toBeNull();
    expect(fromText(steps, " 12 ")).toBe(12);
    expect(fromText(rate, "fast")).toBe("fast");
    expect(fromText(rate, "")).toBe("");
  });
});

describe("placeProblems", () => {
  const problem = (field: string | null): Problem => ({
    code: "c",
    message: `at ${field}`,
    remedy: "",
    field,
    line: null,
  });
  const paths = ["name", ...FIELDS.map((field) => field.path)];
  const at = (field: string | null) => Object.keys(placeProblems([problem(field)], paths).byField);

  it("puts a problem at its field", () => {
    expect(at("training.learning_rate")).toEqual(["training.learning_rate"]);
    expect(at("name")).toEqual(["name"]);
  });

  it("knows the field behind prefixes and list positions", () => {
    expect(at("config.training.learning_rate")).toEqual(["training.learning_rate"]);
    expect(at("body.config.model.lora.target_modules.0")).toEqual(["model.lora.target_modules"]);
    expect(at("model.lora")).toEqual(["model.lora.target_modules"]);
  });

  it("keeps what belongs to no field", () => {
    expect(placeProblems([problem(null), problem("storage")], paths).elsewhere).toHaveLength(2);
  });

  it("keeps several problems of one field", () => {
    const placed = placeProblems([problem("name"), problem("name")], paths);
    expect(placed.byField.name).toHaveLength(2);
  });
});
