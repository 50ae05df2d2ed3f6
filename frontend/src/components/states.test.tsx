import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { cleanup, render, screen } from "@testing-library/react";
import { HttpResponse, http } from "msw";
import { setupServer } from "msw/node";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runQuery } from "../api/queries";
import { Failure } from "./states";

const server = setupServer();
beforeAll(() => server.listen({ onUnhandledRequest: "error" }));
afterAll(() => server.close());

function Page() {
  const { error } = useQuery({ ...runQuery("ab12"), retry: false });
  return error ? <Failure error={error} /> : null;
}

async function shown(answer: () => Response): Promise<string> {
  cleanup();
  server.use(http.get("*/api/runs/ab12", answer));
  render(
    <QueryClientProvider client={new QueryClient()}>
      <Page />
    </QueryClientProvider>,
  );
  return (await screen.findByRole("alert")).textContent ?? "";
}

const problem = {
  type: "urn:unisd:problem:any",
  title: "Any",
  status: 422,
  code: "any",
  detail: "2 mistakes in the input.",
  remedy: "Mend each of the listed mistakes.",
  errors: [
    { code: "a", message: "One is wrong.", remedy: "Do `that`.", field: "x.y", line: null },
    { code: "b", message: "Two is wrong.", remedy: "", field: null, line: 7 },
  ],
};

it("shows a problem with its remedy and each mistake at its place", async () => {
  const text = await shown(() => HttpResponse.json(problem, { status: 422 }));
  expect(text).toContain("2 mistakes in the input.Mend each of the listed mistakes.");
  expect(text).toContain("x.y: One is wrong. Do that.");
  expect(text).toContain("Line 7: Two is wrong.");
  expect(screen.getAllByRole("listitem")).toHaveLength(2);
});

it("does not say a single mistake twice", async () => {
  const one = { ...problem, detail: "One is wrong.", errors: problem.errors.slice(0, 1) };
  expect(await shown(() => HttpResponse.json(one, { status: 422 }))).toContain("One is wrong.");
  expect(screen.queryAllByRole("listitem")).toHaveLength(0);
});

it.each([
  [400, "did not understand"],
  [401, "not signed in"],
  [403, "does not take this from here"],
  [404, "no such thing"],
  [409, "Somebody else changed this"],
  [413, "larger than"],
  [418, "status 418"],
  [422, "cannot use what was sent"],
  [429, "asked too often"],
  [500, "status 500"],
  [502, "does not answer"],
  [503, "does not answer"],
  [504, "does not answer"],
])("has a sentence and a remedy for a bare %i", async (status, words) => {
  for (const body of [null, "<html><h1>nginx</h1></html>"]) {
    const text = await shown(() => new HttpResponse(body, { status }));
    expect(text).toContain(words);
    expect(text).not.toContain("nginx");
    const [message, remedy] = screen.getAllByText(/\.$/);
    expect(message?.textContent).toMatch(/^[A-Z].*\.$/);
    expect(remedy?.textContent).toMatch(/^[A-Z].*\.$/);
  }
});

it("says when nobody answers, and when somebody else does", async () => {
  expect(await shown(() => HttpResponse.error())).toContain("The server cannot be reached.");
  const page = () => new HttpResponse("<html>", { headers: { "content-type": "text/html" } });
  expect(await shown(page)).toContain("Something else than the studio answered.");
});

it("says when the page itself is at fault", () => {
  render(<Failure error={new TypeError("x is undefined")} />);
  expect(screen.getByRole("alert").textContent).toContain("The page made a mistake");
  cleanup();
  render(<Failure error={new TypeError("Failed to fetch dynamically imported module: /a.js")} />);
  expect(screen.getByRole("alert").textContent).toContain("Load the page again");
});
