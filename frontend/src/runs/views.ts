/** Saved views: asked for, kept, forgotten. */
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { client, unwrap } from "../api/client";
import type { components } from "../api/schema";

export type View = components["schemas"]["ViewOut"];

export function viewsQuery(projectId: string | undefined) {
  const query = { limit: 500, ...(projectId ? { project_id: projectId } : {}) };
  return queryOptions({
    queryKey: ["views", projectId ?? null],
    queryFn: ({ signal }) => unwrap(client.GET("/api/views", { params: { query }, signal })),
    staleTime: 10_000,
  });
}

export function viewQuery(viewId: string) {
  return queryOptions({
    queryKey: ["views", "one", viewId],
    queryFn: ({ signal }) =>
      unwrap(client.GET("/api/views/{view_id}", { params: { path: { view_id: viewId } }, signal })),
  });
}

export type ViewWish =
  | { do: "create"; name: string; project_id: string | null; search: Record<string, string> }
  | { do: "change"; id: string; name?: string; search?: Record<string, string> }
  | { do: "delete"; id: string };

async function tell(wish: ViewWish): Promise<View | null> {
  switch (wish.do) {
    case "create": {
      const { do: _, ...body } = wish;
      return unwrap(client.POST("/api/views", { body }));
    }
    case "change": {
      const { do: _, id, ...body } = wish;
      return unwrap(
        client.PATCH("/api/views/{view_id}", { params: { path: { view_id: id } }, body }),
      );
    }
    case "delete":
      await unwrap(
        client.DELETE("/api/views/{view_id}", { params: { path: { view_id: wish.id } } }),
      );
      return null;
  }
}

export function useTellViews() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: tell,
    onSettled: () => queries.invalidateQueries({ queryKey: ["views"] }),
  });
}
