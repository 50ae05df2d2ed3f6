import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, RouterProvider } from "@tanstack/react-router";
import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { setupServer } from "msw/node";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { createAppRouter } from "../router";
import { schema } from "../test/schema";
import { allFields, formModel } from "./schema";
import { configOf, toText } from "./values";

const fields = allFields(formModel(schema));
const texts = Object.fromEntries(
  fields.map((field) => [field.path, toText(field, field.fallback)]),
);
const config = configOf(fields, texts, { version: 1 });
const presets = [
  { name: "sdft", summary: "Plain.", formula: "KL(p_T ‖ p_S)", settings: {} },
  {
    name: "star",
    summary: "Everything.",
    formula: "w · KL(p_T ‖ p_S)",
    settings: {
      teacher: { weights: "ema" },
      objective: { agreement: { enabled: true, views: 3 }, clipping: { enabled: true } },
      generation: { top_k: 20 },
    },
  },
];

const problem = (field: string | null, message: string) => ({
  code: "invalid",
  message,
  remedy: "Mend it.",
  field,
  line: null,
});

const preflight = {
  errors: [],
  warnings: [],
  data: null,
  prompts: null,
  model: { name: "m", special_tokens: {}, vocabulary: null, problem: null },
  example: null,
  making: [],
  steps: null,
  sequences: 32,
  disk: null,
  workers: [],
};

const posted: unknown[] = [];
const list = (items: object[]) => ({ items, total: items.length, limit: 50, offset: 0 });
const server = setupServer(
  http.get("*/api/session", () =>
    HttpResponse.json({ authentication_required: false, authenticated: true }),
  ),
  http.get("*/readyz", () => HttpResponse.json({ status: "ready", checks: {} })),
  http.get("*/api/config/schema", () => HttpResponse.json(schema)),
  http.get("*/api/config/defaults", () => HttpResponse.json({ config })),
  http.get("*/api/presets", () => HttpResponse.json(list(presets))),
  http.get("*/api/projects", () => HttpResponse.json(list([]))),
  http.post("*/api/runs/validate", () =>
    HttpResponse.json({
      valid: false,
      errors: [problem("data.path", "There is no such file.")],
      warnings: [problem("training.seed", "A common seed.")],
    }),
  ),
  http.post("*/api/runs/preflight", () => HttpResponse.json(preflight)),
  http.get("*/api/workers", () => HttpResponse.json(list([]))),
  http.get("*/api/config/models", () => HttpResponse.json(list([]))),
  http.post("*/api/runs", async ({ request }) => {
    posted.push(await request.json());
    const errors = [
      problem("data.path", "There is no such file."),
      problem("recording.top_k", "Too many."),
    ];
    return HttpResponse.json(
      {
        type: "",
        title: "",
        status: 422,
        detail: "No.",
        code: "config_invalid",
        remedy: "",
        errors,
      },
      { status: 422, headers: { "content-type": "application/problem+json" } },
    );
  }),
);

beforeAll(() => server.listen({ onUnhandledRequest: "error" }));
afterEach(() => {
  server.resetHandlers();
  sessionStorage.clear(); // drafts
});
afterAll(() => server.close());

function open(path: string) {
  const router = createAppRouter();
  router.update({ ...router.options, history: createMemoryHistory({ initialEntries: [path] }) });
  render(
    <QueryClientProvider
      client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}
    >
      <RouterProvider router={router} />
    </QueryClientProvider>,
  );
}

it("shows the server's problems at their fields and keeps what was typed", async () => {
  const user = userEvent.setup();
  open("/runs/new");
  const path = await screen.findByTestId("field-data.path", {}, { timeout: 5000 });

  // Nothing is held against one before one came to it; warnings stand apart.
  expect(screen.queryByTestId("error-data.path")).toBeNull();
  expect(await screen.findByTestId("warning-summary")).toBeTruthy();
  expect(screen.queryByTestId("field-recording.top_k")).toBeNull();

  await user.type(path, "/nowhere.jsonl");
  const error = await screen.findByTestId("error-data.path");
  expect(error.textContent).toContain("There is no such file. Mend it.");
  expect(path.getAttribute("aria-invalid")).toBe("true");

  // A refusal opens the advanced field that it names, and loses nothing.
  await user.click(screen.getByTestId("start-run"));
  await waitFor(() => expect(screen.getByTestId("error-recording.top_k")).toBeTruthy());
  expect(screen.getByTestId("field-recording.top_k")).toBeTruthy();
  expect((screen.getByTestId("field-data.path") as HTMLInputElement).value).toBe("/nowhere.jsonl");
  expect(within(screen.getByTestId("problem-summary")).getAllByRole("link")).toHaveLength(2);
  expect(posted).toMatchObject([
    { config: { data: { path: "/nowhere.jsonl" }, training: { seed: 42 } } },
  ]);
});

it("says of a form that is unfinished what the preflight waits for", async () => {
  const refusal = { type: "", title: "", status: 422, detail: "No.", code: "config_invalid" };
  const headers = { "content-type": "application/problem+json" };
  server.use(
    http.post("*/api/runs/preflight", () => HttpResponse.json(refusal, { status: 422, headers })),
  );
  open("/runs/new");
  expect(
    await screen.findAllByText(/Shows here once everything/, {}, { timeout: 5000 }),
  ).toHaveLength(2);
  expect(screen.queryByText(/did not answer/)).toBeNull();
});

const last = () => posted.at(-1) as { config: typeof config };

async function start(user: ReturnType<typeof userEvent.setup>) {
  const before = posted.length;
  await user.click(screen.getByTestId("start-run"));
  await waitFor(() => expect(posted.length).toBe(before + 1));
}

it("puts a preset on the defaults and keeps what was typed elsewhere", async () => {
  const user = userEvent.setup();
  open("/runs/new");
  const path = await screen.findByTestId("field-data.path", {}, { timeout: 5000 });
  const choice = screen.getByTestId("preset") as HTMLSelectElement;
  expect(choice.value).toBe("sdft");
  await user.type(path, "/mine.jsonl");
  await user.selectOptions(screen.getByTestId("field-objective.loss"), "cross_entropy");
  expect(choice.value).toBe("");

  await user.selectOptions(choice, "star");
  expect(screen.getByText("Everything.")).toBeTruthy();
  expect(screen.getByTestId("preset-formula").textContent).toBe("w · KL(pT ‖ pS)");
  await start(user);
  expect(last().config).toMatchObject({
    data: { path: "/mine.jsonl" },
    objective: { loss: "divergence", agreement: { enabled: true, views: 3, gamma: 1 } },
    teacher: { weights: "ema", ema: { decay: 0.9 } },
    generation: { top_k: 20 },
  });

  expect(screen.queryByTestId("preset-changes")).toBeNull();
  await user.click(screen.getByTestId("field-objective.clipping.enabled"));
  expect(screen.getByTestId("preset-changes").textContent).toContain(
    "Changed since: Divergence clipping.",
  );
});

it("shows a mechanism's fields while it is on, and the loss as it is set", async () => {
  const user = userEvent.setup();
  open("/runs/new");
  const contrastive = await screen.findByTestId(
    "field-objective.contrastive.enabled",
    {},
    { timeout: 5000 },
  );
  const formula = () => screen.getByTestId("formula").textContent;
  expect(formula()).toContain("KL(pT ‖ pS)");
  expect(screen.queryByTestId("field-objective.contrastive.margin")).toBeNull();
  await user.click(contrastive);
  const margin = screen.getByTestId("field-objective.contrastive.margin");
  await user.clear(margin);
  await user.type(margin, "0.25");
  expect(formula()).toContain("+ 0.1 · max(0, 0.25 + |s − t| − |s − n|)");

  expect(screen.queryByTestId("field-teacher.ema.decay")).toBeNull();
  await user.selectOptions(screen.getByTestId("field-teacher.weights"), "ema");
  expect(screen.getByTestId("field-teacher.ema.decay")).toBeTruthy();
  await start(user);
  expect(last().config).toMatchObject({
    objective: { contrastive: { enabled: true, margin: 0.25 }, clipping: { enabled: false } },
  });
});

it("tells what is wrong with no single field in the side panel at once", async () => {
  server.use(
    http.post("*/api/runs/validate", () =>
      HttpResponse.json({
        valid: false,
        errors: [problem(null, "configuration: Two mechanisms exclude each other.")],
        warnings: [],
      }),
    ),
  );
  open("/runs/new");
  const summary = await screen.findByTestId("problem-summary", {}, { timeout: 5000 });
  expect(summary.textContent).toContain("Two mechanisms exclude each other. Mend it.");
  expect(summary.textContent).not.toContain("configuration:");
  expect(within(summary).queryByRole("link")).toBeNull();
});
