import { useNavigate } from "@tanstack/react-router";
import { useCreateRun } from "../api/actions";
import { ApiError, asApiError } from "../api/client";
import { useCreateStudy } from "../studies/api";
import type { RunForm } from "./useRunForm";

const isRefusal = (error: unknown): error is ApiError =>
  error instanceof ApiError && error.status === 422;

/** Queues what stands in the form, one run or a study, and goes there. */
export function useLaunch(form: RunForm) {
  const navigate = useNavigate();
  const createRun = useCreateRun();
  const createStudy = useCreateStudy();
  const create = form.plan ? createStudy : createRun;
  const { error } = create;
  return {
    pending: create.isPending,
    /** What the server found wrong with the configuration. */
    refusal: isRefusal(error) ? error : null,
    /** What kept the server from an answer. */
    failure: error && !isRefusal(error) ? asApiError(error) : null,
    forgive: () => {
      if (error) create.reset();
    },
    start: (onRefused: (error: ApiError) => void) => {
      const onError = (problem: unknown) => {
        if (isRefusal(problem)) onRefused(problem);
      };
      if (form.plan) {
        createStudy.mutate(form.plan, {
          onError,
          onSuccess: (study) => {
            form.forget();
            void navigate({ to: "/studies/$studyId", params: { studyId: study.id } });
          },
        });
        return;
      }
      createRun.mutate(form.run, {
        onError,
        onSuccess: (run) => {
          form.forget();
          void navigate({ to: "/runs/$runId", params: { runId: run.id } });
        },
      });
    },
  };
}
