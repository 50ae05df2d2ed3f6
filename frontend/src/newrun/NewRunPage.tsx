import { useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import {
  configDefaultsQuery,
  configSchemaQuery,
  presetsQuery,
  projectsQuery,
  runQuery,
} from "../api/queries";
import { Failure } from "../components/states";
import { Skeleton } from "../components/ui";
import { useTitle } from "../lib/hooks";
import type { NewRunSearch } from "../searches";
import { Page } from "../shell/Page";
import { RunForm } from "./RunForm";
import { formModel } from "./schema";
import type { Config } from "./values";

const CRUMBS = [{ label: "Runs", link: { to: "/" } as const }, { label: "New run" }];

export function NewRunPage() {
  useTitle("New run");
  const search: NewRunSearch = useSearch({ from: "/runs/new" });
  const schema = useQuery(configSchemaQuery);
  const defaults = useQuery(configDefaultsQuery);
  const presets = useQuery(presetsQuery);
  const projects = useQuery(projectsQuery);
  const source = useQuery({
    ...runQuery(search.from ?? ""),
    enabled: search.from !== undefined,
    refetchInterval: false,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const sections = useMemo(() => (schema.data ? formModel(schema.data) : null), [schema.data]);

  const failed = [schema, defaults, presets, projects, source].find((query) => query.error);
  if (failed) {
    return (
      <Page crumbs={CRUMBS}>
        <Failure error={failed.error} onRetry={() => void failed.refetch()} />
      </Page>
    );
  }
  const waiting = search.from !== undefined && !source.data;
  if (!sections || !defaults.data || !presets.data || !projects.data || waiting) {
    return (
      <Page crumbs={CRUMBS}>
        <div role="status" aria-label="Loading the form" className="flex flex-col gap-4 p-6">
          <Skeleton className="h-28 max-w-3xl" />
          <Skeleton className="h-64 max-w-3xl" />
          <Skeleton className="h-64 max-w-3xl" />
        </div>
      </Page>
    );
  }
  return (
    <RunForm
      key={`${search.from ?? ""} ${search.dataset ?? search.benchmark ?? ""}`}
      crumbs={CRUMBS}
      sections={sections}
      defaults={defaults.data.config}
      presets={presets.data.items}
      source={source.data ?? null}
      start={onData((source.data?.config as Config | undefined) ?? defaults.data.config, search)}
      projects={projects.data.items}
      search={search}
    />
  );
}

/** The configuration with a data set or a benchmark in place of whatever it names. */
function onData(config: Config, { dataset, benchmark }: NewRunSearch): Config {
  if (!dataset && !benchmark) return config;
  const named = { path: null, benchmark: benchmark ?? null, dataset: dataset ?? null };
  const data = { ...(config.data as Config), ...named };
  return { ...config, data };
}
