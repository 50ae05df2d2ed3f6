/** What the reader keeps: the chosen token and the changed settings, both also in the URL. */
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { RunDetail } from "../api/types";
import type { RunSearch } from "../searches";
import { Cursor } from "./cursor";
import type { LossSettings } from "./whatif";
import { read, settingsOf, written } from "./whatifSettings";

type OnSearch = (change: Partial<RunSearch>, push?: boolean) => void;

/** Moving fast must not write an address for each step. */
const REST_MS = 250;

/** The cursor, followed by the URL once it rests, and following it on the way back. */
export function useTokenCursor(token: number | undefined, onSearch: OnSearch): Cursor {
  const [cursor] = useState(() => new Cursor(token ?? null));
  const told = useRef(token ?? null);
  useEffect(() => {
    const wanted = token ?? null;
    if (wanted === told.current) return;
    told.current = wanted;
    cursor.choose(wanted);
  }, [token, cursor]);
  useEffect(() => {
    let timer = 0;
    const stop = cursor.listen(({ chosen }) => {
      window.clearTimeout(timer);
      if (chosen === told.current) return;
      timer = window.setTimeout(() => {
        told.current = chosen;
        onSearch({ token: chosen ?? undefined });
      }, REST_MS);
    });
    return () => {
      stop();
      window.clearTimeout(timer);
    };
  }, [cursor, onSearch]);
  return cursor;
}

export interface WhatIfState {
  own: LossSettings;
  after: LossSettings;
  changed: boolean;
  change: (part: Partial<LossSettings>) => void;
  reset: () => void;
}

/** The run's settings and those that are tried in their place. */
export function useWhatIf(
  config: RunDetail["config"],
  text: string | undefined,
  onSearch: OnSearch,
): WhatIfState | null {
  const own = useMemo(() => settingsOf(config), [config]);
  const [after, setAfter] = useState(() => own && read(text, own));
  const spelled = own && after ? written(after, own) : undefined;
  const told = useRef(text);
  useEffect(() => {
    if (spelled === told.current) return;
    const timer = window.setTimeout(() => {
      told.current = spelled;
      onSearch({ whatif: spelled });
    }, REST_MS);
    return () => window.clearTimeout(timer);
  }, [spelled, onSearch]);
  const change = useCallback(
    (part: Partial<LossSettings>) => setAfter((old) => old && { ...old, ...part }),
    [],
  );
  const reset = useCallback(() => setAfter(own), [own]);
  return useMemo(
    () => own && after && { own, after, changed: spelled !== undefined, change, reset },
    [own, after, spelled, change, reset],
  );
}
