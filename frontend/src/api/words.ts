/** Sentences for answers that say nothing themselves: of proxies, and of nobody at all. */

interface Words {
  code: string;
  detail: string;
  remedy: string;
}

const BY_STATUS: Record<number, Words> = {
  400: {
    code: "bad_request",
    detail: "The server did not understand the request.",
    remedy: "Load the page again: the studio may have been updated since it was opened.",
  },
  401: {
    code: "unauthorized",
    detail: "You are not signed in.",
    remedy: "Sign in with the token of this installation.",
  },
  403: {
    code: "forbidden",
    detail: "The server does not take this from here.",
    remedy: "Use the address that the studio itself gives, or ask whoever runs it.",
  },
  404: {
    code: "not_found",
    detail: "There is no such thing, or it was deleted.",
    remedy: "Look at the list again.",
  },
  409: {
    code: "conflict",
    detail: "Somebody else changed this meanwhile.",
    remedy: "Look at it again, then decide.",
  },
  413: {
    code: "too_large",
    detail: "The file is larger than a server on the way here takes.",
    remedy: "Compress or split it, or raise the limit of the proxy before the studio.",
  },
  422: {
    code: "invalid",
    detail: "The server cannot use what was sent.",
    remedy: "Load the page again: the studio may have been updated since it was opened.",
  },
  429: {
    code: "too_many_requests",
    detail: "The server was asked too often.",
    remedy: "Try again in a moment.",
  },
};

const GATEWAY: Words = {
  code: "bad_gateway",
  detail: "The studio does not answer the server before it.",
  remedy: "Try again in a moment; if it stays so, see whether `unisd up` still runs.",
};

/** What a status means, where the answer has no words of the studio's. */
export function wordsFor(status: number): Words {
  if (status >= 502 && status <= 504) return GATEWAY;
  return (
    BY_STATUS[status] ?? {
      code: "unexpected_answer",
      detail: `The server answered with status ${status} and nothing else.`,
      remedy: "Try again; the server's log says more.",
    }
  );
}

export const UNREACHABLE: Words = {
  code: "unreachable",
  detail: "The server cannot be reached.",
  remedy: "Check that it runs (`unisd up`) and that this machine can reach it.",
};

export const NO_ANSWER_OF_OURS: Words = {
  code: "unexpected_answer",
  detail: "Something else than the studio answered.",
  remedy: "A proxy may want you to sign in: load the page again.",
};

const PART_MISSING = /dynamically imported module|Importing a module script|preload CSS/i;

/** What to say of a mistake of the page itself. */
export function wordsOfPage(error: unknown): Words {
  const reason = error instanceof Error ? error.message : String(error);
  if (PART_MISSING.test(reason)) {
    return {
      code: "page_outdated",
      detail: "A part of the page could not be loaded.",
      remedy: "Load the page again: the studio may have been updated since it was opened.",
    };
  }
  return {
    code: "client_error",
    detail: `The page made a mistake: ${reason.replace(/\.$/, "")}.`,
    remedy: "Load it again; if it stays so, please report it.",
  };
}
