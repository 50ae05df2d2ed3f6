import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, RouterProvider } from "@tanstack/react-router";
import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { setupServer } from "msw/node";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { createAppRouter } from "../router";
import schema from "../test/schema.json";
import { formModel } from "./schema";

const config = {
  version: 1,
  ...Object.fromEntries(
    formModel(schema).map((section) => [
      section.path,
      Object.fromEntries(
        [section, ...section.groups].flatMap((group) => {
          const values = Object.fromEntries(
            group.fields.map((field) => [field.path.split(".").at(-1), field.fallback ?? null]),
          );
          return group === section
            ? Object.entries(values)
            : [[group.path.split(".").at(-1), values]];
        }),
      ),
    ]),
  ),
};

const problem = (field: string, message: string) => ({
  code: "invalid",
  message,
  remedy: "Mend it.",
  field,
  line: null,
});

const posted: unknown[] = [];
const list = (items: object[]) => ({ items, total: items.length, limit: 50, offset: 0 });
const server = setupServer(
  http.get("*/api/session", () =>
    HttpResponse.json({ authentication_required: false, authenticated: true }),
  ),
  http.get("*/readyz", () => HttpResponse.json({ status: "ready", checks: {} })),
  http.get("*/api/config/schema", () => HttpResponse.json(schema)),
  http.get("*/api/config/defaults", () => HttpResponse.json({ config })),
  http.get("*/api/projects", () => HttpResponse.json(list([]))),
  http.post("*/api/runs/validate", () =>
    HttpResponse.json({
      valid: false,
      errors: [problem("data.path", "There is no such file.")],
      warnings: [problem("training.seed", "A common seed.")],
    }),
  ),
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
afterEach(() => server.resetHandlers());
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
