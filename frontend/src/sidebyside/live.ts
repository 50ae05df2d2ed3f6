/** Follows a comparison's answers while they are generated. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
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
      setLive({ ...found, answers: live.answers, status: live.status, cursor: live.cursor });
    }
  }
  const open = isOpen(found.status);
  const id = found.id;
  const cursor = useRef(found.cursor);
  cursor.current = live.cursor;
  useEffect(() => {
    if (!open) return;
    const url = `/api/generations/${encodeURIComponent(id)}/events?after=${cursor.current}`;
    const source = new EventSource(url);
    const again = () => void queries.invalidateQueries({ queryKey: ["generation", id] });
    source.addEventListener("tokens", (message) => {
      const told = JSON.parse(String(message.data)) as Told[];
      const at = Number(message.lastEventId);
      setLive((old) =>
        at <= old.cursor ? old : { ...old, answers: grown(old.answers, told), cursor: at },
      );
    });
    source.addEventListener("state", (message) => {
      const state = JSON.parse(String(message.data)) as State;
      const at = Number(message.lastEventId);
      setLive((old) => ({
        ...old,
        ...state,
        // Another worker begins anew.
        answers: state.attempt === old.attempt ? old.answers : [],
        cursor: Math.max(at, old.cursor),
      }));
    });
    source.addEventListener("end", () => {
      source.close();
      again();
    });
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) again();
    };
    return () => source.close();
  }, [open, id, queries]);
  return live;
}
