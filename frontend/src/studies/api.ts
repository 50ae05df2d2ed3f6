/** What the pages of studies ask and wish. */
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { client, unwrap } from "../api/client";
import type { components, paths } from "../api/schema";

type Schemas = components["schemas"];

export type StudySummary = Schemas["StudySummary"];
export type StudyDetail = Schemas["StudyDetail"];
export type StudyRun = Schemas["StudyRun"];
export type StudyState = Schemas["StudyState"];
export type StudyReport = Schemas["StudyReport"];
export type StudyTable = Schemas["StudyTable"];
export type TableCell = Schemas["TableCell"];
export type Effect = Schemas["Effect"];
export type Gap = Schemas["Gap"];
export type Interval = Schemas["Interval"];
export type Cost = Schemas["Cost"];
export type Plan = Schemas["StudyPlan-Output"];
export type PlanCheck = Schemas["PlanCheck"];
export type StudyFile = Schemas["StudyFile"];
export type Fate = Schemas["Fate"];
export type ResumeWish = Schemas["StudyResume"];

export type StudiesQuery = NonNullable<paths["/api/studies"]["get"]["parameters"]["query"]>;
export type TableQuery = NonNullable<
  paths["/api/studies/{study_id}/table"]["get"]["parameters"]["query"]
>;
/** How a study is looked at: other baselines, more metrics. */
export interface View {
  metric?: string[];
  baseline?: string[];
}

const LIVE_MS = 3000;
const STILL_MS = 15_000;

export const isOpen = (study: Pick<StudySummary, "state"> | undefined): boolean =>
  study?.state === "running" || study?.state === "waiting";

export function studiesQuery(query: StudiesQuery) {
  return queryOptions({
    queryKey: ["studies", query],
    queryFn: ({ signal }) => unwrap(client.GET("/api/studies", { params: { query }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.items.some(isOpen) ? LIVE_MS : STILL_MS),
  });
}

/** A study that is over may be taken up from elsewhere: it is asked again, less often. */
export function studyQuery(studyId: string, view: View) {
  return queryOptions({
    queryKey: ["study", studyId, view],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/studies/{study_id}", {
          params: { path: { study_id: studyId }, query: view },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (isOpen(state.data) ? LIVE_MS : STILL_MS),
  });
}

export function tableQuery(studyId: string, query: TableQuery, live: boolean) {
  return queryOptions({
    queryKey: ["study", studyId, "table", query],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/studies/{study_id}/table", {
          params: { path: { study_id: studyId }, query },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: live ? LIVE_MS : STILL_MS,
  });
}

export type StudyWish =
  | { action: "cancel" }
  | { action: "resume"; wish: ResumeWish }
  | { action: "delete"; runs: Fate };

async function steer(studyId: string, wish: StudyWish): Promise<void> {
  const path = { study_id: studyId };
  if (wish.action === "cancel") {
    await unwrap(client.POST("/api/studies/{study_id}/cancel", { params: { path } }));
  } else if (wish.action === "resume") {
    const body = wish.wish;
    await unwrap(client.POST("/api/studies/{study_id}/resume", { params: { path }, body }));
  } else {
    const query = { runs: wish.runs };
    await unwrap(client.DELETE("/api/studies/{study_id}", { params: { path, query } }));
  }
}

/** Tells the server a wish about a study; whatever it answers, all is looked at again. */
export function useSteerStudy(studyId: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (wish: StudyWish) => steer(studyId, wish),
    onSettled: async (_data, error, wish) => {
      const stale = [["studies"], ["runs"], ["queues"]];
      // A study that was deleted has no page any more.
      if (error || wish.action !== "delete") stale.push(["study", studyId]);
      await Promise.all(stale.map((queryKey) => queries.invalidateQueries({ queryKey })));
    },
  });
}

export function planCheckQuery(text: string) {
  return queryOptions({
    queryKey: ["plan", text],
    queryFn: ({ signal }) => unwrap(client.POST("/api/studies/check", { body: { text }, signal })),
    placeholderData: keepPreviousData,
    enabled: text.trim() !== "",
    retry: false,
    gcTime: 60_000,
  });
}

export function useCreateStudy() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (plan: Plan) =>
      unwrap(client.POST("/api/studies", { body: plan as Schemas["StudyPlan-Input"] })),
    onSuccess: () => {
      for (const key of ["studies", "runs", "projects"]) {
        void queries.invalidateQueries({ queryKey: [key] });
      }
    },
  });
}

/** Where a file of the study, as it is looked at, is fetched from. */
export function fileUrl(studyId: string, file: StudyFile, view: View): string {
  const query = new URLSearchParams([
    ...(view.metric ?? []).map((name): [string, string] => ["metric", name]),
    ...(view.baseline ?? []).map((choice): [string, string] => ["baseline", choice]),
  ]).toString();
  return `/api/studies/${encodeURIComponent(studyId)}/files/${file}${query ? `?${query}` : ""}`;
}
