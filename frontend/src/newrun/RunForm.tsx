import { useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { Problem } from "../api/types";
import { Notice } from "../components/states";
import { type KeyGroup, useKeyHelp } from "../lib/keys";
import type { NewRunSearch } from "../searches";
import { type Crumb, Page } from "../shell/Page";
import { fieldId } from "./Field";
import { FormHead, TextWaits } from "./FormHead";
import { runsOf, valuesIn } from "./grid";
import { Launch } from "./Launch";
import { NameAndProject } from "./NameAndProject";
import { PresetChooser } from "./PresetChooser";
import { PreflightPanel } from "./preflight/PreflightPanel";
import { Section } from "./Section";
import { SidePanel } from "./SidePanel";
import { SCHEDULE, SCHEDULE_DEFAULTS } from "./schedule";
import { TextPane } from "./TextPane";
import { useLaunch } from "./useLaunch";
import { type FormInput, useRunForm } from "./useRunForm";
import { refused, usePreflight, useValidation } from "./useValidation";
import { placeOf, placeProblems } from "./values";

const KEYS: KeyGroup = {
  title: "New run",
  keys: [[["Ctrl", "Enter"], "Start what stands in the form"]],
};

export function RunForm({ crumbs, ...input }: FormInput & { crumbs: Crumb[] }) {
  const { defaults, presets, projects, search, sections, source } = input;
  const navigate = useNavigate({ from: "/runs/new" });
  useKeyHelp(KEYS);
  const form = useRunForm(input);
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set());
  const [strict, setStrict] = useState(source !== null);
  const launch = useLaunch(form);
  const verdict = useValidation(form.wanted);
  const preflight = usePreflight(form.run, (search.record ?? 1) - 1);

  const problems = launch.refusal ? refused(launch.refusal, form.wanted) : verdict.errors;
  const paths = useMemo(() => ["name", ...form.every.map((field) => field.path)], [form.every]);
  const placed = placeProblems(problems, paths);
  const warned = placeProblems(verdict.warnings, paths);
  // What one has not come to yet is not held against one before the start.
  const visible = (path: string) => strict || touched.has(path);
  const isSeen = (problem: Problem) => {
    const path = placeOf(problem, paths);
    return path === null || visible(path);
  };
  const touch = (path: string) => {
    launch.forgive();
    // What is wrong with a mechanism as a whole stands at its switch.
    const whole = `${path.slice(0, path.lastIndexOf("."))}.enabled`;
    setTouched((old) => new Set(old).add(path).add(whole));
  };
  const change = (path: string, value: string | boolean) => {
    touch(path);
    if (path === "name") form.setName(String(value));
    else form.set(path, value);
  };
  const setSearch = (next: Partial<NewRunSearch>) =>
    void navigate({
      to: ".",
      search: (old) => ({ ...old, ...next }),
      replace: true,
      resetScroll: false,
    });
  const openField = (path: string) => {
    if (search.view) setSearch({ view: undefined });
    setTouched((old) => new Set(old).add(path));
    focusField(path);
  };
  const showFirst = (found: Problem[]) => {
    setStrict(true);
    const first = Object.keys(placeProblems(found, paths).byField)[0];
    if (first) openField(first);
    else document.getElementById("problem-summary")?.scrollIntoView({ block: "center" });
  };
  const submit = () => {
    if (launch.pending || form.text !== null) return;
    setStrict(true);
    launch.start((error) => showFirst(refused(error, form.wanted)));
  };
  const advanced = search.advanced ?? false;

  return (
    <Page
      crumbs={crumbs}
      actions={
        <Launch
          state={verdict.state}
          problems={problems.length}
          pending={launch.pending}
          runs={form.plan ? runsOf(form.grid) : 1}
          unread={form.text !== null}
          onOpen={() => showFirst(problems)}
          onStart={submit}
        />
      }
    >
      <div className="grid grid-cols-1 items-start gap-6 px-4 py-5 md:px-6 xl:grid-cols-[minmax(0,1fr)_336px]">
        <form
          aria-label="Configuration"
          className="flex min-w-0 max-w-4xl flex-col gap-5"
          onSubmit={(event) => {
            event.preventDefault();
            submit();
          }}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
            event.preventDefault();
            submit();
          }}
        >
          <FormHead form={form} search={search} source={source} onSearch={setSearch} />
          {launch.failure && (
            <Notice tone="bad" title={launch.failure.message}>
              {launch.failure.remedy && <p className="text-muted">{launch.failure.remedy}</p>}
            </Notice>
          )}
          {search.view ? (
            <TextPane key={search.view} form={form} format={search.view} />
          ) : (
            <>
              {form.text !== null && <TextWaits form={form} onSearch={setSearch} />}
              <NameAndProject
                name={form.name}
                projectId={form.projectId}
                projects={projects}
                problems={visible("name") ? placed.byField.name : undefined}
                seeds={Math.max(1, valuesIn(form.grid["training.seed"] ?? "").length)}
                onName={(next) => change("name", next)}
                onProject={form.setProjectId}
                onSeeds={form.setSeeds}
              />
              <PresetChooser
                presets={presets}
                chosen={form.preset ?? undefined}
                fields={form.fields}
                values={form.values}
                defaults={defaults}
                onChoose={(preset) => {
                  launch.forgive();
                  form.choose(preset);
                  setSearch({ preset: preset.name });
                }}
              />
              {[...sections, SCHEDULE].map((section) => (
                <Section
                  key={section.path}
                  section={section}
                  values={form.values}
                  grid={form.grid}
                  defaults={section === SCHEDULE ? SCHEDULE_DEFAULTS : defaults}
                  advanced={advanced}
                  problems={placed.byField}
                  warnings={warned.byField}
                  visible={visible}
                  onChange={change}
                  onVary={(field, tried) => {
                    touch(field.path);
                    form.vary(field, tried);
                  }}
                />
              ))}
            </>
          )}
          <PreflightPanel
            state={preflight}
            search={search}
            runs={form.plan ? runsOf(form.grid) : 1}
            onSearch={setSearch}
          />
        </form>
        <SidePanel
          form={form}
          checking={verdict.state === "checking"}
          original={source?.name ?? null}
          preflight={preflight}
          problems={problems.filter(isSeen)}
          waiting={problems.filter((problem) => !isSeen(problem)).length}
          warnings={verdict.warnings}
          paths={paths}
          onOpen={openField}
        />
      </div>
    </Page>
  );
}

/** The field may only appear with the next drawing: a problem opens what hides it. */
function focusField(path: string): void {
  setTimeout(() => {
    const element =
      document.getElementById(fieldId(path)) ??
      document.querySelector<HTMLElement>(`[data-stands-for~="${path}"]`);
    element?.scrollIntoView({ block: "center", behavior: "smooth" });
    element?.focus({ preventScroll: true });
  }, 50);
}
