/** Writes plain data (objects, arrays, strings, numbers, booleans, null) as YAML 1.2. */

const PLAIN = /^[A-Za-z_./][A-Za-z0-9_./@+-]*$/;
const RESERVED = /^(true|false|null|yes|no|on|off|y|n|~|\.inf|\.nan|\.)$/i;

function scalar(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (typeof value === "number") {
    // PyYAML reads 2e-5 as a string: a mantissa needs its point.
    const text = String(value);
    return text.includes("e") && !text.includes(".") ? text.replace("e", ".0e") : text;
  }
  if (typeof value === "boolean") return String(value);
  const text = String(value);
  return PLAIN.test(text) && !RESERVED.test(text) ? text : JSON.stringify(text);
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isBlock(text: string): boolean {
  return text.includes("\n") && !/^\s|[^\S\n]\n|\t|\r|\n\n$|^\n/.test(text);
}

function entry(key: string, value: unknown, indent: string): string {
  const inner = `${indent}  `;
  if (isMap(value)) {
    if (Object.keys(value).length === 0) return `${indent}${key}: {}\n`;
    return `${indent}${key}:\n${toYaml(value, inner)}`;
  }
  if (Array.isArray(value)) {
    if (value.every((item) => typeof item !== "object" || item === null)) {
      return `${indent}${key}: [${value.map(scalar).join(", ")}]\n`;
    }
    return `${indent}${key}: ${JSON.stringify(value)}\n`;
  }
  if (typeof value === "string" && isBlock(value)) {
    const body = value.replace(/\n$/, "").split("\n");
    const chomp = value.endsWith("\n") ? "" : "-";
    return `${indent}${key}: |${chomp}\n${body.map((l) => (l ? inner + l : "")).join("\n")}\n`;
  }
  return `${indent}${key}: ${scalar(value)}\n`;
}

export function toYaml(value: Record<string, unknown>, indent = ""): string {
  return Object.entries(value)
    .map(([key, item]) => entry(key, item, indent))
    .join("");
}
