import createClient from "openapi-fetch";
import type { paths } from "./schema";
import type { Problem, ProblemDetails } from "./types";
import { NO_ANSWER_OF_OURS, UNREACHABLE, wordsFor, wordsOfPage } from "./words";

/** What the API answered instead of what was asked for; status 0 when it could not be reached. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly remedy: string;
  readonly errors: Problem[];

  constructor(
    details: Pick<ProblemDetails, "status" | "code" | "detail"> & Partial<ProblemDetails>,
  ) {
    super(details.detail);
    this.name = "ApiError";
    this.status = details.status;
    this.code = details.code;
    this.remedy = details.remedy ?? "";
    this.errors = details.errors ?? [];
  }

  get unreachable(): boolean {
    return this.status === 0 || this.code === "bad_gateway";
  }
}

export const client = createClient<paths>({
  baseUrl: window.location.origin,
  credentials: "same-origin",
  // The history says that a change came from here.
  headers: { "UniSD-Actor": "page" },
  // Looked up at each call, so that tests may put their own fetch in place.
  fetch: (request) => globalThis.fetch(request),
});

function isProblem(body: unknown): body is ProblemDetails {
  return typeof body === "object" && body !== null && "code" in body && "detail" in body;
}

export function answerError(response: Response, body: unknown): ApiError {
  if (isProblem(body)) return new ApiError(body);
  return new ApiError({ status: response.status, ...wordsFor(response.status) });
}

/** Why no answer came: the question was withdrawn, or the server is not there. */
export function transportError(cause: unknown): unknown {
  if (cause instanceof DOMException && cause.name === "AbortError") return cause;
  // An answer came and was no JSON: a sign-in page of a proxy, for one.
  if (cause instanceof SyntaxError) return new ApiError({ status: -1, ...NO_ANSWER_OF_OURS });
  return new ApiError({ status: 0, ...UNREACHABLE });
}

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The data of an answer, or an `ApiError`. */
export async function unwrap<T>(call: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await call;
  } catch (cause) {
    throw transportError(cause);
  }
  if (!answer.response.ok) throw answerError(answer.response, answer.error);
  return answer.data as T;
}

export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError({ status: -1, ...wordsOfPage(error) });
}
