/** Follows a comparison's answers while they are generated. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { Backoff } from "../live/backoff";
import { type Answer, type Comparison, isOpen } from "./api";

/** `[column, sample, text, tokens, end]`, as the stream tells them. */
export type Told = [number, number, string, number, Answer["end"]];

interface State {
  status: Comparison["status"];
  detail: string;
  attempt: number;
  cancelling: boolean;
}

/** The answers with what came since. */
export function grown(answers: readonly Answer[], told: readonly Told[]): Answer[] {
  const next = [...answers];
  for (const [column, sample, text, tokens, end] of told) {
    const at = next.findIndex((one) => one.column === column && one.sample === sample);
    const before = next[at] ?? {
      column,
      sample,
      text: "",
      tokens: 0,
      end: null,
      mean_logprob: null,
    };
    const after = { ...before, text: before.text + text, tokens: before.tokens + tokens, end };
    if (at < 0) next.push(after);
    else next[at] = after;
  }
  return next;
}

/** The comparison as it was asked for, with what the stream has brought since then. */
export function useLive(found: Comparison): Comparison {
  const queries = useQueryClient();
  const [live, setLive] = useState(found);
  const known = useRef(found);
  // What was asked for later than the stream told, or is over, holds.
  if (found !== known.current) {
    known.current = found;
    if (!isOpen(found.status) || found.cursor >= live.cursor || found.id !== live.id) {
      setLive(found);
    } else {
      const { answers, status, attempt, cursor } = live;
      setLive({ ...found, answers, status, attempt, cursor });
    }
  }
  const open = isOpen(found.status);
  const id = found.id;
  const cursor = useRef(found.cursor);
  cursor.current = live.cursor;
  useEffect(() => {
    if (!open) return;
    const backoff = new Backoff();
    let source: EventSource | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const connect = () => {
      source = follow(id, cursor.current, setLive);
      source.onopen = () => backoff.reset();
      source.addEventListener("end", again);
      // The browser tries a lost stream again, but never one whose answer is no stream.
      source.onerror = () => {
        if (source?.readyState === EventSource.CLOSED) again();
      };
    };
    const again = () => {
      source?.close();
      void queries.invalidateQueries({ queryKey: ["generation", id] });
      // Unless that tells that it is over.
      timer = setTimeout(connect, backoff.next());
    };
    connect();
    return () => {
      clearTimeout(timer);
      source?.close();
    };
  }, [open, id, queries]);
  return live;
}

/** A stream of what comes after a cursor, and what it changes. */
function follow(id: string, after: number, change: (to: (old: Comparison) => Comparison) => void) {
  const source = new EventSource(
    `/api/generations/${encodeURIComponent(id)}/events?after=${after}`,
  );
  source.addEventListener("tokens", (message) => {
    const told = JSON.parse(String(message.data)) as Told[];
    const at = Number(message.lastEventId);
    change((old) =>
      at <= old.cursor ? old : { ...old, answers: grown(old.answers, told), cursor: at },
    );
  });
  source.addEventListener("state", (message) => {
    const state = JSON.parse(String(message.data)) as State;
    const at = Number(message.lastEventId);
    change((old) => (at < old.cursor ? old : stated(old, state, at)));
  });
  return source;
}

/** The comparison as a state tells; where another worker begins anew, what came counts no more. */
function stated(old: Comparison, state: State, at: number): Comparison {
  const answers = state.attempt === old.attempt ? old.answers : [];
  return { ...old, ...state, answers, cursor: at };
}
