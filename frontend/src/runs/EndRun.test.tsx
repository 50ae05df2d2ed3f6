import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { setupServer } from "msw/node";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { runQuery } from "../api/queries";
import { useEndDialog } from "./EndRun";

const run = {
  id: "ab12",
  name: "star",
  status: "starting",
  version: 2,
  attempt: 1,
  stop_mode: null,
  contact: null,
};
let shown = run;
const wishes: { body: unknown; actor: string | null }[] = [];
const changed = {
  type: "",
  title: "",
  status: 409,
  code: "conflict",
  detail: "The run was changed meanwhile: it is running now.",
  remedy: "Look at it again, then decide.",
  errors: [],
};
const server = setupServer(
  http.get("*/api/runs/ab12", () => HttpResponse.json(shown)),
  http.post("*/api/runs/ab12/:action", async ({ request, params }) => {
    const body = (await request.json()) as { version: number };
    wishes.push({
      body: { ...body, to: params.action },
      actor: request.headers.get("UniSD-Actor"),
    });
    if (body.version === shown.version) return HttpResponse.json(shown);
    return HttpResponse.json(changed, {
      status: 409,
      headers: { "content-type": "application/problem+json" },
    });
  }),
);
beforeAll(() => server.listen({ onUnhandledRequest: "error" }));
beforeEach(() => {
  shown = run;
  wishes.length = 0;
});
afterAll(() => server.close());

function Page() {
  const { data } = useQuery({ ...runQuery("ab12"), refetchInterval: false });
  const end = useEndDialog(data ?? (run as never));
  return (
    <>
      <button type="button" onClick={end.open}>
        Stop
      </button>
      {data && <span>version {data.version}</span>}
      {end.dialog}
    </>
  );
}

async function open() {
  render(
    <QueryClientProvider client={new QueryClient()}>
      <Page />
    </QueryClientProvider>,
  );
  await screen.findByText(`version ${shown.version}`);
  await userEvent.click(screen.getByText("Stop"));
}

it("means the run that was seen, and asks again where it has changed", async () => {
  await open();
  shown = { ...run, status: "running", version: 3 };
  await userEvent.click(screen.getByLabelText(/^Discard/));
  await userEvent.click(screen.getByText("Stop and discard"));
  expect((await screen.findByRole("alert")).textContent).toContain("changed meanwhile");
  await screen.findByText("version 3");

  await userEvent.click(screen.getByText("Stop and discard"));
  await expect.poll(() => screen.queryByRole("dialog")).toBeNull();
  expect(wishes).toEqual([
    { body: { mode: "discard", version: 2, to: "stop" }, actor: "page" },
    { body: { mode: "discard", version: 3, to: "stop" }, actor: "page" },
  ]);
});

it.each([
  { attempt: 0, button: "Cancel the run", to: "cancel" },
  { attempt: 1, button: "Stop the run", to: "stop" },
])("takes a queued run after $attempt attempts out: $to", async ({ attempt, button, to }) => {
  shown = { ...run, status: "queued", attempt };
  await open();
  expect(screen.queryByRole("radio")).toBeNull();
  await userEvent.click(screen.getByText(button));
  await expect.poll(() => screen.queryByRole("dialog")).toBeNull();
  expect(wishes).toMatchObject([{ body: { version: 2, to } }]);
});
