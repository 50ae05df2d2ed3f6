import { useNavigate } from "@tanstack/react-router";
import { Play } from "lucide-react";
import { useMemo, useState } from "react";
import { type RunCreate, useCreateRun } from "../api/actions";
import { ApiError, asApiError } from "../api/client";
import type { Preset, Problem, Project, RunDetail } from "../api/types";
import { ConfigText } from "../components/ConfigText";
import { Notice } from "../components/states";
import { Button, Segmented, Switch } from "../components/ui";
import type { NewRunSearch } from "../searches";
import { type Crumb, Page } from "../shell/Page";
import { fieldId } from "./Field";
import { NameAndProject } from "./NameAndProject";
import { PresetChooser } from "./PresetChooser";
import { applyPreset } from "./presets";
import { Section } from "./Section";
import { SidePanel } from "./SidePanel";
import { SCHEDULE, SCHEDULE_DEFAULTS, scheduleOf, scheduleValues } from "./schedule";
import { allFields, type SectionModel } from "./schema";
import { problemsOf, useValidation } from "./useValidation";
import { VerdictWords } from "./VerdictWords";
import { type Config, configOf, type FormValues, placeOf, placeProblems, valuesOf } from "./values";

interface RunFormProps {
  crumbs: Crumb[];
  sections: SectionModel[];
  defaults: Config;
  presets: Preset[];
  start: Config;
  source: RunDetail | null;
  projects: Project[];
  search: NewRunSearch;
}

export function RunForm({
  crumbs,
  sections,
  defaults,
  presets,
  start,
  source,
  projects,
  search,
}: RunFormProps) {
  const navigate = useNavigate({ from: "/runs/new" });
  const fields = useMemo(() => allFields(sections), [sections]);
  const [values, setValues] = useState<FormValues>(() => {
    const preset = presets.find((item) => item.name === search.preset);
    const given = { ...valuesOf(fields, start), ...scheduleValues(source) };
    return preset ? applyPreset(preset, fields, given, defaults) : given;
  });
  const [name, setName] = useState("");
  const [projectId, setProjectId] = useState(search.project ?? source?.project_id ?? "");
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set());
  const [strict, setStrict] = useState(source !== null);
  const create = useCreateRun();

  const config = configOf(fields, values, start);
  const body = {
    config,
    schedule: scheduleOf(values),
    ...(name.trim() ? { name: name.trim() } : {}),
    ...(projectId ? { project_id: projectId } : {}),
  } as RunCreate;
  const verdict = useValidation(body);
  const refusal =
    create.error instanceof ApiError && create.error.status === 422 ? create.error : null;
  const problems = refusal ? problemsOf(refusal) : verdict.errors;
  const paths = useMemo(
    () => ["name", ...[...fields, ...SCHEDULE.fields].map((field) => field.path)],
    [fields],
  );
  const placed = placeProblems(problems, paths);
  const warned = placeProblems(verdict.warnings, paths);
  // What one has not come to yet is not held against one before the start.
  const visible = (path: string) => strict || touched.has(path);
  const isSeen = (problem: Problem) => {
    const path = placeOf(problem, paths);
    return path === null || visible(path);
  };

  const change = (path: string, value: string | boolean) => {
    if (create.error) create.reset();
    // What is wrong with a mechanism as a whole stands at its switch.
    const whole = `${path.slice(0, path.lastIndexOf("."))}.enabled`;
    setTouched((old) => new Set(old).add(path).add(whole));
    if (path === "name") setName(String(value));
    else setValues((old) => ({ ...old, [path]: value }));
  };
  const showFirst = (found: Problem[]) => {
    setStrict(true);
    if (search.view) setSearch({ view: undefined });
    const first = Object.keys(placeProblems(found, paths).byField)[0];
    if (first) focusField(first);
    else document.getElementById("problem-summary")?.scrollIntoView({ block: "center" });
  };
  const submit = () => {
    setStrict(true);
    create.mutate(body, {
      onSuccess: (run) => void navigate({ to: "/runs/$runId", params: { runId: run.id } }),
      onError: (error) => {
        if (!(error instanceof ApiError) || error.status !== 422) return;
        showFirst(problemsOf(error));
      },
    });
  };
  const setSearch = (next: Partial<NewRunSearch>) =>
    void navigate({
      to: ".",
      search: (old) => ({ ...old, ...next }),
      replace: true,
      resetScroll: false,
    });
  const choose = (preset: Preset) => {
    if (create.error) create.reset();
    setValues((old) => applyPreset(preset, fields, old, defaults));
    setSearch({ preset: preset.name });
  };
  const failure = create.error && !refusal ? asApiError(create.error) : null;
  const advanced = search.advanced ?? false;

  return (
    <Page
      crumbs={crumbs}
      actions={
        <>
          <VerdictWords
            state={verdict.state}
            problems={problems.length}
            onOpen={() => showFirst(problems)}
          />
          <Button
            variant="primary"
            data-testid="start-run"
            disabled={create.isPending}
            onClick={submit}
          >
            <Play aria-hidden="true" className="size-3.5" />
            {create.isPending ? "Starting…" : "Start run"}
          </Button>
        </>
      }
    >
      <div className="grid grid-cols-1 items-start gap-6 px-4 py-5 md:px-6 xl:grid-cols-[minmax(0,1fr)_336px]">
        <form
          className="flex max-w-4xl flex-col gap-5"
          onSubmit={(event) => {
            event.preventDefault();
            submit();
          }}
        >
          <div className="flex flex-wrap items-center gap-x-5 gap-y-2">
            <Segmented
              label="Show as"
              value={search.view ?? "form"}
              options={[
                { value: "form", label: "Form" },
                { value: "yaml", label: "YAML" },
                { value: "json", label: "JSON" },
              ]}
              onChange={(view) => setSearch({ view: view === "form" ? undefined : view })}
            />
            {!search.view && (
              <Switch
                checked={advanced}
                onChange={(on) => setSearch({ advanced: on || undefined })}
                testId="advanced"
              >
                Advanced settings
              </Switch>
            )}
            {source && (
              <span className="ml-auto text-muted text-sm">
                Copied from <strong className="font-medium text-ink">{source.name}</strong>
              </span>
            )}
          </div>
          {failure && (
            <Notice tone="bad" title={failure.message}>
              {failure.remedy && <p className="text-muted">{failure.remedy}</p>}
            </Notice>
          )}
          {search.view ? (
            <div className="panel overflow-hidden">
              <ConfigText config={config} format={search.view} />
            </div>
          ) : (
            <>
              <NameAndProject
                name={name}
                projectId={projectId}
                projects={projects}
                problems={visible("name") ? placed.byField.name : undefined}
                onName={(next) => change("name", next)}
                onProject={setProjectId}
              />
              <PresetChooser
                presets={presets}
                chosen={search.preset}
                fields={fields}
                values={values}
                defaults={defaults}
                onChoose={choose}
              />
              {[...sections, SCHEDULE].map((section) => (
                <Section
                  key={section.path}
                  section={section}
                  values={values}
                  defaults={section === SCHEDULE ? SCHEDULE_DEFAULTS : defaults}
                  advanced={advanced}
                  problems={placed.byField}
                  warnings={warned.byField}
                  visible={visible}
                  onChange={change}
                />
              ))}
            </>
          )}
        </form>
        <SidePanel
          config={config}
          values={values}
          problems={problems.filter(isSeen)}
          waiting={problems.filter((problem) => !isSeen(problem)).length}
          warnings={verdict.warnings}
          paths={paths}
          onOpen={(path) => {
            if (search.view) setSearch({ view: undefined });
            setTouched((old) => new Set(old).add(path));
            focusField(path);
          }}
        />
      </div>
    </Page>
  );
}

/** The field may only appear with the next drawing: a problem opens what hides it. */
function focusField(path: string): void {
  setTimeout(() => {
    const element = document.getElementById(fieldId(path));
    element?.scrollIntoView({ block: "center", behavior: "smooth" });
    element?.focus({ preventScroll: true });
  }, 50);
}
