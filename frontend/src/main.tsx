import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiError } from "./api/client";
import { sessionQuery } from "./api/queries";
import "./lib/theme";
import { createAppRouter } from "./router";
import "./styles/app.css";

/** A 401 from anywhere means that the session is over: the shell then shows the sign-in page. */
function onError(error: Error): void {
  if (error instanceof ApiError && error.status === 401) {
    queryClient.setQueryData(sessionQuery.queryKey, {
      authentication_required: true,
      authenticated: false,
    });
  }
}

const queryClient = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    queries: {
      retry: (count, error) => count < 2 && error instanceof ApiError && error.status >= 500,
      staleTime: 1000,
    },
  },
});

const router = createAppRouter();

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
