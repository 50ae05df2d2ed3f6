import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { FilePen, FileUp } from "lucide-react";
import { useRef, useState } from "react";
import { datasetsQuery } from "../api/datasetQueries";
import { projectsQuery } from "../api/queries";
import { refusal } from "../api/steering";
import { Notice } from "../components/states";
import { Button, buttonClass } from "../components/ui";
import { plural } from "../lib/format";
import { useDebounced, useTitle } from "../lib/hooks";
import { Page } from "../shell/Page";
import { planCheckQuery, useCreateStudy } from "./api";
import { examplePlan } from "./example";
import { PlanEditor } from "./PlanEditor";
import { PlanVerdict } from "./PlanVerdict";

const CRUMBS = [{ label: "Studies", link: { to: "/studies" } as const }, { label: "From a plan" }];

/** A plan over the newest data set, or over a benchmark where there is none. */
function useExample(): string | undefined {
  const datasets = useQuery(datasetsQuery);
  const projects = useQuery(projectsQuery);
  if (!datasets.data || !projects.data) return undefined;
  const newest = datasets.data.items.toSorted((a, b) =>
    b.created_at.localeCompare(a.created_at),
  )[0];
  const project = projects.data.items.find((one) => one.id === newest?.project_id);
  return examplePlan(newest && `${newest.name}@${newest.latest}`, project?.name);
}

/** A study from a plan that was written as YAML or JSON, checked line by line. */
export function NewStudyPage() {
  useTitle("New study");
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const [over, setOver] = useState(false);
  const [unread, setUnread] = useState("");
  const file = useRef<HTMLInputElement>(null);
  const settled = useDebounced(text, 400);
  const example = useExample();
  const check = useQuery(planCheckQuery(settled));
  const creating = useCreateStudy();
  const verdict = settled.trim() && check.data ? check.data : undefined;
  const fresh = settled === text && !check.isPlaceholderData && !check.isFetching;
  const ready = fresh && verdict?.plan && verdict.errors.length === 0;

  const read = async (chosen: File | undefined) => {
    if (!chosen) return;
    setUnread("");
    try {
      setText(await chosen.text());
    } catch {
      setUnread(`${chosen.name} cannot be read. Choose it again.`);
    }
  };
  const start = () => {
    if (!verdict?.plan) return;
    creating.mutate(verdict.plan, {
      onSuccess: (study) =>
        void navigate({ to: "/studies/$studyId", params: { studyId: study.id } }),
    });
  };
  const problem = unread || refusal(creating.error) || refusal(check.error);
  return (
    <Page crumbs={CRUMBS}>
      <div className="grid gap-4 p-4 md:p-6 xl:grid-cols-[minmax(0,1fr)_24rem]">
        <section
          aria-label="Plan"
          onDragOver={(event) => {
            event.preventDefault();
            setOver(true);
          }}
          onDragLeave={() => setOver(false)}
          onDrop={(event) => {
            event.preventDefault();
            setOver(false);
            void read(event.dataTransfer.files[0]);
          }}
          className={`panel flex min-w-0 flex-col gap-3 p-4 ${over ? "outline-2 outline-accent" : ""}`}
        >
          <div className="flex flex-wrap items-center gap-3">
            <Button onClick={() => file.current?.click()}>
              <FileUp aria-hidden="true" className="size-4" />
              Choose a file
            </Button>
            <span className="text-muted">or drop or type a plan here: YAML or JSON</span>
            {text === "" && example && (
              <Button variant="ghost" className="ml-auto" onClick={() => setText(example)}>
                <FilePen aria-hidden="true" className="size-4" />
                Begin with an example
              </Button>
            )}
            <input
              ref={file}
              type="file"
              aria-label="Plan file"
              accept=".yaml,.yml,.json"
              onChange={(event) => {
                void read(event.target.files?.[0]);
                event.target.value = ""; // the same file may be mended and chosen again
              }}
              className="sr-only"
            />
          </div>
          <PlanEditor text={text} onChange={setText} problems={verdict?.errors ?? []} />
          <p className="text-muted text-sm">
            What varies stands under <code className="font-mono">factors</code>, what stays under{" "}
            <code className="font-mono">base</code>. To choose the grid in a form instead,{" "}
            <Link to="/runs/new" className="underline underline-offset-2 hover:text-ink">
              begin with a run
            </Link>
            .
          </p>
        </section>
        <aside aria-label="Verdict" className="flex min-w-0 flex-col gap-4">
          {problem && <Notice tone="bad" title={problem} />}
          <PlanVerdict verdict={verdict} checking={Boolean(text.trim()) && !fresh} />
          <div className="flex justify-end gap-2">
            <Link to="/studies" className={buttonClass()}>
              Back
            </Link>
            <Button variant="primary" disabled={!ready || creating.isPending} onClick={start}>
              {creating.isPending
                ? "Checking and queueing…"
                : ready
                  ? `Queue ${plural(verdict.runs, "run")}`
                  : "Queue the runs"}
            </Button>
          </div>
        </aside>
      </div>
    </Page>
  );
}
