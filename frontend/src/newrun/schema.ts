/** From the JSON schema of a configuration to what a form shows. */

export type FieldKind = "integer" | "number" | "boolean" | "choice" | "text" | "longtext" | "list";

export interface FieldModel {
  path: string;
  title: string;
  description: string;
  unit: string;
  advanced: boolean;
  kind: FieldKind;
  nullable: boolean;
  /** Absent where the schema has none: the field must be filled in. */
  fallback: unknown;
  required: boolean;
  options: string[];
  bounds: string;
}

export interface GroupModel {
  path: string;
  title: string;
  description: string;
  /** The switch of a part that is off unless it is asked for. */
  toggle: FieldModel | null;
  fields: FieldModel[];
}

export interface SectionModel extends GroupModel {
  groups: GroupModel[];
}

interface Node {
  $ref?: string;
  $defs?: Record<string, Node>;
  type?: string;
  title?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Node[];
  properties?: Record<string, Node>;
  required?: string[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minItems?: number;
  maxLength?: number;
  unit?: string;
  advanced?: boolean;
}

const LONG_TEXT = 5000;

/** Words whose casing a machine-made title gets wrong. */
const TITLES: Record<string, string> = {
  "model.name": "Model",
  "model.lora": "LoRA adapter",
  "model.dtype": "Number format",
  "model.lora.alpha": "LoRA alpha",
  "data.path": "Data file",
  "data.fields": "Field names",
  "generation.top_p": "Top-p",
  "generation.top_k": "Top-k",
  "recording.top_k": "Alternatives per token",
  "objective.alpha": "Alpha (α)",
  "teacher.weights": "Teacher weights",
  "objective.loss": "Loss",
  "objective.normalize_by": "Divide weights by",
  "objective.on_policy_share": "Share of the student's own",
  "objective.clipping": "Divergence clipping",
  "objective.clipping.ceiling": "Ceiling (c)",
  "objective.agreement": "Multi-teacher agreement",
  "objective.agreement.views": "Auxiliary teachers (K)",
  "objective.agreement.gamma": "Strength (γ)",
  "objective.contrastive": "Contrastive learning",
  "objective.contrastive.weight": "Weight (λ)",
  "objective.feature_matching.weight": "Weight (λ)",
  "teacher.ema": "Moving average",
  "teacher.ema.decay": "Decay (β)",
  "training.max_grad_norm": "Gradient clipping norm",
  "data.dataset": "Data set",
  "evaluation.examples": "Held-out records",
  "evaluation.few_shot": "Worked examples before each question",
  "evaluation.retention": "Retention",
  "evaluation.grader": "Grader of your own",
  "evaluation.minimum_isolation": "Least isolation of code",
  "schedule.labels": "Labels of the worker",
  "schedule.gpu_memory_bytes": "GPU memory",
  "schedule.max_attempts": "Attempts",
  "schedule.time_limit_seconds": "Time limit",
  "evaluation.limit": "Questions of each benchmark",
};

const SWITCH = ".enabled";

export function fieldTitle(path: string): string {
  const known = TITLES[path];
  if (known) return known;
  if (path.endsWith(SWITCH)) return fieldTitle(path.slice(0, -SWITCH.length));
  const words = (path.split(".").at(-1) ?? path).replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A title that can stand alone: with that of the group around the field. */
export function fullTitle(path: string): string {
  const parts = path.split(".");
  if (parts.length < 3 || path.endsWith(SWITCH)) return fieldTitle(path);
  return `${fieldTitle(parts.slice(0, -1).join("."))}: ${fieldTitle(path)}`;
}

export function formModel(schema: unknown): SectionModel[] {
  const root = schema as Node;
  return Object.entries(root.properties ?? {})
    .filter(([, node]) => isGroup(resolve(root, node)))
    .map(([name, node]) => {
      const groups: GroupModel[] = [];
      const top = group(root, name, node, groups);
      return { ...top, groups };
    });
}

export function allFields(sections: readonly SectionModel[]): FieldModel[] {
  return sections.flatMap((section) => [
    ...section.fields,
    ...section.groups.flatMap((inner) => [
      ...(inner.toggle ? [inner.toggle] : []),
      ...inner.fields,
    ]),
  ]);
}

const definition = (root: Node, node: Node): Node =>
  (node.$ref && root.$defs?.[node.$ref.replace("#/$defs/", "")]) || {};

function resolve(root: Node, node: Node): Node {
  if (!node.$ref) return node;
  const target = definition(root, node);
  // What stands beside a reference says more about this place than the definition does.
  const { $ref: _, ...here } = node;
  return { ...target, ...here };
}

const isGroup = (node: Node): boolean => node.properties !== undefined;

function group(root: Node, path: string, raw: Node, inner: GroupModel[]): GroupModel {
  const node = resolve(root, raw);
  const fields: FieldModel[] = [];
  let toggle: FieldModel | null = null;
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    const childPath = `${path}.${name}`;
    if (isGroup(resolve(root, child))) inner.push(group(root, childPath, child, inner));
    else {
      const model = field(root, childPath, child, node.required?.includes(name) ?? false);
      if (childPath.endsWith(SWITCH) && model.kind === "boolean") toggle = model;
      else fields.push(model);
    }
  }
  // At its place a mechanism is only named; its definition says what it does.
  const told = (toggle && definition(root, raw).description) || node.description;
  return { path, title: fieldTitle(path), description: told ?? "", toggle, fields };
}

function field(root: Node, path: string, raw: Node, required: boolean): FieldModel {
  const outer = resolve(root, raw);
  const branches = (outer.anyOf ?? [outer]).map((node) => resolve(root, node));
  const node = branches.find((branch) => branch.type !== "null") ?? outer;
  return {
    path,
    title: fieldTitle(path),
    description: outer.description ?? "",
    unit: outer.unit && outer.unit !== "-" ? outer.unit : "",
    advanced: outer.advanced ?? false,
    kind: kindOf(node),
    nullable: branches.some((branch) => branch.type === "null"),
    fallback: outer.default,
    required,
    options: (node.enum ?? []).map(String),
    bounds: boundsOf(node),
  };
}

function kindOf(node: Node): FieldKind {
  if (node.enum) return "choice";
  if (node.type === "array") return "list";
  if (node.type === "boolean") return "boolean";
  if (node.type === "integer") return "integer";
  if (node.type === "number") return "number";
  return (node.maxLength ?? 0) >= LONG_TEXT ? "longtext" : "text";
}

const plain = new Intl.NumberFormat("en-US", { maximumFractionDigits: 6 });

function boundsOf(node: Node): string {
  const low = node.minimum ?? node.exclusiveMinimum;
  const high = node.maximum ?? node.exclusiveMaximum;
  const open = node.exclusiveMinimum !== undefined;
  const lowText = low === undefined ? "" : `${open ? "above " : ""}${plain.format(low)}`;
  // Limits that only keep nonsense out are not worth a line.
  const tells = high !== undefined && high < 1e6;
  if (!tells) return lowText ? `${open ? "" : "from "}${lowText}` : "";
  const shut = node.exclusiveMaximum === undefined;
  const highText = `${shut ? "" : "below "}${plain.format(high)}`;
  if (!lowText) return `up to ${highText}`;
  return open || !shut
    ? `${lowText}, ${shut ? "at most " : ""}${highText}`
    : `${lowText}–${highText}`;
}
